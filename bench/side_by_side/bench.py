"""One run of the bench: who takes part, what was found."""
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .cases import words
from .record import Record
from .worker import Failed, Worker, environment

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = "amortune"


@dataclass
class Bench:
    device: str
    build: Path
    out: Path
    record: Record
    turns: int
    quick: bool
    threads: int
    cases: list                                   # keys of the fits that are wanted
    python: dict                                  # peer's library → interpreter
    versions: dict = field(default_factory=dict)  # of everybody who took part
    notes: list = field(default_factory=list)     # what was left out or differs, and why
    ways: dict = field(default_factory=dict)      # script with its options → its quickest way

    @property
    def epochs(self):
        return 0.1 if self.quick else 5

    def say(self, text):
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def note(self, text):
        self.say(text)
        self.notes.append(text)

    def start(self, name, command):
        around = environment(self.device, self.build, name != OURS)
        worker = Worker(name, command, around, self.build / "bench.log")
        about = worker.about
        self.versions[about["name"]] = f"{about['name']} {about['version']}"
        return worker

    def own(self, **options):
        """bench_case with options of its command line."""
        given = {"device": self.device, "epochs": self.epochs, **options}
        if self.threads and "threads" not in given:
            given["threads"] = self.threads
        return self.start(OURS, [self.build / "bench_case", *words(given)])

    def peer(self, library, script, *options):
        """A peer's process, or None where its library is missing or it fails."""
        python = self.python.get("JAX" if script.startswith("jax_") else "PyTorch")
        if python is None:
            return None
        command = [python, ROOT / f"bench/peers/{script}.py", "--serve", "--device", self.device,
                   "--epochs", self.epochs, *options]
        if self.threads:
            command += ["--threads", self.threads]
        if self.quick and script.startswith("torch_"):
            command += ["--variant", "eager"]
        try:
            worker = self.start(library, command)
        except Failed as failed:
            self.note(f"left out: {script}: {failed}")
            return None
        self.ways[" ".join(map(str, [script, *options]))] = worker.about["variant"]
        return worker

    def add(self, *key, value, setting=""):
        self.record.add(*key, value, setting)


def take_turns(count, turns):
    """A B C A B C …: each turn is a function that records what it measures."""
    for _ in range(count):
        for turn in turns:
            turn()


def mean(values):
    return statistics.fmean(values)


def agree(bench, case, name, own, peer, accuracy, nll):
    """Whether a peer's models are as good as ours, mean over λ; notes where they are not. A rehearsal of
    a few steps is not judged."""
    points = 100 * (mean(peer["val_acc"]) - mean(own["val_acc"]))
    share = mean(peer["val_nll"]) / mean(own["val_nll"]) - 1
    bench.add("check", case, name, "accuracy minus ours, points", value=points)
    bench.add("check", case, name, "NLL over ours", value=share)
    if bench.quick or abs(points) <= accuracy and (nll is None or abs(share) <= nll):
        return True
    limit = "" if nll is None else f" (at most {100 * nll:.0f} %)"
    bench.note(f"left out: {case}, {name}: its models differ from ours by {points:+.2f} points (at most "
               f"{accuracy}) and {100 * share:+.1f} % of the NLL{limit}")
    return False
