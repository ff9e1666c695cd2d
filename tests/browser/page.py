"""One page under test: what is looked at, and how."""

import base64
import os
import pathlib
import statistics
import struct
import tempfile
import xml.etree.ElementTree

MOST_BYTES, MOST_PAINT, MOST_MOVE = 3_000_000, 1000, 50  # bytes, ms, ms
MOST_ERROR, LEAST_SAME = 1e-2, 0.995
PHONE = 360

# The page's logits of many rows against the program's: [largest difference, same class, rows].
COMPARE = """
window.compare = (lambda, bytes, logits) => {
  const take = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const generator = amortune.explorer.generator, meta = amortune.gallery.meta;
  const raw = take(bytes), own = new Float32Array(take(logits).buffer);
  const d = amortune.explorer.data.inputs, n = raw.length / d, k = own.length / n;
  const x = new Float32Array(d);
  let worst = 0, same = 0;
  generator.move(lambda);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < d; j++)
      x[j] = Math.fround(Math.fround(meta.scale * raw[i * d + j]) + meta.shift);
    const z = Array.from(generator.logits(x)), o = Array.from(own.subarray(i * k, i * k + k));
    z.forEach((v, c) => { worst = Math.max(worst, Math.abs(v - o[c])); });
    same += argmax(z) === argmax(o);
  }
  return [worst, same, n];
};
window.compareDraws = (lambda, logits, draws) => {
  const own = new Float32Array(Uint8Array.from(atob(logits), c => c.charCodeAt(0)).buffer);
  const gallery = amortune.gallery, rows = gallery.inputs.length, k = own.length / rows / draws;
  let worst = 0, same = 0;
  gallery.generator.move(lambda);
  gallery.inputs.forEach((x, i) => gallery.generator.drawLogits(i, x).forEach((logits, d) => {
    const z = Array.from(logits), at = (d * rows + i) * k, o = Array.from(own.subarray(at, at + k));
    z.forEach((v, c) => { worst = Math.max(worst, Math.abs(v - o[c])); });
    same += argmax(z) === argmax(o);
  }));
  return [worst, same, rows * draws];
};
0"""

# Milliseconds until something was seen, once it was.
PAINT = """new Promise(done => {
  const look = () => {
    const entry = performance.getEntriesByName('first-contentful-paint')[0];
    if (entry) done(entry.startTime); else requestAnimationFrame(look);
  };
  look();
})"""

# Time from the event to a laid-out page, over the whole range.
MOVES = """(() => {
  const slider = document.getElementById('lambda'), last = Number(slider.max), times = [];
  for (let i = 0; i < 40; i++) {
    const begin = performance.now();
    slider.value = Math.round((i * 37 % 40) / 39 * last);
    slider.dispatchEvent(new Event('input'));
    document.body.getBoundingClientRect();
    times.push(performance.now() - begin);
  }
  return times;
})()"""


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        print(("ok    " if good else "FAILED ") + text, flush=True)


def base64_of(data):
    return base64.b64encode(data).decode()


class Report:
    """One page under test."""

    def __init__(self, browser, checks, path, name):
        self.browser, self.path, self.name = browser, path, name
        self.check = lambda good, text: checks.check(good, f"{name}: {text}")

    def open(self, width=1200, phone=False, theme="light"):
        self.browser.media(theme=theme)
        self.browser.resize(width, 900, phone)
        self.browser.open(self.path)

    def value(self, expression, seconds=60):
        return self.browser.evaluate(expression, seconds)

    def text(self, element):
        return self.value(f"document.getElementById('{element}').textContent")

    def quiet(self, when):
        """Nothing was fetched, nothing was complained about."""
        requests, complaints = self.browser.requests(), self.browser.complaints()
        self.check(not requests, f"{when}: no request {requests or ''}")
        self.check(not complaints, f"{when}: no console error {complaints or ''}")

    def picture(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            self.browser.screenshot(str(pathlib.Path(folder) / f"{self.name}-{name}.png"))

    # ---- checks

    def timing(self, took, most, text):
        """Printed, never failed on: how loaded a machine is says nothing of the page."""
        print(f"time  {self.name}: {text} ({'within' if took <= most else 'ABOVE'} {most} ms)", flush=True)

    def check_opening(self):
        self.open()
        self.check(self.value("document.documentElement.dataset.ready") == "yes", "its program ran")
        paint = self.value(PAINT)
        self.timing(paint, MOST_PAINT, f"first paint after {paint:.0f} ms")
        self.quiet("opened")
        self.picture("light")

    def check_layouts(self):
        self.open(theme="dark")
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = self.value(ground)
        self.picture("dark")
        self.value("document.getElementById('theme').click()")
        light = self.value(ground)
        self.check(dark != light, f"the button changes the theme, {dark} to {light}")
        self.open(PHONE, phone=True)
        wide = self.value("document.documentElement.scrollWidth")
        self.check(wide <= PHONE, f"{wide} px wide on a phone of {PHONE}")
        self.picture("phone")
        self.open()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.pdf")
            self.browser.print_pdf(path)
            with open(path, "rb") as file:
                printed = file.read()
        self.check(printed.startswith(b"%PDF") and len(printed) > 20000, f"prints, {len(printed)} bytes")
        self.quiet("in all layouts")

    def position_of(self, value):
        return self.value(f"amortune.explorer.nearest({value!r})")

    def slide(self, index):
        self.value("(s => { s.value = %d; s.dispatchEvent(new Event('input')); })"
                   "(document.getElementById('lambda'))" % index)

    def check_numbers(self, curve, classes=True):
        """The page's numbers at the curve's λ are the program's, to the printed digits."""
        wrong = []
        for point in curve:
            self.slide(self.position_of(point["lambda"]))
            shown = (self.text("read-nll"), self.text("read-acc"))
            own = ("%.4f" % point["val_nll"], "%.2f %%" % (100 * point["val_acc"]) if classes else "")
            if shown != own:
                wrong.append((shown, own))
        self.check(not wrong, f"loss and accuracy at {len(curve)} λ are the program's {wrong or ''}")

    def check_keys(self, curve):
        self.value("document.getElementById('lambda').focus()")
        self.browser.press("Home", 36)
        self.check(self.text("read-nll") == "%.4f" % curve[0]["val_nll"], "Home goes to the least λ")
        before = self.text("lambda-value")
        steps = self.position_of(curve[1]["lambda"])
        for _ in range(steps):
            self.browser.press("ArrowRight", 39)
        self.check(self.text("lambda-value") != before and
                   self.text("read-nll") == "%.4f" % curve[1]["val_nll"],
                   f"{steps} times the right arrow goes to the next λ of the curve")
        self.browser.press("End", 35)
        self.check(self.text("read-nll") == "%.4f" % curve[-1]["val_nll"], "End goes to the largest")
        said = self.value("document.getElementById('lambda').getAttribute('aria-valuetext')")
        self.check("%.4f" % curve[-1]["val_nll"] in said, f"the slider says '{said}'")

    def check_confusion(self):
        counts = self.value("""(() => {
          const cells = [...document.querySelectorAll('#confusion-table tbody td')];
          const n = Math.sqrt(cells.length), number = c => c.textContent === '·' ? 0 : +c.textContent;
          return [cells.reduce((s, c) => s + number(c), 0),
                  cells.filter((_, i) => i % (n + 1) === 0).reduce((s, c) => s + number(c), 0)];
        })()""")
        share = "%.2f %%" % (100 * counts[1] / counts[0])
        self.check(share == self.text("read-acc"), f"the confusion matrix counts {share} right")

    def check_downloads(self):
        """The files that its buttons hand out."""
        self.value("window.offered = {}; offer = (name, text) => { offered[name] = text; }; "
                   "['curve-csv', 'confusion-csv', 'confusion-svg', 'weights-csv'].forEach("
                   "id => document.getElementById(id).click())")
        offered = self.value("offered")
        curve = offered["curve_fine.csv"].splitlines()
        self.check(len(curve) == 1 + self.value("amortune.explorer.data.lambda.length") and
                   curve[0] == "lambda,val_nll,val_acc,val_ece", f"the curve as CSV, {len(curve)} lines")
        counts = [line.split(",")[1:] for line in offered["confusion.csv"].splitlines()[1:]]
        total = sum(int(c) for row in counts for c in row)
        right = sum(int(counts[i][i]) for i in range(len(counts)))
        self.check("%.2f %%" % (100 * right / total) == self.text("read-acc"),
                   f"the confusion matrix as CSV, {total} rows")
        root = xml.etree.ElementTree.fromstring(offered["confusion.svg"])
        texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        self.check(all(c in texts for row in counts for c in row), "and as SVG")
        weights = offered["weights.csv"].splitlines()
        self.check(len(weights[1].split(",")) == 2 + self.value("amortune.explorer.data.inputs"),
                   f"weights as CSV, {len(weights) - 1} units")

    def check_pictures(self):
        """Canvases hold more than one colour."""
        blank = self.value("""[...document.querySelectorAll('canvas')].filter(c => {
          if (c.width === 0 || c.offsetParent === null) return false;
          const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          return data.every((v, i) => v === data[i % 4]);
        }).map(c => c.id || c.className)""")
        self.check(not blank, f"every picture shows something {blank or ''}")

    def check_speed(self):
        times = sorted(self.value(MOVES))
        middle, late = statistics.median(times), times[int(0.95 * (len(times) - 1))]
        self.timing(middle, MOST_MOVE,
                    f"a move of the slider takes {middle:.1f} ms, 95 % of them at most {late:.1f} ms")

    def check_logits(self, tensors):
        """The generator in the page against the program's logits."""
        self.value(COMPARE)
        count = tensors["lambda"][0][0]
        lambdas = struct.unpack(f"<{count}d", tensors["lambda"][1])
        (rows, inputs), pixels = tensors["bytes"]
        outputs = tensors["logits"][0][2]
        worst, same, compared = 0.0, 0, 0
        for i, value in enumerate(lambdas):
            for first in range(0, rows, 2000):
                n = min(2000, rows - first)
                at = 4 * outputs * (i * rows + first)
                answer = self.value("compare(%r, '%s', '%s')" % (
                    value, base64_of(pixels[first * inputs:(first + n) * inputs]),
                    base64_of(tensors["logits"][1][at:at + 4 * outputs * n])))
                worst, same, compared = max(worst, answer[0]), same + answer[1], compared + answer[2]
        self.check(worst <= MOST_ERROR and same >= LEAST_SAME * compared,
                   f"logits of {rows} rows at {count} λ within {worst:.1e} of the program's, "
                   f"{100 * same / compared:.3f} % the same class")
        if "draw_logits" in tensors:
            self.check_drawn(tensors, lambdas)

    def check_drawn(self, tensors, lambdas):
        shape, data = tensors["draw_logits"]
        size = len(data) // shape[0]
        worst, same, compared = 0.0, 0, 0
        for i, value in enumerate(lambdas):
            answer = self.value("compareDraws(%r, '%s', %d)" % (
                value, base64_of(data[i * size:(i + 1) * size]), shape[1]))
            worst, same, compared = max(worst, answer[0]), same + answer[1], compared + answer[2]
        self.check(worst <= MOST_ERROR and same >= LEAST_SAME * compared,
                   f"logits of {shape[2]} rows under {shape[1]} draws of ω within {worst:.1e}, "
                   f"{100 * same / compared:.3f} % the same class")
