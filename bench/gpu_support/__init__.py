"""The parts of bench/gpu and its results file."""
