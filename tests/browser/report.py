"""The report in a real browser. Prints one line a check, then "browser: N passed, M failed"."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from devtools import Browser, find_chromium
from page import MOST_BYTES, Checks, Report
from tensors import read_safetensors, write_images

HOSTILE = "</script><script>window.pwned = 1</script><img src=x onerror=\"window.pwned = 2\">&'"


class Program:
    def __init__(self, path, folder):
        self.path, self.folder = os.path.abspath(path), folder

    def run(self, *words):
        done = subprocess.run([self.path, *map(str, words)], cwd=self.folder, capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"amortune {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout


def find_mnist():
    root = pathlib.Path(__file__).resolve().parents[2]
    places = [pathlib.Path(os.environ[v]) for v in ("AMORTUNE_DATA",) if os.environ.get(v)]
    return next((str(p / "mnist") for p in [*places, root / "datasets"] if (p / "mnist").is_dir()), None)


def check_live(browser, checks, program, folder, data):
    """The experiment's own page: a generator that is evaluated in the browser."""
    mnist = data is not None
    program.run("experiment", "mnist", "--dataset", data or "images", "--out", "live", "--epochs",
                1 if mnist else 20, "--quiet")
    program.run("report", "live", "--out", "live/again.html", "--candidates", "live/logits.safetensors")
    page = Report(browser, checks, folder / "live/report.html", "live")
    size = (folder / "live/report.html").stat().st_size
    page.check(size <= MOST_BYTES, f"{size} bytes{' for MNIST' if mnist else ''}")
    curve = json.loads(program.run("curve", "live/model.safetensors", "--draws", 0, "--json", "--quiet"))
    summary = json.loads((folder / "live/summary.json").read_text())
    page.check_opening()
    accuracy = "%.2f %%" % (100 * summary["test"]["generator_acc"])
    page.check(accuracy in page.text("verdict"), f"the verdict says {accuracy}")
    page.check(page.value("amortune.explorer.generator !== null"), "the generator is in the page")
    chosen = page.value("amortune.explorer.lambda")
    page.check(abs(chosen / summary["lambda_selected"] - 1) < 1e-9, "begins at the chosen λ")
    page.check_numbers(curve)
    page.check_keys(curve)
    page.check_confusion()
    page.check_pictures()
    page.check_downloads()
    page.check_speed()
    page.check_logits(read_safetensors(folder / "live/logits.safetensors"))
    page.quiet("used")
    page.check_layouts()


def check_grid(browser, checks, program, folder):
    """Two networks, whose predictions are averaged: computed before."""
    program.run("fit", "--data", "images", "--target", "144-8-4", "--posterior", "implicit",
                "--blocks", 8, "--networks", 2, "--epochs", 8, "--out", "two.safetensors", "--quiet")
    program.run("report", "two.safetensors", "--out", "two.html")
    curve = json.loads(program.run("curve", "two.safetensors", "--draws", 0, "--json", "--quiet"))
    page = Report(browser, checks, folder / "two.html", "grid")
    page.check_opening()
    page.check(page.value("amortune.explorer.generator === null"), "predictions are computed before")
    page.check_numbers(curve)
    page.check_confusion()
    page.check_pictures()
    page.check_speed()
    page.check("nearest" in page.text("gallery-at"), "the gallery says which λ its predictions are of")
    page.quiet("used")


def check_knee(browser, checks, program, folder):
    """Features of the normalised log(λ + λ₀), coarse to fine: the page goes along the same axis."""
    program.run("fit", "--data", "images", "--target", "144-8-4", "--posterior", "implicit", "--blocks", 8,
                "--path", "coarse-to-fine", "--lambda-knee", 1e-3, "--epochs", 8, "--out",
                "knee.safetensors", "--quiet")
    program.run("report", "knee.safetensors", "--out", "knee.html", "--candidates", "knee-logits.safetensors")
    page = Report(browser, checks, folder / "knee.html", "knee")
    page.check_opening()
    page.check(page.value("amortune.explorer.generator.meta.knee") == 1e-3, "knows the knee")
    page.check_logits(read_safetensors(folder / "knee-logits.safetensors"))
    page.quiet("used")


def check_static(browser, checks, program, folder):
    """An experiment without networks: tables and figures."""
    program.run("experiment", "ridge", "--replications", 2, "--out", "ridge", "--quiet")
    page = Report(browser, checks, folder / "ridge/report.html", "static")
    page.check_opening()
    drawn = page.value("[...document.images].every(i => i.complete && i.naturalWidth > 100)")
    page.check(drawn and page.value("document.images.length") > 0, "its figures are drawn")
    page.check(page.value("document.querySelectorAll('table').length") > 2, "its tables are there")
    page.check("experiment ridge" in page.value("document.querySelector('pre').textContent"),
               "the command that repeats it is there")
    page.check_layouts()


def check_hostile(browser, checks, program, folder):
    """Texts of files and their names stay texts."""
    shutil.copytree(folder / "ridge", folder / "hostile")
    path = folder / "hostile/summary.json"
    summary = json.loads(path.read_text())
    summary["data"] = summary["gcv"][HOSTILE] = HOSTILE
    path.write_text(json.dumps(summary))
    (folder / "hostile/a<b>&\"'.csv").write_text(HOSTILE)
    program.run("report", "hostile", "--out", "hostile.html")
    page = Report(browser, checks, folder / "hostile.html", "hostile")
    page.check_opening()
    page.check(page.value("window.pwned === undefined"), "no text of a file runs")
    page.check(page.value("document.body.textContent").count(HOSTILE) >= 2, "texts are shown as they are")


def main():
    chromium, checks = find_chromium(), Checks()
    if chromium is None:
        print("SKIPPED: no chromium here; to test the report in a browser: apt-get install chromium")
        print("browser: 0 passed, 0 failed")
        return 0
    if not os.access(sys.argv[1], os.X_OK):
        print(f"{sys.argv[1]}: no such program; build it first")
        return 1
    folder = pathlib.Path(tempfile.mkdtemp(prefix="amortune-report-"))
    program, browser = Program(sys.argv[1], folder), Browser(chromium)
    try:
        write_images(folder / "images")
        check_live(browser, checks, program, folder, find_mnist())
        check_grid(browser, checks, program, folder)
        check_knee(browser, checks, program, folder)
        check_static(browser, checks, program, folder)
        check_hostile(browser, checks, program, folder)
    except (RuntimeError, TimeoutError) as error:
        checks.check(False, str(error))
    finally:
        browser.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"browser: {checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
