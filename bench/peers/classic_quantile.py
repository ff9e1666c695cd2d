"""Peer of quantile regression: scikit-learn's QuantileRegressor (HiGHS), weighted fits.

    classic_quantile.py DATA.csv SUMMARY.json

Prints JSON: what, seconds of as many weighted fits as the summary has draws (measured on 100 of
them), and the largest difference of its fit from the summary's estimates.
"""
import json
import time

import numpy
from sklearn.linear_model import QuantileRegressor

from classic_inputs import inputs

TIMED = 100


def main():
    x, y, summary = inputs()
    model = QuantileRegressor(quantile=summary["quantile"], alpha=0, solver="highs").fit(x, y)
    theirs = numpy.concatenate([[model.intercept_], model.coef_])
    ours = numpy.array([c["estimate"] for c in summary["coefficients"]])
    draw = numpy.random.default_rng(1)
    begin = time.process_time()
    for _ in range(TIMED):
        model.fit(x, y, sample_weight=draw.exponential(size=len(y)))
    draws = summary["generator"]["draws"]
    seconds = (time.process_time() - begin) * draws / TIMED
    print(json.dumps({"what": f"{draws} weighted quantile regressions (HiGHS, timed on {TIMED})",
                      "seconds": seconds, "difference": float(abs(theirs - ours).max())}))


if __name__ == "__main__":
    main()
