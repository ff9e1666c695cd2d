"""The parts of the bench: each has contenders take turns and records what they need."""
from contextlib import ExitStack, contextmanager

from .bench import OURS, agree, mean, take_turns
from .cases import BUDGETS, FITS, LAMBDAS, PATHS, RESPONSES
from .worker import Failed

LONG_SECONDS, PIECE_SECONDS = 5.0, 2.0  # peers' fits beyond the first are timed by a piece


def ceilings(b):
    """What the machine reaches."""
    with b.own() as worker:
        b.threads_used = worker.about["threads"]
        b.steps = worker.about["steps"]
        found = worker.ask("ceilings")
        b.add("ceilings", "square product", OURS, "FLOP/s", value=found["square"])
        b.add("ceilings", "layer products", OURS, "FLOP/s", value=found["layer"])
        for size, rate in found["update"].items():
            b.add("ceilings", "update", OURS, "B/s", value=rate, setting=size)


# ---- fits --------------------------------------------------------------------------------------------


@contextmanager
def contenders(b, own, peers):
    """Name → worker, ours first; peers maps names to script and options."""
    with ExitStack() as stack:
        workers = {OURS: stack.enter_context(b.own(**own))}
        for name, (script, *options) in peers.items():
            worker = b.peer(name, script, *options)
            if worker is not None:
                workers[name] = stack.enter_context(worker)
        yield workers


def attempt(b, workers, name, *line):
    """The answer, or None and one contender fewer."""
    try:
        return workers[name].ask(*line)
    except Failed as failed:
        if name == OURS:
            raise
        b.note(f"left out: {failed}")
        del workers[name]
        return None


def whole_fits(b, case, workers):
    """Everybody's fit to the end and its curve; those whose models are worse or better are left out."""
    own, seconds = None, {}
    for name in list(workers):
        steps = workers[name].about["steps"]
        fit = attempt(b, workers, name, "fit", steps)
        curve = fit and attempt(b, workers, name, "curve")
        if curve is None:
            continue
        own = own or curve
        if not agree(b, case.key, name, own, curve, case.accuracy, case.nll):
            workers.pop(name).close()
            continue
        seconds[name] = fit["seconds"]
        b.add("fits", case.key, name, "seconds of the first fit", value=fit["seconds"])
        b.add("check", case.key, name, "mean validation NLL", value=mean(curve["val_nll"]))
        b.add("check", case.key, name, "mean validation accuracy", value=mean(curve["val_acc"]))
    return seconds


def fit_turn(b, case, workers, name, steps):
    def turn():
        found = attempt(b, workers, name, "fit", steps) if name in workers else None
        if found is None:
            return
        b.add("fits", case.key, name, "seconds of 1,000 steps", value=found["seconds"] / steps * 1e3)
        if steps == workers[name].about["steps"]:
            b.add("fits", case.key, name, "seconds of the fit", value=found["seconds"])
    return turn


def models_turn(b, case, workers, name, line, quantity):
    def turn():
        found = attempt(b, workers, name, *line) if name in workers else None
        if found is not None:
            b.add("models", case, name, quantity, value=found["seconds"])
    return turn


def fits(b):
    """Every fit, step by step and to the end; then its models."""
    for case in [case for case in FITS if case.key in b.cases]:
        b.say(f"fits: {case.what}")
        with contenders(b, case.own, case.peers) as workers:
            whole = whole_fits(b, case, workers)
            turns = []
            for name, seconds in whole.items():
                steps = workers[name].about["steps"]
                if name != OURS and seconds > LONG_SECONDS:
                    steps = max(20, int(steps * PIECE_SECONDS / seconds))
                turns.append(fit_turn(b, case, workers, name, steps))
            take_turns(b.turns, turns)
            rates(b, case, workers)
            names = [n for n in workers if n != "published loop"]
            turns = [models_turn(b, case.key, workers, n, ["curve"], "seconds of the curve")
                     for n in names]
            if case.surface:
                draws = 2 if b.quick else 50
                turns += [models_turn(b, case.key, workers, n, ["surface", draws],
                                      "seconds of the surface") for n in names]
            take_turns(b.turns, turns)
            for name, worker in workers.items():
                b.add("fits", case.key, name, "peak bytes", value=worker.peak_bytes())


def rates(b, case, workers):
    """The peers' matrix products, once."""
    if case.key != b.cases[0]:
        return
    for name in [n for n in workers if n != OURS]:
        found = attempt(b, workers, name, "ceilings")
        if found is not None:
            b.add("ceilings", "layer products", name, "FLOP/s", value=found["layer"])


# ---- refits ------------------------------------------------------------------------------------------


def refits(b):
    """20 refits as one batch, one at a time, and a single one."""
    b.say("refits: 20 in one batch, and one")
    peers = {"PyTorch": ["torch_refits"], "JAX": ["jax_refits"]}
    with contenders(b, {}, peers) as workers:
        batch, one = {}, {}
        steps = workers[OURS].about["steps"]
        own = workers[OURS].ask("refits", LAMBDAS, steps)
        b.add("check", "refits", OURS, "mean validation NLL", value=mean(own["val_nll"]))
        b.add("check", "refits", OURS, "mean validation accuracy", value=mean(own["val_acc"]))
        batch[OURS] = ("refits", LAMBDAS, steps)
        one[OURS] = ("refits", 1, steps)
        for name in [n for n in workers if n != OURS]:
            curve = attempt(b, workers, name, "fit", steps) and attempt(b, workers, name, "curve")
            if curve and agree(b, "refits", name, own, curve, 0.5, 0.05):
                b.add("check", "refits", name, "mean validation NLL", value=mean(curve["val_nll"]))
                batch[name] = ("fit", steps)
        turns = [record_turn(b, workers, n, line, "seconds of 20 in one batch")
                 for n, line in batch.items()]
        take_turns(min(b.turns, 3), turns)
        take_turns(LAMBDAS, [record_turn(b, workers, OURS, one[OURS], "seconds of one")])
        for name, worker in workers.items():
            b.add("refits", "refits", name, "peak bytes", value=worker.peak_bytes())
    if b.quick:
        return
    single = {"PyTorch": ["torch_refits", "--models", 1], "JAX": ["jax_refits", "--models", 1]}
    with contenders(b, {}, single) as workers:
        turns = [record_turn(b, workers, n, ("fit", steps), "seconds of one")
                 for n in workers if n != OURS]
        take_turns(min(b.turns, 3), turns)


def record_turn(b, workers, name, line, quantity):
    def turn():
        found = attempt(b, workers, name, *line) if name in workers else None
        if found is not None:
            b.add("refits", "refits", name, quantity, value=found["seconds"])
    return turn


# ---- response ----------------------------------------------------------------------------------------


def response(b):
    """How the fitted networks answer to the weights, and 1,000 models with it."""
    for key, setting in RESPONSES.items():
        b.say(f"response: {key}")
        if b.quick:
            setting = {**setting, "rows": 1000, "inputs": 64, "components": 32}
        options = {f"response_{name}": value for name, value in setting.items()}
        with b.own(posterior="implicit", **options) as worker:
            steps = worker.about["steps"]
            draws = 2 if b.quick else 50
            for name, value in worker.about["response"].items():
                b.add("response", key, OURS, "setting", value=value, setting=name)

            def turn():
                found = worker.ask("fit", steps)
                b.add("response", key, OURS, "seconds", value=found["response_seconds"])
                if key == "default":
                    b.add("models", "response", OURS, "seconds of the surface",
                          value=worker.ask("surface", draws)["seconds"])
            take_turns(min(b.turns, 3), [turn])
            b.add("response", key, OURS, "peak bytes", value=worker.peak_bytes())


# ---- time to quality ---------------------------------------------------------------------------------


def quality(b):
    """Seconds of fit and curve until the mean validation NLL over λ is that of tuned refits of 5 epochs; a
    budget of epochs is a fit of its own, with the recipe for so many steps."""
    for seed in (1,) if b.quick else (1, 2, 3):
        b.say(f"time to quality: seed {seed}")
        for budget in BUDGETS:
            for path, options in PATHS.items():
                with b.own(seed=seed, epochs=budget * b.epochs / 5, **options) as worker:
                    fit_to_quality(b, worker, path, budget)


def fit_to_quality(b, worker, path, budget):
    steps = worker.about["steps"]
    if budget == 5 and path == "default":
        judge(b, "refits", worker.ask("refits", LAMBDAS, steps), budget)
    fit, curve = worker.ask("fit", steps), worker.ask("curve")
    b.add("quality", path, OURS, "seconds", setting=budget, value=fit["seconds"] + curve["seconds"])
    judge(b, path, curve, budget)


def judge(b, case, found, budget):
    for key, what in (("val_nll", "NLL"), ("val_acc", "accuracy")):
        b.add("quality", case, OURS, f"mean validation {what}", setting=budget, value=mean(found[key]))
