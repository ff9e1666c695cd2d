"""What others read: PyTorch, the safetensors library, numpy.load."""

import json
import subprocess
import unittest
import zipfile

import numpy as np

from .problem import ScratchCase, forward, program, read_safetensors, rows, small_fit, write_images

try:
    import torch
except ImportError:
    torch = None
try:
    import safetensors
    import safetensors.numpy
except ImportError:
    safetensors = None


class Images(ScratchCase):
    """Inputs that are bytes: one mean and sd for all pixels, in the metadata."""

    def test_numpy_computes_the_same_logits(self):
        images, _ = write_images(self.folder / "images")
        model = small_fit(
            str(self.folder / "images"), target="16-8-6-3", activation="tanh", steps=40
        )
        file = self.folder / "w.safetensors"
        model.export(file, 1e-3)
        tensors, metadata = read_safetensors(file)
        self.assertNotIn("input.mean", tensors)
        mean, sd = float(metadata["input_mean"]), float(metadata["input_sd"])
        self.assertAlmostEqual(mean, (images / 255).mean(), 1)
        z = (images.reshape(len(images), -1) / 255 - mean) / sd
        self.assertEqual(metadata["activation"], "tanh")
        np.testing.assert_allclose(
            forward(tensors, z, "tanh"), model.logits(images, 1e-3), atol=1e-5
        )
        self.assertEqual(metadata["target"], "16-8-6-3")


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Torch(ScratchCase):
    def test_load_state_dict_gives_the_same_logits(self):
        X, y = rows()
        model = small_fit((X, y))
        file = self.folder / "w.safetensors"
        model.export(file, 1e-3)
        tensors, _ = read_safetensors(file)
        mean, sd = (torch.tensor(tensors.pop(f"input.{name}").copy()) for name in ("mean", "sd"))

        class Network(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1, self.fc2 = torch.nn.Linear(3, 8), torch.nn.Linear(8, 2)

            def forward(self, x):
                return self.fc2(torch.relu(self.fc1(x)))

        network = Network()
        network.load_state_dict({name: torch.tensor(t.copy()) for name, t in tensors.items()})
        with torch.no_grad():
            logits = network((torch.tensor(X, dtype=torch.float32) - mean) / sd).numpy()
        np.testing.assert_allclose(logits, model.logits(X, 1e-3), atol=1e-5)


@unittest.skipIf(safetensors is None, "the Python library safetensors is not installed")
class Safetensors(ScratchCase):
    def test_model_and_weights_open(self):
        model = small_fit(rows(), posterior="implicit")
        file, weights = self.folder / "m.safetensors", self.folder / "w.safetensors"
        model.save(file)
        model.export(weights, 1e-3)
        tensors = safetensors.numpy.load_file(weights)
        for name, value in model.weights(1e-3).items():
            np.testing.assert_array_equal(tensors[name], value)
        with safetensors.safe_open(file, framework="numpy") as opened:
            metadata = opened.metadata()
            self.assertIn("head", " ".join(opened.keys()))
            for name in opened.keys():
                self.assertTrue(np.all(np.isfinite(opened.get_tensor(name))), name)
        self.assertEqual(metadata["target"], "3-8-2")
        self.assertEqual(int(metadata["seed"]), 1)
        with safetensors.safe_open(weights, framework="numpy") as opened:
            self.assertEqual(float(opened.metadata()["lambda"]), 1e-3)


@unittest.skipUnless(program(), "AMORTUNE_PROGRAM names no program")
class Npz(ScratchCase):
    def amortune(self, *words):
        done = subprocess.run(
            [program(), *map(str, words), "--device", "cpu", "--quiet"], cwd=self.folder,
            capture_output=True, text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def arrays(self, name):
        self.assertIsNone(zipfile.ZipFile(self.folder / name).testzip())
        with np.load(self.folder / name, allow_pickle=False) as file:
            return {key: file[key] for key in file}

    def setUp(self):
        super().setUp()
        X, y = rows(200)
        lines = ["a,b,c,y"] + [",".join(map(str, (*x, label))) for x, label in zip(X, y)]
        (self.folder / "rows.csv").write_text("\n".join(lines))
        self.model = small_fit(
            str(self.folder / "rows.csv"), posterior="implicit", out=self.folder / "m.safetensors"
        )

    def test_curve(self):
        printed = json.loads(
            self.amortune("curve", "m.safetensors", "--points", 4, "--draws", 5, "--json", "--out", "c.npz")
        )
        arrays, curve = self.arrays("c.npz"), self.model.curve(points=4, draws=5)
        np.testing.assert_array_equal(arrays["lambda"], curve.lam)
        for name, value in (
            ("val_nll", curve.nll), ("val_nll_se", curve.nll_se), ("val_acc", curve.accuracy),
            ("val_acc_se", curve.accuracy_se), ("val_brier", curve.brier), ("val_ece", curve.ece),
        ):
            np.testing.assert_array_equal(arrays[name], value)
        np.testing.assert_allclose(arrays["val_nll"], [p["val_nll"] for p in printed], rtol=1e-12)
        band = np.quantile(arrays["val_nll_draws"], [0.05, 0.95], axis=1).T
        np.testing.assert_allclose(band, curve.nll_band, rtol=1e-12)
        self.assertEqual(arrays["val_acc_draws"].shape, (4, 5))
        self.amortune("curve", "m.safetensors", "--points", 4, "--draws", 5, "--out", "folder")
        same = self.arrays("folder/curve.npz")
        for name in arrays:
            np.testing.assert_array_equal(arrays[name], same[name])

    def test_sample(self):
        self.amortune("sample", "m.safetensors", "--lambda", "1e-3", "--draws", 4, "--out", "s.npz")
        arrays, draws = self.arrays("s.npz"), self.model.sample(1e-3, 4, theta=True)
        np.testing.assert_array_equal(arrays["theta"], draws.theta)
        self.assertEqual(arrays["theta"].dtype, np.float32)
        np.testing.assert_array_equal(arrays["omega"], self.model.draw_weights(4))
        np.testing.assert_array_equal(arrays["nll"], draws.nll)
        np.testing.assert_array_equal(arrays["lambda"], [1e-3])
        doubt = self.model.uncertainty(1e-3, 4)
        np.testing.assert_array_equal(arrays["mutual_information"], doubt.mutual_information)
        self.amortune("sample", "m.safetensors", "--lambda", "1e-3", "--draws", 4, "--out", "folder")
        self.assertEqual(set(arrays) - set(self.arrays("folder/draws.npz")), {"theta", "omega"})

    def test_experiment(self):
        write_images(self.folder / "images")
        self.amortune(
            "experiment", "mnist", "--dataset", "images", "--epochs", 1, "--points", 3, "--draws", 0,
            "--out", "results",
        )
        summary = json.loads((self.folder / "results" / "summary.json").read_text())
        arrays = self.arrays("results/curve.npz")
        np.testing.assert_allclose(
            arrays["val_nll"], [p["val_nll"] for p in summary["curve"]], rtol=1e-12
        )

    def test_results_save_themselves(self):
        self.model.curve(points=3).save(self.folder / "py.npz")
        self.assertEqual(self.arrays("py.npz")["lam"].shape, (3,))


if __name__ == "__main__":
    unittest.main()
