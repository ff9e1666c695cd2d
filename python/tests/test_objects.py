"""Lifetimes, errors, the search for the library."""

import gc
import os
import subprocess
import sys
import threading
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

import amortune
from amortune import _library

from .problem import ScratchCase, rows, small_fit


class Lifetime(unittest.TestCase):
    def test_closed_in_any_order(self):
        device = amortune.Device("cpu", threads=1)
        data = amortune.Dataset(*rows())
        model = small_fit(data, device=device)
        data.close()
        device.close()
        self.assertEqual(len(model.curve(points=2).nll), 2)  # it keeps both alive
        model.close()
        model.close()
        self.assertTrue(model.closed)
        with self.assertRaisesRegex(amortune.Error, "this Model is closed"):
            model.curve()
        with self.assertRaisesRegex(amortune.Error, "this Dataset is closed"):
            amortune.fit(data, steps=2)
        self.assertEqual([repr(x) for x in (device, data, model)],
                         ["Device(closed)", "Dataset(closed)", "Model(closed)"])

    def test_with(self):
        with amortune.Dataset(*rows()) as data, small_fit(data) as model:
            self.assertFalse(model.closed)
        self.assertTrue(model.closed and data.closed)

    def test_collected_while_the_device_computes(self):
        device = amortune.Device("cpu", threads=1)
        models = [small_fit(rows(), device=device)]

        def progress(p):
            models.clear()
            gc.collect()

        small_fit(rows(), device=device, progress=progress).curve(points=2)
        self.assertFalse(device._dropped)

    def test_the_device_is_not_for_its_progress_function(self):
        model = small_fit(rows())
        with self.assertRaisesRegex(amortune.Error, "a progress function must not use it"):
            small_fit(rows(), device=model.device, progress=lambda p: model.curve())

    def test_threads_take_turns(self):
        model, found = small_fit(rows()), []
        work = lambda: found.append(model.curve(points=6).nll)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(found), 4)
        for nll in found:
            np.testing.assert_array_equal(nll, found[0])


class Errors(ScratchCase):
    def test_from_the_library(self):
        model = small_fit(rows())
        for kind, text, work in (
            (amortune.UsageError, "outside the range", lambda: model.theta(7)),
            (amortune.UsageError, "--activation gelu", lambda: small_fit(rows(), activation="gelu")),
            (amortune.InputError, "no-such", lambda: amortune.Dataset.load("no-such-data")),
            (amortune.InputError, "row 2, column 1 is NaN",
             lambda: amortune.Dataset([[1.0], [np.nan], [1.0]], [0, 1, 0])),
            (amortune.InputError, "row 2, column 3 is NaN",
             lambda: model.predict([[1, 2, 3], [1, 2, np.nan]], 1e-3)),
            (amortune.StorageError, "folder", lambda: model.save(self.folder / "absent" / "x" / "m")),
            (amortune.DeviceError, "device", lambda: amortune.Device("cuda:77")),
            (amortune.Diverged, "lower --rate", lambda: small_fit(rows(), rate=1000.0, steps=400)),
        ):
            with self.assertRaisesRegex(kind, text) as caught:
                work()
            self.assertNotIn("\n", str(caught.exception))
        self.assertTrue(issubclass(amortune.UsageError, ValueError))
        self.assertTrue(issubclass(amortune.StorageError, OSError))

    def test_of_arguments(self):
        X, y = rows(60)
        model = small_fit((X, y))
        for kind, text, work in (
            (TypeError, "no option 'epoch'; there are target", lambda: amortune.fit((X, y), epoch=3)),
            (TypeError, "epochs='many': ", lambda: amortune.fit((X, y), epochs="many")),
            (ValueError, r"X: has shape \(60,\)", lambda: amortune.Dataset(X[:, 0], y)),
            (ValueError, "y: has 59 rows, X has 60", lambda: amortune.Dataset(X, y[1:])),
            (ValueError, "X: is no array of numbers", lambda: amortune.Dataset(X.astype(str) + "x", y)),
            (ValueError, r"X: has shape \(60, 2\), \(·, 3\)", lambda: model.predict(X[:, :2], 1e-3)),
            (ValueError, "theta: ", lambda: model.predict(X, theta=np.zeros(5))),
            (ValueError, "lam or theta", lambda: model.predict(X)),
            (ValueError, "omega: has shape", lambda: model.theta(1e-3, np.ones(3))),
            (ValueError, "5 columns, there are 16 blocks",
             lambda: amortune.refit((X, y), 1e-3, np.ones((1, 5)), device=model.device)),
            (TypeError, "give a Dataset", lambda: amortune.fit(7)),
        ):
            with self.assertRaisesRegex(kind, text):
                work()


class Finding(ScratchCase):
    def test_it_says_where_it_looked(self):
        with mock.patch.dict(os.environ):
            os.environ.pop("AMORTUNE_LIBRARY", None)
            with mock.patch("ctypes.CDLL", side_effect=OSError("cannot open")):
                with self.assertRaises(amortune.LibraryNotFound) as caught:
                    _library._open(Path(self.folder) / "python" / "amortune")
        text = str(caught.exception)
        for place in ("beside the package", "AMORTUNE_LIBRARY", "system's library path", "./run"):
            self.assertIn(place, text)

    def test_a_named_file_is_the_only_one(self):
        with mock.patch.dict(os.environ, AMORTUNE_LIBRARY=str(self.folder / "no.so")):
            with self.assertRaisesRegex(amortune.LibraryNotFound, "no.so"):
                _library._open(Path(_library.__file__).parent)

    def test_import_needs_no_library(self):
        environment = {**os.environ, "AMORTUNE_LIBRARY": "/nonexistent"}
        code = f"import sys; sys.path[:0] = {sys.path!r}; import amortune; print(amortune.__version__)"
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
        self.assertEqual(done.stdout.strip(), amortune.__version__, done.stderr)


if __name__ == "__main__":
    unittest.main()
