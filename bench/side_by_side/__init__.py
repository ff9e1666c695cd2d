"""bench/run: this program and its peers take turns on one machine."""
