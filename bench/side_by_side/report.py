"""The results file: the numbers that must be reached, then every part's table, each time beside its
floor."""
import statistics

from . import floors, scaling
from .bench import OURS
from .cases import BUDGETS, FITS, LAMBDAS, PATHS, RESPONSES

FULL_STEPS = 1953


def spread(values, digits=3):
    if not values:
        return ""
    middle = statistics.median(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({min(values):.{digits}f} … {max(values):.{digits}f})"


def ratio(a, b, digits=2):
    return f"{a / b:.{digits}f}" if a and b else ""


def ceilings_of(record):
    """Medians of what was measured between the parts; products at the best contender's rate."""
    rates = [statistics.median(values) for key, values in record.values.items()
             if key[:2] == ("ceilings", "layer products")]
    update = {int(size): record.median("ceilings", "update", OURS, "B/s", setting=size)
              for size in record.settings("ceilings", "update", OURS, "B/s")}
    return floors.Ceilings(max(rates), update) if rates and update else None


class Results:
    """What the tables are made of: medians and floors."""

    def __init__(self, bench):
        self.bench, self.record = bench, bench.record
        self.ceilings = ceilings_of(bench.record)
        self.steps = getattr(bench, "steps", FULL_STEPS)

    def values(self, *key, **more):
        return self.record.get(*key, **more)

    def fit(self, case, name=OURS):
        """Median of the turns; where they are pieces of a fit, as many of them as it has."""
        piece = self.record.median("fits", case, name, "seconds of 1,000 steps")
        return (self.record.median("fits", case, name, "seconds of the fit") or
                piece and piece * self.steps / 1000)

    def fit_floor(self, case):
        shape = next(f.shape for f in FITS if f.key == case)
        return self.steps * floors.step_floor(shape, self.ceilings)

    def model_floor(self, case, models):
        """10,000 images; a curve needs the features of λ alone."""
        shape = next(f.shape for f in FITS if f.key == case)
        return floors.models_floor(shape.sizes, shape.features, models, 10000, self.ceilings)

    def response(self, key):
        return self.record.median("response", key, OURS, "seconds")

    def setting(self, key):
        """Of a response, or None where it was not run."""
        names = self.record.settings("response", key, OURS, "setting")
        values = {name: int(self.record.get("response", key, OURS, "setting", setting=name)[0])
                  for name in names}
        return floors.Response(**values) if values else None

    def response_floor(self, key):
        setting = self.setting(key)
        return setting and floors.response_floor(setting, 50000, self.ceilings)

    def surface(self):
        return self.record.median("models", "response", OURS, "seconds of the surface")

    def surface_floor(self):
        features = 6 + 16 * self.setting("default").nodes
        return floors.models_floor((784, 64, 10), features, 1000, 10000, self.ceilings)

    def refit_floor(self, models):
        return self.steps * floors.refit_floor((784, 64, 10), models, 128, self.ceilings)

    def curve(self):
        return self.record.median("models", "default", OURS, "seconds of the curve")

    def break_even(self):
        fit, one = self.fit("default"), self.record.median("refits", "refits", OURS, "seconds of one")
        return (fit + self.curve()) / one if fit and one and self.curve() else None

    def break_even_of(self, path):
        """By the fits that the time to quality is measured with."""
        seconds = self.record.median("quality", path, OURS, "seconds", setting=5)
        one = self.record.median("refits", "refits", OURS, "seconds of one")
        return seconds / one if seconds and one else None

    def loss_against_refits(self, path="default"):
        """Mean validation accuracy over λ minus the refits', points, mean over the seeds."""
        own = self.values("quality", path, OURS, "mean validation accuracy", setting=5)
        refits = self.values("quality", "refits", OURS, "mean validation accuracy", setting=5)
        gaps = [100 * (a - b) for a, b in zip(own, refits)]
        return statistics.fmean(gaps) if gaps else None

    def time_to_quality(self, path="default"):
        """(seconds, epochs): the smallest budget that reaches the refits' NLL, by the median over the seeds,
        or None."""
        for budget in BUDGETS:
            gaps = self.nll_gaps(budget, path)
            if gaps and statistics.median(gaps) <= 0:
                return self.record.median("quality", path, OURS, "seconds", setting=budget), budget
        return None

    def nll_gaps(self, budget, path="default"):
        """Mean validation NLL over λ minus the refits', by seed."""
        own = self.values("quality", path, OURS, "mean validation NLL", setting=budget)
        refits = self.values("quality", "refits", OURS, "mean validation NLL", setting=5)
        return [a - b for a, b in zip(own, refits)]

    def growth(self, case, plan, a, b):
        first, last = (self.record.median("scaling", case, plan, "seconds of a step", setting=v)
                       for v in (a, b))
        return last / first if first and last else None


# ---- the numbers that must be reached ----------------------------------------------------------------


def requirement(what, number, measured, reached):
    if measured is None:
        return f"| {what} | {number} | | not run |"
    return f"| {what} | {number} | {measured} | {'PASS' if reached else 'MISSED'} |"


def fit_requirements(r, case, what, names, times):
    own = r.fit(case)
    if own is None:
        return [requirement(f"{what}: against its floor", "≤ 1.5 times", None, False)]
    floor = r.fit_floor(case)
    lines = [requirement(f"{what}: against its floor", "≤ 1.5 times",
                         f"{own:.2f} s, floor {floor:.2f} s: {own / floor:.2f} times", own <= 1.5 * floor)]
    for name in names:
        peer = r.fit(case, name)
        lines.append(requirement(f"{what}: faster than {name}", f"≥ {times} times",
                                 peer and f"{peer:.2f} s: {peer / own:.1f} times",
                                 peer and peer >= times * own))
    return lines


def cost_requirements(r):
    curve, surface, even = r.curve(), r.surface(), r.break_even()
    quality, gap, growth = r.time_to_quality(), r.loss_against_refits(), r.growth("M", "factored", 1, 64)
    known = even is not None and gap is not None
    lines = []
    own, floor = r.response("full"), r.response_floor("full")
    lines.append(requirement("response to the weights, 3 nodes, 2 snapshots, 2 iterations, 16 blocks, "
                             "all rows: against its floor", "≤ 1.3 times",
                             own and floor and f"{own:.2f} s, floor {floor:.2f} s: {own / floor:.2f} times",
                             own and floor and own <= 1.3 * floor))
    lines.append(requirement("20-λ curve on 10,000 images", "≤ 0.15 s", curve and f"{curve:.3f} s",
                             curve and curve <= 0.15))
    lines.append(requirement("1,000 models (20 λ × 50 ω) on 10,000 images", "≤ 2 s",
                             surface and f"{surface:.2f} s", surface and surface <= 2))
    lines.append(requirement("time to quality of the default", "≤ 6 s",
                             quality and f"{quality[0]:.2f} s, {quality[1]} epochs",
                             quality and quality[0] <= 6))
    lines.append(requirement("break-even, the generator's training counted", "≤ 4 refits at no loss",
                             f"{even:.2f} refits at {gap:+.2f} points" if known else None,
                             known and even <= 4 and gap >= 0))
    lines += coarse_requirements(r)
    lines.append(requirement("a step with M = 64 against M = 1, factored plan", "≤ 1.6 times",
                             growth and f"{growth:.2f} times", growth and growth <= 1.6))
    return lines


def coarse_requirements(r):
    """Of the option that spends fewer rows; its training criterion is farther from the refits' than the
    default's (docs/coarse-to-fine.md)."""
    path = "coarse to fine"
    quality, even, gap = r.time_to_quality(path), r.break_even_of(path), r.loss_against_refits(path)
    known = even is not None and gap is not None
    return [requirement("time to quality with --path coarse-to-fine", "≤ 6 s",
                        quality and f"{quality[0]:.2f} s, {quality[1]} epochs", quality and quality[0] <= 6),
            requirement("break-even with --path coarse-to-fine", "≤ 4 refits at no loss",
                        f"{even:.2f} refits at {gap:+.2f} points" if known else None,
                        known and even <= 4 and gap >= 0)]


def requirements(r):
    lines = []
    lines += fit_requirements(r, "paper", "protocol paper fit", ["PyTorch"], 12)
    lines += fit_requirements(r, "mlp", "MLP-feature fit", ["PyTorch", "JAX"], 4)
    lines += fit_requirements(r, "collocation", "collocation fit", ["PyTorch"], 5)
    lines += cost_requirements(r)
    if r.bench.quick:
        lines = [line.replace("| PASS |", "| rehearsal |").replace("| MISSED |", "| rehearsal |")
                 for line in lines]
    return ["| what | must reach | measured | |", "| --- | --- | --- | --- |", *lines]


# ---- tables ------------------------------------------------------------------------------------------


def contenders_of(r, part, case, quantity):
    return [key[2] for key in r.record.values if key[:2] == (part, case) and key[3] == quantity]


def fit_table(r):
    lines = []
    for case in FITS:
        names = contenders_of(r, "fits", case.key, "seconds of 1,000 steps")
        if not names:
            continue
        floor = r.fit_floor(case.key)
        lines += ["", f"### {case.what}", "", f"Floor: {floor:.2f} s for {r.steps:,} steps.", "",
                  "| who | s per 1,000 steps | fit, s | / floor | / ours | mean NLL | mean accuracy | "
                  "peak GB |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
        for name in names:
            fit = r.fit(case.key, name)
            nll, accuracy = (r.record.median("check", case.key, name, f"mean validation {what}")
                             for what in ("NLL", "accuracy"))
            peak = r.record.median("fits", case.key, name, "peak bytes") or 0
            steps = spread(r.values("fits", case.key, name, "seconds of 1,000 steps"))
            lines.append(f"| {name} | {steps} | {fit:.2f} | {fit / floor:.2f} | "
                         f"{ratio(fit, r.fit(case.key))} | {nll:.4f} | {accuracy:.4f} | "
                         f"{peak * 1e-9:.2f} |")
    return lines


def model_table(r):
    rows = []
    for case in FITS:
        for quantity, count in (("seconds of the curve", LAMBDAS), ("seconds of the surface", 1000)):
            for name in contenders_of(r, "models", case.key, quantity):
                floor = r.model_floor(case.key, count)
                values = r.values("models", case.key, name, quantity)
                rows.append(f"| {count:,} models of {case.key} | {name} | {spread(values)} | {floor:.3f} "
                            f"| {ratio(statistics.median(values), floor)} |")
    values = r.values("models", "response", OURS, "seconds of the surface")
    if values:
        rows.append(f"| 1,000 models of default with its response | {OURS} | {spread(values)} | "
                    f"{r.surface_floor():.3f} | {ratio(statistics.median(values), r.surface_floor())} |")
    head = ["", "| what, on 10,000 images | who | s | floor | / floor |",
            "| --- | --- | --- | --- | --- |"]
    return head + rows if rows else []


def refit_table(r):
    rows = []
    for quantity, models, times in (("seconds of one", 1, 1), ("seconds of 20 in one batch", 20, 1),
                                    ("seconds of one", 1, 20)):
        what = quantity.removeprefix("seconds of ") if times == 1 else "20 one by one"
        for name in contenders_of(r, "refits", "refits", quantity):
            values = [times * v for v in r.values("refits", "refits", name, quantity)]
            floor = times * r.refit_floor(models)
            rows.append(f"| {what} | {name} | {spread(values)} | {floor:.3f} | "
                        f"{ratio(statistics.median(values), floor)} |")
    head = ["", "| refits | who | s | floor | / floor |", "| --- | --- | --- | --- | --- |"]
    return head + rows if rows else []


def response_table(r):
    rows = []
    for key in RESPONSES:
        values, s = r.values("response", key, OURS, "seconds"), r.setting(key)
        if values:
            floor = r.response_floor(key)
            rows.append(f"| {s.nodes} | {s.snapshots} | {s.rows:,} | {s.inputs} | {s.components} | "
                        f"{s.iterations} | {spread(values)} | {floor:.3f} | "
                        f"{ratio(statistics.median(values), floor)} |")
    head = ["", "| nodes | snapshots | rows | inputs | components | iterations | s | floor | / floor |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    return head + rows if rows else []


def quality_table(r):
    refits = r.values("quality", "refits", OURS, "mean validation NLL", setting=5)
    if not refits:
        return []
    lines = ["", "Mean validation NLL over 20 λ, minus that of 20 tuned refits of 5 epochs "
             f"({spread(refits, 4)}), by the epochs that the fit is given:", "",
             "| path | epochs | fit and curve, s | NLL minus the refits' |", "| --- | --- | --- | --- |"]
    for path in PATHS:
        for budget in BUDGETS:
            seconds = r.values("quality", path, OURS, "seconds", setting=budget)
            lines.append(f"| {path} | {budget * r.bench.epochs / 5:g} | {spread(seconds)} | "
                         f"{spread(r.nll_gaps(budget, path), 4)} |")
    return lines


def scaling_table(r):
    lines, shapes = [], scaling.shapes()
    for name in ("M", "r", "P", "B", "n"):
        settings = r.record.settings("scaling", name, "direct", "seconds of a step")
        if not settings:
            continue
        lines += ["", f"| {name} | direct, ms | / floor | factored, ms | / floor |",
                  "| --- | --- | --- | --- | --- |"]
        for setting in settings:
            cells = []
            for plan in scaling.PLANS:
                seconds = r.record.median("scaling", name, plan, "seconds of a step", setting=setting)
                floor = floors.step_floor(shapes[name, setting], r.ceilings, plan)
                cells += [f"{seconds * 1e3:.2f}", ratio(seconds, floor)] if seconds else ["", ""]
            lines.append(f"| {int(setting):,} | {' | '.join(cells)} |")
    counts = r.record.settings("scaling", "threads", FITS[0].key, "seconds of a step")
    if counts:
        lines += ["", f"| threads | {' | '.join(f'{f.key}, ms' for f in FITS)} |",
                  f"| --- |{' --- |' * len(FITS)}"]
    for count in counts:
        steps = [r.record.median("scaling", "threads", f.key, "seconds of a step", setting=count)
                 for f in FITS]
        lines.append(f"| {count} | {' | '.join(f'{1e3 * s:.2f}' if s else '' for s in steps)} |")
    return lines


def ceiling_lines(r):
    if r.ceilings is None:
        return []
    rates = {key[2]: statistics.median(values) for key, values in r.record.values.items()
             if key[:2] == ("ceilings", "layer products")}
    sizes = [s for s in sorted(r.ceilings.update) if s in (1 << 20, 1 << 24, 1 << 26, 1 << 30)]
    update = ", ".join(f"{r.ceilings.update[s] * 1e-9:.0f} GB/s on {s >> 20} MiB" for s in sizes)
    products = ", ".join(f"{name} {rate * 1e-9:.0f}" for name, rate in rates.items())
    return ["", f"Ceilings of this run: matrix products of the first layer, GFLOP/s: {products}; update in "
            f"place, read and written: {update}.", "", floors.COUNTING]


def peer_lines(bench):
    if not bench.ways:
        return []
    return ["", "## Peers", "",
            "PyTorch: all networks batched, data in memory, gradients by hand where that is quicker, fused "
            "Adam; plain and compiled, on one thread and on all, the quickest way counts. JAX: a fit is one "
            "compiled loop, vmapped over the networks. Both keep freed memory in large pages. The published "
            "loop has a DataLoader and plain Adam. Their quickest ways here:", "",
            *(f"- `{script}`: {way}" for script, way in bench.ways.items())]


def render(bench, command, machine, seconds):
    r = Results(bench)
    lines = [f"# Side by side on {'a GPU' if bench.device == 'cuda' else 'a CPU'}", "",
             f"Machine: {machine}; {getattr(bench, 'threads_used', '?')} threads. "
             f"{'; '.join(sorted(bench.versions.values()))}.",
             f"Command: `{command}`, {seconds:.0f} s. Everybody's process stays open and they take turns; "
             "times are medians, with the range. Peers are checked before they are timed: their models' "
             "mean accuracy and NLL over λ are ours within what is stated where one is left out. "
             "Memory is that of the whole process.", ""]
    if bench.quick:
        lines += ["A rehearsal of a few steps: no figure here means anything.", ""]
    if r.ceilings is not None:
        lines += requirements(r) if bench.device == "cpu" else []
        for title, table in (("Fits", fit_table), ("Models", model_table), ("Refits", refit_table),
                             ("Response to the weights", response_table),
                             ("Time to quality", quality_table), ("Growth of a step", scaling_table)):
            found = table(r)
            if found:
                lines += ["", f"## {title}", *found]
        lines += peer_lines(bench)
        lines += ["", "## Floors", *ceiling_lines(r)]
    if bench.notes:
        lines += ["", "## Left out", "", *(f"- {note}" for note in bench.notes)]
    return "\n".join(lines) + "\n"
