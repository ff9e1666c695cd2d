"""Peer of the logistic bootstrap: 1,000 weighted fits by scikit-learn, warm-started.

    classic_logistic.py DATA.csv SUMMARY.json

Prints JSON: what, seconds, and the largest difference of its fit from the summary's estimates.
"""
import json
import time

import numpy
from sklearn.linear_model import LogisticRegression

from classic_inputs import inputs

DRAWS, BLOCKS = 1000, 100


def main():
    x, y, summary = inputs()
    model = LogisticRegression(C=numpy.inf, solver="newton-cholesky", tol=1e-8, warm_start=True)
    model.fit(x, y)
    fit = numpy.concatenate([model.intercept_, model.coef_[0]])
    ours = numpy.array([c["estimate"] for c in summary["coefficients"]])
    draw = numpy.random.default_rng(1)
    block = draw.permutation(numpy.arange(len(y)) * BLOCKS // len(y))
    begin = time.process_time()
    for _ in range(DRAWS):
        omega = BLOCKS * draw.dirichlet(numpy.ones(BLOCKS))
        model.coef_, model.intercept_ = fit[1:].reshape(1, -1).copy(), fit[:1].copy()
        model.fit(x, y, sample_weight=omega[block])
    seconds = time.process_time() - begin
    print(json.dumps({"what": f"{DRAWS} weighted logistic fits (newton-cholesky, warm-started)",
                      "seconds": seconds, "difference": float(abs(fit - ours).max())}))


if __name__ == "__main__":
    main()
