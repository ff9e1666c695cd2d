"""What was measured: every number goes to the CSV at once, so that a run that is cut short keeps what it
had."""
import csv
import statistics
from collections import defaultdict

COLUMNS = ("part", "case", "contender", "quantity", "setting", "turn", "value")


class Record:
    def __init__(self, path):
        self.file = path.open("w", newline="", encoding="utf-8")
        self.out = csv.writer(self.file)
        self.out.writerow(COLUMNS)
        self.values = defaultdict(list)  # (part, case, contender, quantity, setting) → values

    def add(self, part, case, contender, quantity, value, setting=""):
        key = (part, case, contender, quantity, str(setting))
        self.values[key].append(value)
        self.out.writerow([*key, len(self.values[key]), f"{value:.6g}"])
        self.file.flush()

    def get(self, part, case, contender, quantity, setting=""):
        """Values in the order of their turns, [] where there are none."""
        return self.values.get((part, case, contender, quantity, str(setting)), [])

    def median(self, *key, **more):
        values = self.get(*key, **more)
        return statistics.median(values) if values else None

    def settings(self, part, case, contender, quantity):
        return [key[4] for key in self.values if key[:4] == (part, case, contender, quantity)]

    def close(self):
        self.file.close()
