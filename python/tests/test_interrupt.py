"""Ctrl-C, and progress functions that raise: prompt, nothing corrupt, resumable."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import unittest

import numpy as np

import amortune

from .problem import ScratchCase, rows, small_fit


class Interrupt(ScratchCase):
    def interrupt_at(self, step):
        def progress(p):
            if p.step >= step:
                os.kill(os.getpid(), signal.SIGINT)

        return progress

    def test_keyboard_interrupt_leaves_a_checkpoint_that_resumes_to_the_same_bits(self):
        data, checkpoint = amortune.Dataset(*rows()), self.folder / "c"
        device = amortune.Device("cpu", threads=1)
        whole = small_fit(data, steps=400, device=device).theta(1e-3)
        with self.assertRaises(KeyboardInterrupt) as caught:
            small_fit(
                data, steps=400, device=device, checkpoint=checkpoint, progress=self.interrupt_at(100)
            )
        self.assertIsInstance(caught.exception.__context__, amortune.Interrupted)
        self.assertIn(str(checkpoint), str(caught.exception.__context__))
        self.assertTrue(checkpoint.exists())
        self.assertEqual(os.listdir(self.folder), ["c"])  # nothing half-written
        seen = []
        resumed = small_fit(
            data, steps=400, device=device, checkpoint=checkpoint, resume=True, progress=seen.append
        )
        self.assertGreater(seen[0].step, 100)
        np.testing.assert_array_equal(resumed.theta(1e-3), whole)

    def test_the_handler_is_given_back(self):
        before = signal.getsignal(signal.SIGINT)
        with self.assertRaises(KeyboardInterrupt):
            small_fit(rows(), steps=400, progress=self.interrupt_at(10))
        self.assertIs(signal.getsignal(signal.SIGINT), before)
        with self.assertRaises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)

    def test_an_exception_of_the_progress_function_comes_out(self):
        def progress(p):
            if p.step > 20:
                raise ZeroDivisionError("enough")

        device = amortune.Device("cpu", threads=1)
        with self.assertRaisesRegex(ZeroDivisionError, "enough"):
            small_fit(rows(), steps=400, device=device, progress=progress)
        small_fit(rows(), device=device).curve(points=2)  # the device is still good

    def test_other_runs(self):
        model = small_fit(rows(), posterior="implicit")
        for run in (
            lambda progress: model.polish(1e-3, steps=400, progress=progress),
            lambda progress: model.audit(3, 3, 1, [1e-3], progress=progress),
            lambda progress: amortune.refit(
                rows(), [1e-3], steps=400, device=model.device, progress=progress
            ),
        ):
            with self.assertRaises(KeyboardInterrupt):
                run(self.interrupt_at(1))
        self.assertEqual(len(model.curve(points=2).nll), 2)

    def test_a_long_fit_stops_within_seconds(self):
        checkpoint = self.folder / "c"
        code = f"""
            import sys
            sys.path[:0] = {sys.path!r}
            import amortune
            from tests.problem import rows, small_fit
            def progress(p):
                print(p.step, flush=True)
            try:
                small_fit(rows(), steps=10**9, checkpoint={str(checkpoint)!r}, progress=progress)
            except KeyboardInterrupt as stop:
                print("stopped:", stop.__context__, flush=True)
                sys.exit(7)
        """
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(child.stdout.close)
        try:
            child.stdout.readline()
            time.sleep(1)
            begin = time.monotonic()
            child.send_signal(signal.SIGINT)
            printed, _ = child.communicate(timeout=60)
        finally:
            child.kill()
        self.assertEqual(child.returncode, 7, printed)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("stopped: fit stopped at step", printed)
        self.assertTrue(checkpoint.exists())

    def test_in_another_thread_ctrl_c_is_the_main_threads(self):
        kept = []
        thread = threading.Thread(target=lambda: kept.append(small_fit(rows(), steps=200)))
        thread.start()
        thread.join()
        self.assertEqual(kept[0].info["step"], 200)


if __name__ == "__main__":
    unittest.main()
