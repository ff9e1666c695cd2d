"""From arrays to a network and back: fit, curve, tune, sample, audit, export, reload."""

import os
import subprocess
import unittest

import numpy as np

import amortune

from .problem import ScratchCase, forward, program, read_safetensors, rows, small_fit


class RoundTrip(ScratchCase):
    @classmethod
    def setUpClass(cls):
        cls.X, cls.y = rows()
        cls.data = amortune.Dataset(cls.X, cls.y, validation=80)
        cls.model = small_fit(cls.data, posterior="implicit")

    def test_data(self):
        d = self.data
        self.assertEqual((d.train_rows, d.validation_rows, d.test_rows), (320, 80, 0))
        self.assertEqual((d.inputs, d.outputs, d.is_classification), (3, 2, True))
        self.assertEqual(list(d.classes), ["down", "up"])
        self.assertEqual(sorted(d.order()), list(range(400)))
        self.assertEqual(set(np.bincount(d.blocks(8))), {40})

    def test_curve_is_what_predictions_say(self):
        curve = self.model.curve(points=5, draws=6)
        np.testing.assert_allclose(curve.lam, np.geomspace(1e-5, 1e-1, 5), rtol=1e-12)
        place = self.data.order()[320:]
        truth = np.searchsorted(self.data.classes, self.y[place])
        for i, lam in enumerate(curve.lam):
            p = self.model.predict(self.X[place], lam).astype(np.float64)
            right = p[np.arange(80), truth]
            self.assertAlmostEqual(curve.nll[i], -np.log(right).mean(), 5)
            self.assertEqual(curve.accuracy[i], np.mean(p.argmax(1) == truth))
        self.assertEqual(curve.nll_band.shape, (5, 2))
        self.assertTrue(np.all(curve.nll_band[:, 0] <= curve.nll_band[:, 1]))

    def test_tune(self):
        curve, choice = self.model.curve(points=9, draws=0), self.model.tune(points=9, draws=5)
        self.assertAlmostEqual(float(choice), curve.lam[curve.nll.argmin()], 12)
        self.assertEqual(choice.value, curve.nll.min())
        self.assertAlmostEqual(choice.best.sum(), 1)
        self.assertGreaterEqual(float(self.model.tune("one-se", points=9)), float(choice))

    def test_sample(self):
        draws = self.model.sample(1e-3, draws=6, theta=True)
        self.assertEqual((draws.rows, draws.from_generator), ("validation", True))
        self.assertEqual(draws.theta.shape, (6, self.model.params))
        place = self.data.order()[320:]
        truth = np.searchsorted(self.data.classes, self.y[place])
        p = self.model.predict(self.X[place], theta=draws.theta).astype(np.float64)  # (6, 80, 2)
        np.testing.assert_allclose(draws.accuracy, (p.argmax(2) == truth).mean(1))
        self.assertAlmostEqual(draws.mean.nll, -np.log(p.mean(0)[np.arange(80), truth]).mean(), 5)
        doubt = self.model.uncertainty(1e-3, draws=6)
        mean = p.mean(0)
        np.testing.assert_allclose(doubt.confidence, mean.max(1), atol=1e-5)
        np.testing.assert_allclose(doubt.entropy, -(mean * np.log(mean)).sum(1), atol=1e-5)
        elsewhere = amortune.Dataset(self.X[:30] + 3, self.y[:30], like=self.data)
        other = self.model.uncertainty(1e-3, 6, elsewhere)
        self.assertEqual(len(other.entropy), 30)
        above = (other.entropy[:, None] > doubt.entropy).mean()
        self.assertAlmostEqual(amortune.detect(doubt.entropy, other.entropy).auroc, above)

    def test_weights_of_omega(self):
        omega = self.model.draw_weights(3)
        self.assertEqual(omega.shape, (3, 8))
        np.testing.assert_allclose(omega.mean(1), 1, atol=1e-5)
        plain, weighted = self.model.theta(1e-3), self.model.theta(1e-3, omega[0])
        self.assertFalse(np.array_equal(plain, weighted))
        np.testing.assert_array_equal(weighted, self.model.sample(1e-3, 3, theta=True).theta[0])
        tensors = self.model.weights(1e-3)
        self.assertEqual(
            {name: t.shape for name, t in tensors.items()},
            {"fc1.weight": (8, 3), "fc1.bias": (8,), "fc2.weight": (2, 8), "fc2.bias": (2,)},
        )

    def test_audit(self):
        seen = []
        cache = self.folder / "cache"
        audit = self.model.audit(3, 4, 1, [1e-3], cache=cache, progress=seen.append)
        self.assertIn(audit.verdict, ("PASS", "WARN", "FAIL"))
        self.assertEqual(audit.verdict, max((l.verdict for l in audit.lines), key=["PASS", "WARN", "FAIL"].index))
        np.testing.assert_allclose(audit.nll, self.model.curve(points=3, draws=0).nll)
        self.assertEqual(len(audit.posterior), 1)
        self.assertEqual(audit.cached, 0)
        self.assertTrue(any(p.task == "audit" for p in seen), {p.task for p in seen})
        again = self.model.audit(3, 4, 1, [1e-3], cache=cache)
        self.assertEqual(again.cached, again.refits)
        np.testing.assert_array_equal(again.refit_nll, audit.refit_nll)
        self.assertIn("audit: ", str(audit))

    def test_polish_and_refit(self):
        polished = self.model.polish([1e-3, 1e-2], steps=20)
        self.assertTrue(np.all(polished.criterion <= polished.criterion_before))
        np.testing.assert_array_equal(
            self.model.polish(1e-3, steps=0).theta[0], self.model.theta(1e-3)
        )
        with amortune.fit(
            self.data, target="3-8-2", networks=2, steps=20, device=self.model.device
        ) as several:
            both = several.polish([1e-3, 1e-2], steps=20)
            self.assertEqual(both.theta.shape, (2, 2, several.params))
            each = [several.predict(self.X, theta=theta) for theta in both.theta]
            np.testing.assert_allclose(
                several.predict(self.X, theta=both.theta), (each[0] + each[1]) / 2, atol=1e-6
            )
        refits = amortune.refit(
            self.data, [1e-3, 1e-2], target="3-8-2", steps=60, device=self.model.device
        )
        self.assertEqual(refits.theta.shape, (2, self.model.params))
        place = self.data.order()[320:]
        truth = np.searchsorted(self.data.classes, self.y[place])
        p = self.model.predict(self.X[place], theta=refits.theta[1])
        self.assertEqual(refits.validation[1].accuracy, np.mean(p.argmax(1) == truth))
        self.assertIsNone(refits.test)

    def test_export_and_reload(self):
        weights, file = self.folder / "weights.safetensors", self.folder / "model.safetensors"
        amortune.export(self.model, weights, 1e-3)
        tensors, metadata = read_safetensors(weights)
        z = (self.X - tensors["input.mean"]) / tensors["input.sd"]
        np.testing.assert_allclose(forward(tensors, z), self.model.logits(self.X, 1e-3), atol=1e-5)
        self.assertEqual(float(metadata["lambda"]), 1e-3)
        self.model.save(file)
        with amortune.load(file, device=self.model.device) as reloaded:
            self.assertIsNone(reloaded.classes)
            np.testing.assert_array_equal(
                reloaded.predict(self.X, 1e-3), self.model.predict(self.X, 1e-3)
            )
            with self.assertRaisesRegex(amortune.UsageError, "am_model_attach"):
                reloaded.curve()
            reloaded.attach(self.data)
            np.testing.assert_array_equal(reloaded.curve(points=4).nll, self.model.curve(points=4).nll)
            self.assertEqual(list(reloaded.classes), ["down", "up"])

    @unittest.skipUnless(program(), "AMORTUNE_PROGRAM names no program")
    def test_the_program_exports_the_same_bytes(self):
        ours, theirs = self.folder / "ours.safetensors", self.folder / "theirs.safetensors"
        file = self.folder / "model.safetensors"
        self.model.save(file)
        self.model.export(ours, 1e-3)
        words = ["export", str(file), "--lambda", "1e-3", "--out", str(theirs), "--device", "cpu"]
        subprocess.run([program(), *words, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(ours.read_bytes(), theirs.read_bytes())


class Regression(unittest.TestCase):
    def test_two_targets(self):
        X, _ = rows(300)
        Y = np.stack([X[:, 0] - X[:, 2], X[:, 1] / 10], 1)
        model = small_fit((X, Y, X[:50], Y[:50]), steps=300)
        self.assertIsNone(model.classes)
        place = model.sample(1e-5, draws=2)
        self.assertEqual(place.rows, "test")
        self.assertTrue(np.isnan(place.mean.nll))
        predicted = model.predict(X[:50], 1e-5)
        self.assertEqual(predicted.shape, (50, 2))
        self.assertLess(np.square(predicted - Y[:50]).sum(1).mean(), Y[:50].var(0).sum() / 2)
        np.testing.assert_array_equal(predicted, model.logits(X[:50], 1e-5))

    def test_what_is_a_class(self):
        X, _ = rows(60)
        for y, classes in (
            (np.arange(60) % 3, 3), (np.arange(60) % 2 == 0, 2), (np.arange(60) % 2 * 1.0, 2),
            (X[:, 0], None), (np.arange(60), None),
        ):
            data = amortune.Dataset(X, y)
            self.assertEqual(data.outputs if data.is_classification else None, classes)
        self.assertTrue(amortune.Dataset(X, np.arange(60), task="classification").is_classification)
        self.assertFalse(amortune.Dataset(X, np.arange(60) % 2, task="regression").is_classification)


class Files(ScratchCase):
    def test_a_csv(self):
        X, y = rows(120)
        path = self.folder / "rows.csv"
        lines = ["side,a,b,c"] + [f"{label},{','.join(map(repr, map(float, x)))}" for x, label in zip(X, y)]
        path.write_text("\n".join(lines))
        data = amortune.Dataset.load(path, label="side")
        self.assertEqual(list(data.classes), ["down", "up"])
        out = self.folder / "m.safetensors"
        first = small_fit(data, out=out)
        again = amortune.load(out, True, device=first.device)
        np.testing.assert_array_equal(again.curve(points=4).nll, first.curve(points=4).nll)
        self.report(out, first.device)
        moved = self.folder / "moved.csv"
        os.rename(path, moved)
        with self.assertRaisesRegex(amortune.InputError, "rows.csv"):
            amortune.load(out, True, device=first.device)
        amortune.load(out, device=first.device).attach(moved).curve(points=2)

    def report(self, model, device):
        page = self.folder / "report.html"
        try:
            amortune.report(model, page, device=device)
        except amortune.StorageError as fault:  # built without the chart library
            print(f"no report: {fault}")
        else:
            self.assertTrue(page.read_text().lower().startswith("<!doctype html>"))


if __name__ == "__main__":
    unittest.main()
