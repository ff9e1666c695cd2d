"""What the peers of weighted M-estimation are given: DATA.csv, the response in its last column, and the
program's SUMMARY.json on it."""
import csv
import json
import sys

import numpy


def inputs():
    """x (n, p), y (n) and the summary, from the files that the command line names."""
    with open(sys.argv[1]) as stream:
        rows = list(csv.reader(stream))[1:]
    with open(sys.argv[2]) as stream:
        summary = json.load(stream)
    table = numpy.array(rows, dtype=float)
    return table[:, :-1], table[:, -1], summary
