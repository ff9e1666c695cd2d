"""How the cost of a step grows, in both plans, with M, r, P, B, n and the threads."""
from contextlib import ExitStack

from .bench import take_turns
from .cases import FITS, MLP
from .floors import Shape
from .machine import memory_gib

TURN_SECONDS = 0.25
LARGE_GIB = 12  # that the machine must have for the largest target
PLANS = ("direct", "factored")
TARGETS = ("784-64-10", "784-256-10", "784-1024-10", "784-1024-1024-10", "784-2048-2048-2048-10")


def sizes_of(target):
    return tuple(map(int, target.split("-")))


def grid(quick):
    """Variable → its values, each with options of bench_case and the shape they mean."""
    base = {"sizes": (784, 64, 10), "features": 25, "draws": 16, "collocation": False, "learned": True}
    grid = {
        "M": [(m, {"draws": m}, {"draws": m}) for m in (1, 2, 4, 8, 16, 32, 64, 128, 256)],
        "r": [(r, {"features": f"mlp:128,{r}"}, {"features": r + 1}) for r in (4, 8, 16, 32, 64, 128)],
        "P": [(Shape(sizes=sizes_of(t)).params, {"target": t}, {"sizes": sizes_of(t)}) for t in TARGETS],
        "B": [(n, {"batch": n}, {"batch": n}) for n in (32, 128, 512, 2048)],
        "n": [(n, {"validation": 60000 - n}, {}) for n in (1000, 10000, 50000)],
    }
    if memory_gib() < LARGE_GIB:
        grid["P"].pop()
    if quick:
        grid = {name: values[:2] for name, values in grid.items()}
    return {name: [(value, {**MLP, **options}, Shape(**{**base, **shape}))
                   for value, options, shape in values] for name, values in grid.items()}


def turn_of(b, worker, case, plan, value, steps):
    def turn():
        found = worker.ask("fit", steps)
        b.add("scaling", case, plan, "seconds of a step", value=found["seconds"] / steps,
              setting=value)
    return turn


def enough(b, worker):
    """Steps that last for a turn."""
    worker.ask("fit", 2)
    once = worker.ask("fit", 2)["seconds"] / 2
    return 2 if b.quick else max(2, min(2000, int(TURN_SECONDS / max(once, 1e-6))))


def scaling(b):
    for name, values in grid(b.quick).items():
        b.say(f"scaling: {name}")
        for value, options, _ in values:
            with ExitStack() as stack:
                turns = []
                for plan in PLANS:
                    worker = stack.enter_context(b.own(**options, plan=plan))
                    turns.append(turn_of(b, worker, name, plan, value, enough(b, worker)))
                take_turns(3, turns)
    threads(b)


def threads(b):
    """The fits by the number of threads."""
    b.say("scaling: threads")
    counts = [n for n in (1, 2, 4, 8, 16, 32, 64) if n < b.threads_used] + [b.threads_used]
    for case in FITS:
        with ExitStack() as stack:
            turns = []
            for count in counts:
                worker = stack.enter_context(b.own(**case.own, threads=count))
                turns.append(turn_of(b, worker, "threads", case.key, count, enough(b, worker)))
            take_turns(3, turns)


def shapes():
    """(variable, value as the record has it) → shape, for the report."""
    return {(name, str(value)): shape for name, values in grid(False).items()
            for value, _, shape in values}


