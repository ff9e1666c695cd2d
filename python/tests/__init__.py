"""Tests of the Python package, against the built library: `python -m tests` in python/."""
