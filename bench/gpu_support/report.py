"""The results file of bench/gpu: every number that must be reached, with what was measured."""
import re


class Row:
    """One requirement: what, the number asked for, what was measured, and whether it is reached."""

    def __init__(self, what, number, measured=None, reached=None):
        self.what, self.number, self.measured, self.reached = what, number, measured, reached

    def markdown(self, rehearsal):
        if self.measured is None:
            return f"| {self.what} | {self.number} | | not run |"
        verdict = "no GPU" if rehearsal else "PASS" if self.reached else "MISSED"
        return f"| {self.what} | {self.number} | {self.measured} | {verdict} |"


def step_row(results, scenario):
    """(seconds, floor) of a whole step of bench_ops."""
    for row in results.get("ops", {}).get("rows", []):
        if row["scenario"] == scenario and row["op"] == "step":
            return float(row["seconds"]), float(row["floor_seconds"])
    return None


def test_rows(results):
    tests, rows = results.get("tests", {}), []
    for key, what in (("suite", "test suite on the device"),
                      ("parity", "every op against the CPU backend, awkward shapes (tests)")):
        row = Row(what, "all pass")
        if key in tests:
            t = tests[key]
            row.measured = f"{t['passing']} of {t['tested']}" + (
                f"; not: {', '.join(t['names'][:6])}" if t["names"] else "")
            row.reached = t["passing"] == t["tested"]
        rows.append(row)
    sanitizer = results.get("sanitizer", {})
    for tool in ("memcheck", "racecheck", "initcheck"):
        row = Row(f"compute-sanitizer {tool} on the parity tests", "clean")
        if tool in sanitizer:
            t = sanitizer[tool]
            row.measured = f"{t['errors']} errors, {t['passing']} of {t['tested']} tests pass"
            row.reached = t["errors"] == 0 and t["passing"] == t["tested"]
        rows.append(row)
    return rows


def error_rows(results):
    rows = []
    for precision, limit in (("fp32", 1e-6), ("tf32", 1e-3), ("bf16", 1e-2)):
        row = Row(f"ops of real runs against the CPU backend, {precision}: normalised error",
                  f"≤ {limit:.0e}")
        found = results.get("ops", {}).get("precision", {}).get(precision)
        if found:
            row.measured = f"{found['worst_error']:.1e} at worst of {found['ops']} ops"
            row.reached = found["worst_error"] <= limit
        rows.append(row)
    return rows


def fit_rows(results):
    rows = []
    for protocol in ("default", "paper"):
        found = results.get("fit", {}).get(protocol)
        draws = Row(f"{protocol} fit against the CPU: draws and minibatches", "bit for bit")
        loss = Row(f"{protocol} fit against the CPU: loss of the first 100 steps", "within 1e-3")
        quality = Row(f"{protocol} fit against the CPU: quality along λ",
                      "accuracy within 0.15 points, NLL within 1 %")
        same = Row(f"{protocol} fit: five runs, same seed", "identical bits")
        if found:
            same.measured = "identical" if found["same_bits_every_time"] else "different"
            same.reached = found["same_bits_every_time"]
        if found and "steps" in found:
            draws.measured = f"{found['steps_with_same_draws']:.0f} of {found['steps']:.0f} steps"
            draws.reached = found["steps_with_same_draws"] == found["steps"] and found["same_length"]
            loss.measured = f"{found['loss_worst_relative']:.1e}"
            loss.reached = found["loss_worst_relative"] <= 1e-3
            accuracy, nll = found["val_acc_difference"], found["val_nll_relative"]
            quality.measured = f"{100 * accuracy:+.3f} points, {100 * nll:+.2f} %"
            quality.reached = abs(accuracy) <= 0.0015 and abs(nll) <= 0.01
        rows += [draws, loss, quality, same]
    return rows


def peer_step(results, name):
    found = results.get("peers", {}).get(name, {})
    return found["us_per_step"] if "us_per_step" in found else None


def speed_rows(results):
    default, paper = (results.get("fit", {}).get(p) for p in ("default", "paper"))
    rows = [Row("default MNIST fit, 5 epochs", "≤ 0.2 s"),
            Row("the same against the PyTorch peer, a step", "≥ 3 times as fast"),
            Row("protocol paper fit, 5 epochs", "≤ 0.25 s")]
    if default:
        rows[0].measured = f"{default['fit_seconds']:.3f} s (median of 5)"
        rows[0].reached = default["fit_seconds"] <= 0.2
        peer, steps = peer_step(results, "collocation"), default.get("steps")
        if peer and steps:
            own = default["fit_seconds"] / steps * 1e6
            rows[1].measured = f"{own:.0f} µs against {peer:.0f} µs: {peer / own:.1f} times"
            rows[1].reached = peer / own >= 3
    if paper:
        rows[2].measured = f"{paper['fit_seconds']:.3f} s (median of 5)"
        rows[2].reached = paper["fit_seconds"] <= 0.25
    return rows


def op_rows(results):
    adam = Row("protocol paper's fused Adam step", "≥ 70 % of copy bandwidth")
    models = Row("1,000 models (20 λ × 50 ω) on 10,000 rows", "≤ 10 ms")
    draws = Row("M = 64 against M = 1, factored plan", "≤ 2 times")
    large = Row("large target: a step against its roofline", "≤ 1.5 times")
    ops = results.get("ops", {}).get("rows", [])
    for row in ops:
        if row["scenario"] == "paper" and row["op"] == "adam_outer":
            share = float(row["floor_seconds"]) / float(row["seconds"])
            adam.measured, adam.reached = f"{100 * share:.0f} %", share >= 0.7
    scaling = {(r["op"], r["shape"]): float(r["seconds"]) for r in ops if r["scenario"] == "scaling"}
    if ("factored", "M=64") in scaling:
        ratio = scaling["factored", "M=64"] / scaling["factored", "M=1"]
        draws.measured, draws.reached = f"{ratio:.2f} times", ratio <= 2
    found = step_row(results, "models")
    if found:
        models.measured, models.reached = f"{found[0] * 1e3:.2f} ms", found[0] <= 0.01
    found = step_row(results, "large")
    if found:
        ratio = found[0] / found[1]
        large.measured = f"{found[0] * 1e3:.2f} ms, {ratio:.2f} times"
        large.reached = ratio <= 1.5
    return [adam, models, draws, large]


def break_even_row(results):
    row = Row("break-even with generator training counted", "≤ 2 refits")
    text = results.get("mnist", {}).get("rows", {}).get("break-even (refits)")
    if text:
        value = float(text.split()[0])
        row.measured, row.reached = f"{text} refits", value <= 2
    return row


def posterior_rows(results):
    rows = []
    for networks, captured, fidelity in ((1, 0.75, 0.55), (4, 0.8, 0.75)):
        what = "one network" if networks == 1 else f"{networks} networks"
        found = results.get("posterior", {}).get(f"networks {networks}")
        row = Row(f"posterior of {what}: captured signal, fidelity at every λ", f"≥ {captured}, ≥ {fidelity}")
        if found:
            least = [min(at[key] for at in found["posterior"]) for key in ("captured_signal", "fidelity")]
            row.measured = f"{least[0]:.2f}, {least[1]:.2f} at worst"
            row.reached = least[0] >= captured and least[1] >= fidelity
        rows.append(row)
        if networks == 1:
            cost = Row("response of one network against the curve's fit", "≤ 1 times")
            if found:
                cost.measured = f"{found['response_share']:.2f} times, {found['response_seconds']:.3f} s"
                cost.reached = found["response_share"] <= 1
        else:
            cost = Row(f"fit and response of {what} against 20 × 20 refits in batches", "≤ ¼")
            if found:
                cost.measured, cost.reached = f"{found['whole_share']:.2f}", found["whole_share"] <= 0.25
        rows.append(cost)
    return rows


def peer_table(results):
    peers = results.get("peers", {})
    lines = ["", "## PyTorch peers, same machine, same run", "",
             "| peer | variant | steps | fit, s | µs a step | mean validation accuracy | mean NLL |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, r in peers.items():
        if not isinstance(r, dict) or "us_per_step" not in r:
            continue
        mean = [sum(r[key]) / len(r[key]) for key in ("val_acc", "val_nll")]
        lines.append(f"| {name} | {r['variant']} | {r['steps']} | {r['fit_seconds']:.3f} | "
                     f"{r['us_per_step']:.0f} | {mean[0]:.4f} | {mean[1]:.4f} |")
    return lines if len(lines) > 5 else []


def rows_of(results):
    return (test_rows(results) + error_rows(results) + fit_rows(results) + speed_rows(results) +
            op_rows(results) + [break_even_row(results)] + posterior_rows(results))


def part_lines(results):
    lines = ["", "## Parts", ""]
    for name, r in results.items():
        if isinstance(r, dict) and "seconds" in r:
            state = f"FAILED: {r['failed']}" if "failed" in r else "done"
            lines.append(f"- {name}: {state} ({r['seconds']:.0f} s)")
    return lines


def name_of(machine):
    gpu = machine["gpu"].split(",")[0]
    name = gpu if machine["device"] == "cuda" and gpu != "none" else "rehearsal-on-cpu"
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def render(results):
    m = results["machine"]
    lines = [f"# The CUDA backend on {m['gpu'].split(',')[0]}" if m["device"] == "cuda" else
             "# Rehearsal of bench/gpu without a GPU: no figure here is a GPU's", "",
             f"GPU: {m['gpu']}; nvcc {m['nvcc']}. Host: {m['cpu']}, {m['cores']} cores. Commit "
             f"{m['commit']}. Command: `bench/gpu --device {m['device']}`.", "",
             "| what | must reach | measured | |", "| --- | --- | --- | --- |"]
    lines += [row.markdown(m["device"] != "cuda") for row in rows_of(results)]
    lines += part_lines(results) + peer_table(results)
    if "table" in results.get("mnist", {}):
        lines += ["", "## The experiment on the device", "",
                  *results["mnist"]["table"].splitlines()[2:]]
    for table in results.get("posterior", {}).get("tables", []):
        lines += ["", *["#" + line if line.startswith("#") else line for line in table.rstrip().splitlines()]]
    if "table" in results.get("ops", {}):
        lines += ["", "## Ops and steps", "", results["ops"]["table"].strip()]
    return "\n".join(lines) + "\n"


def write(results, out):
    path = out / f"gpu-{name_of(results['machine'])}.md"
    path.write_text(render(results), encoding="utf-8")
    return path
