"""Peer of the lasso cross-validation: scikit-learn's LassoCV on the same λ and standardised columns.

    classic_lasso.py DATA.csv SUMMARY.json

scikit-learn minimises ‖y − Xβ‖²/(2n) + α·Σ|β|, half of ours: α = λ/2. Folds differ, so the fits to all
rows at the chosen λ are compared. Prints JSON: what, seconds, difference.
"""
import json
import time

import numpy
from sklearn.linear_model import Lasso, LassoCV

from classic_inputs import inputs


def main():
    x, y, summary = inputs()
    mean, sd = x.mean(0), x.std(0)
    z = (x - mean) / sd
    alphas = numpy.array([point["lambda"] for point in summary["curve"]]) / 2
    begin = time.process_time()
    LassoCV(alphas=alphas, cv=summary["folds"], tol=1e-8, max_iter=100000).fit(z, y)
    seconds = time.process_time() - begin
    fit = Lasso(alpha=summary["lambda_least"] / 2, tol=1e-12, max_iter=100000).fit(z, y)
    theirs = numpy.concatenate([[fit.intercept_ - (fit.coef_ * mean / sd).sum()], fit.coef_ / sd])
    ours = numpy.array([c["least"] for c in summary["coefficients"]])
    print(json.dumps({"what": "LassoCV, the same 100 λ, 10 folds", "seconds": seconds,
                      "difference": float(abs(theirs - ours).max())}))


if __name__ == "__main__":
    main()
