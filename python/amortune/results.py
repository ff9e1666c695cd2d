"""What the questions to a model are answered with. Losses are in nats; of a regression they are squared
errors summed over the outputs, and accuracy, Brier score and calibration error are NaN."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import Any, Optional, Union

import numpy as np

from . import _abi
from ._arrays import text

_METRICS = tuple(name for name, _ in _abi.am_metrics._fields_)


@dataclass(frozen=True)
class Metrics:
    """What one network, or a predictive mean, does on a set of rows."""

    nll: float  #: mean loss a row
    nll_se: float  #: its standard error over the rows
    accuracy: float
    accuracy_se: float
    brier: float  #: Σ_c (p_c − 1[c = y])², 0..2
    ece: float  #: calibration error: top label, 15 equal-width bins, L1 (Guo et al. 2017, eq. 3)


def metrics_of(raw: _abi.am_metrics) -> Metrics:
    return Metrics(*(getattr(raw, name) for name in _METRICS))


def metric_columns(raw: Any) -> dict[str, np.ndarray]:
    """A ctypes array of metrics as one array for every metric."""
    table = np.array([[getattr(m, name) for name in _METRICS] for m in raw], dtype=np.float64)
    table = table.reshape(-1, len(_METRICS))
    return {name: table[:, j].copy() for j, name in enumerate(_METRICS)}


class _Arrays:
    """Results that are arrays by name."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that there are, by name."""
        every = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in every.items() if isinstance(value, np.ndarray)}

    def save(self, path: Union[str, os.PathLike]) -> None:
        """Writes them all as one NPZ file, that numpy.load reads."""
        np.savez(path, **self.arrays())


@dataclass(frozen=True)
class Curve(_Arrays):
    """The tuning curve on the validation rows; N points, Q quantiles over draws of ω."""

    lam: np.ndarray  #: (N,) λ, equally spaced in log λ
    nll: np.ndarray  #: (N,) at ω = 1, like all to ece
    nll_se: np.ndarray
    accuracy: np.ndarray
    accuracy_se: np.ndarray
    brier: np.ndarray
    ece: np.ndarray
    quantiles: np.ndarray  #: (Q,)
    nll_band: np.ndarray  #: (N, Q); NaN where the model does not see ω
    accuracy_band: np.ndarray  #: (N, Q)


@dataclass(frozen=True)
class Choice:
    """The chosen λ."""

    lam: np.ndarray  #: (G,), one for every penalty group
    value: float  #: the metric there, on the validation rows
    derivative: float  #: ‖∂NLL/∂u‖ there, u ∈ [−1, 1] the normalised log λ; NaN unless by "gradient"
    edge_alarm: bool  #: it lies on the end of the range: widen it
    flat_alarm: bool  #: half the range is within one standard error of the best
    best: np.ndarray  #: (N,) how often each point of the curve is the best over draws of ω, shares

    def __float__(self) -> float:
        """λ of a model with one penalty for all."""
        if len(self.lam) != 1:
            raise TypeError(f"there are {len(self.lam)} λ, one for every layer; take .lam")
        return float(self.lam[0])


@dataclass(frozen=True)
class Posterior(_Arrays):
    """D draws of ω at one λ, judged on the rows that `rows` names."""

    lam: np.ndarray  #: (G,)
    rows: str  #: "test", or "validation" where there are no test rows
    from_generator: bool  #: False: the model does not see ω; the draws are short weighted refits
    steps: int  #: of those refits, else 0
    mean: Metrics  #: of the average of the probabilities; NaN in a regression
    accuracy_mean: float  #: over the draws
    accuracy_sd: float
    nll_mean: float
    nll: np.ndarray  #: (D,) of every draw, like all to ece
    nll_se: np.ndarray
    accuracy: np.ndarray
    accuracy_se: np.ndarray
    brier: np.ndarray
    ece: np.ndarray
    theta: Optional[np.ndarray] = field(repr=False)  #: (D, P) float32, or None


@dataclass(frozen=True)
class Uncertainty(_Arrays):
    """How sure posterior draws are of n rows, in nats, with p̄ the mean of their probabilities."""

    confidence: np.ndarray  #: (n,) max_c p̄_c
    entropy: np.ndarray  #: (n,) H(p̄)
    expected_entropy: np.ndarray  #: (n,) mean of H(p_d)
    mutual_information: np.ndarray  #: (n,) what the draws disagree on (Houlsby et al. 2011)


@dataclass(frozen=True)
class Detection:
    """How well a score tells rows from elsewhere (out of distribution), which are the positives."""

    auroc: float  #: chance that such a row scores higher than one of the model's own, ties half
    aupr_ood: float  #: average precision
    aupr_own: float  #: the same with the own rows positive and the scores negated
    fpr95: float  #: share of the own rows at or above the score that 95 % of the others reach


@dataclass(frozen=True)
class Networks(_Arrays):
    """D networks that were trained or polished; of a model of several networks E for each draw, whose
    predictions are averaged."""

    lam: np.ndarray  #: (D, G)
    theta: np.ndarray = field(repr=False)  #: (D, P) float32, or (E, D, P)
    validation: list[Metrics]
    test: Optional[list[Metrics]] = None  #: None without test rows, and after polish
    before: Optional[list[Metrics]] = None  #: polish: validation, as the generator gives them
    criterion: Optional[np.ndarray] = None  #: (D,) polish: L(θ; ω, λ) on the training rows after it
    criterion_before: Optional[np.ndarray] = None  #: (D,) and before


@dataclass(frozen=True)
class AuditLine:
    """One property of the generator, judged."""

    property: str
    verdict: str  #: "PASS", "WARN" or "FAIL"
    value: float
    se: float  #: NaN where there is none
    unit: str
    lam: float  #: where it is worst; NaN for a property of the whole curve
    rule: str  #: the thresholds
    note: str


@dataclass(frozen=True)
class AuditPosterior:
    """How draws of the generator follow what ω does to refits, at one λ."""

    lam: float
    signal: float  #: S, the variance of predicted probabilities that ω causes
    reproducible: float  #: S over all variance of a refit
    spread: float  #: variance of the generator's draws / S, ideal 1
    spread_se: float
    captured: float  #: covariance with the refits / S, ideal 1
    captured_se: float
    fidelity: float  #: correlation with what ω does, ideal 1
    fidelity_se: float
    generator: Metrics  #: of the predictive mean
    refits: Metrics


@dataclass(frozen=True)
class Audit:
    """The generator against refits from scratch."""

    verdict: str  #: the worst of the lines
    lines: list[AuditLine]
    lam: np.ndarray  #: (N,) of the curve
    nll: np.ndarray  #: (N,) of the generator on the validation rows
    accuracy: np.ndarray  #: (N,)
    refit_nll: np.ndarray  #: (N,) means over the repeats
    refit_accuracy: np.ndarray  #: (N,)
    criterion: np.ndarray  #: (N,) L(θ; 1, λ) of the generator on the training rows
    refit_criterion: np.ndarray  #: (N,)
    posterior: list[AuditPosterior]
    refits: int  #: in all
    cached: int  #: of these found in the cache
    steps: int  #: of each
    rate: float  #: their step size, found by a search of its own
    seconds: float

    def __str__(self) -> str:
        rows = [f"{l.verdict:4}  {l.property:32} {l.value:10.4g} {l.unit}" for l in self.lines]
        return "\n".join([f"audit: {self.verdict}, {self.refits} refits", *rows])


_VERDICTS = ("PASS", "WARN", "FAIL")  # am_verdict


def audit_of(raw: _abi.am_audit_summary, point: Any) -> Audit:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(p, name) for p in point])

    generator = metric_columns([p.generator for p in point])
    return Audit(
        verdict=_VERDICTS[raw.verdict],
        lines=[
            AuditLine(
                text(l.property), _VERDICTS[l.verdict], l.value, l.se, text(l.unit),
                getattr(l, "lambda"), text(l.rule), text(l.note),
            )
            for l in raw.line[: raw.lines]
        ],
        lam=column("lambda"),
        nll=generator["nll"],
        accuracy=generator["accuracy"],
        refit_nll=column("refit_nll"),
        refit_accuracy=column("refit_accuracy"),
        criterion=column("criterion"),
        refit_criterion=column("refit_criterion"),
        posterior=[
            AuditPosterior(
                getattr(a, "lambda"), a.signal, a.reproducible, a.spread, a.spread_se, a.captured,
                a.captured_se, a.fidelity, a.fidelity_se, metrics_of(a.generator),
                metrics_of(a.refits),
            )
            for a in raw.at[: raw.lambdas]
        ],
        refits=raw.refits,
        cached=raw.cached,
        steps=raw.steps,
        rate=raw.rate,
        seconds=raw.seconds,
    )
