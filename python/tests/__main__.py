"""Runs all tests; skipped ones are named with their reason; the last line counts. `python -m tests` in
python/ tests the checkout, `python python/tests/__main__.py` the package that is installed."""

import sys
import unittest
from pathlib import Path

import amortune  # before the discovery puts the checkout in front of it


def main() -> int:
    here = Path(__file__).resolve().parent
    suite = unittest.defaultTestLoader.discover(str(here), top_level_dir=str(here.parent))
    result = unittest.TextTestRunner(verbosity=1, stream=sys.stdout).run(suite)
    for test, reason in result.skipped:
        print(f"SKIPPED {test.id()}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    passed = result.testsRun - failed - len(result.skipped)
    print(f"amortune {amortune.__version__} in {Path(amortune.__file__).parent}")
    print(f"{passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed else 0


sys.exit(main())
