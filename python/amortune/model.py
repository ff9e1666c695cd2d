"""The generator: fitted, asked, kept in a file."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Optional, Sequence, Union

import numpy as np

from . import _abi
from ._arrays import contiguous, pointer, text
from ._device import Device, ProgressFunction, Run
from ._library import Handle, call, options
from .data import Dataset, as_dataset
from .errors import UsageError
from .results import (
    Audit,
    Choice,
    Curve,
    Networks,
    Posterior,
    Uncertainty,
    audit_of,
    metric_columns,
    metrics_of,
)

Path = Union[str, os.PathLike]
Penalty = Union[float, Sequence[float], np.ndarray, Choice]


class Model(Handle):
    """A generator g(ω, λ) → θ of network weights. Made by fit() and load().

    Letters: G penalty groups (1, or one a layer), K blocks of rows that share a bootstrap weight ω, P
    parameters of the network, C classes or outputs. lam, wherever it is asked for, is one number, (G,)
    numbers, or what tune() returned; within the fitted range."""

    _free = "am_model_free"

    def __init__(
        self, pointer_: ctypes.c_void_p, device: Device, data: Optional[Dataset] = None
    ) -> None:
        super().__init__(pointer_)
        self.device = device
        #: (C,) the labels as they were given, in the order of predict()'s columns; None in a regression
        #: and while no data are attached
        self.classes: Optional[np.ndarray] = None
        self._reported_rows = 0  # that sample() and uncertainty() report on
        if data is not None:
            self._take(data)

    def _take(self, data: Dataset) -> None:
        self.classes = data.classes
        self._reported_rows = data.test_rows or data.validation_rows

    def _give_back(self, free: Any, pointer_: int) -> None:
        self.device._drop(free, pointer_)

    def _info(self) -> _abi.am_model_info:
        info = _abi.am_model_info()
        call("am_model_describe", self._handle, ctypes.byref(info))
        return info

    def __repr__(self) -> str:
        if self.closed:
            return "Model(closed)"
        i = self._info()
        return (
            f"Model({text(i.target)}, {text(i.features)}, λ {i.lambda_low:g}..{i.lambda_high:g}, "
            f"{i.steps} steps)"
        )

    @property
    def info(self) -> dict[str, Any]:
        """Target, features, range of λ, seed, steps and so on, as am_model_info has them."""
        raw = self._info()
        found = {name: getattr(raw, name) for name, _ in raw._fields_}
        found = {k: text(v) if isinstance(v, bytes) else v for k, v in found.items()}
        return {k: bool(v) if k in ("classes", "sees_omega", "has_data") else v
                for k, v in found.items()}

    @property
    def lambda_range(self) -> tuple[float, float]:
        i = self._info()
        return i.lambda_low, i.lambda_high

    @property
    def sees_omega(self) -> bool:
        """Whether g depends on ω; where not, sample() draws short weighted refits."""
        return bool(self._info().sees_omega)

    @property
    def params(self) -> int:
        """P"""
        return self._info().params

    # ---- arguments

    def _lam(self, lam: Penalty, models: Optional[int] = None) -> np.ndarray:
        """(G,), or (D, G) for D models."""
        groups = self._info().groups
        value = np.asarray(lam.lam if isinstance(lam, Choice) else lam, dtype=np.float64)
        if models is None:
            return contiguous(np.broadcast_to(value, (groups,)), np.float64, "lam", groups)
        if value.ndim == 1 and len(value) == models and not (groups == models and models > 1):
            value = value[:, None]
        return contiguous(np.broadcast_to(value, (models, groups)), np.float64, "lam", models, groups)

    def _omega(self, omega: Any, models: Optional[int] = None) -> Optional[np.ndarray]:
        if omega is None:
            return None
        blocks = self._info().blocks
        if models is None:
            return contiguous(omega, np.float32, "omega", blocks)
        return contiguous(omega, np.float32, "omega", models, blocks)

    # ---- data and files

    def attach(self, data: Any = None) -> "Model":
        """Gives the model the data that it was fitted to, to be judged on: a Dataset or what fit()
        takes; None: read again from where the model says they were. Returns the model."""
        given = None
        if isinstance(data, (str, os.PathLike)):
            given = self._recorded(data)
        elif data is not None:
            given = as_dataset(data)
        with self.device._computing():
            if given is None:
                given = self._recorded(None)
            call("am_model_attach", self._handle, given._handle)
            self._take(given)
        return self

    def _recorded(self, source: Optional[Path]) -> Dataset:
        made = ctypes.c_void_p()
        path = None if source is None else os.fsencode(source)
        call("am_model_dataset", self._handle, path, None, ctypes.byref(made))
        return Dataset._own(made)

    def save(self, path: Path) -> None:
        """Writes the model (safetensors); the file appears only once it is complete."""
        with self.device._computing():
            call("am_model_save", self._handle, os.fsencode(path))

    def export(self, path: Path, lam: Penalty, omega: Any = None) -> None:
        """Writes the network at λ, and at ω (K,) instead of ω = 1, as safetensors that PyTorch loads:
        fc1.weight, fc1.bias, … Inputs that were normalised by column bring input.mean and input.sd."""
        penalty, weights = self._lam(lam), self._omega(omega)
        with self.device._computing():
            call("am_export", self._handle, pointer(penalty), pointer(weights), os.fsencode(path))

    # ---- networks

    def theta(self, lam: Penalty, omega: Any = None) -> np.ndarray:
        """(P,) float32: all parameters of the network at λ and ω (K,), or ω = 1."""
        penalty, weights = self._lam(lam), self._omega(omega)
        theta = np.empty(self.params, np.float32)
        with self.device._computing():
            call("am_weights", self._handle, pointer(penalty), pointer(weights), pointer(theta))
        return theta

    def weights(self, lam: Penalty, omega: Any = None) -> dict[str, np.ndarray]:
        """The network at λ as arrays by name: fc1.weight (out, in), fc1.bias (out,), …"""
        return self.tensors(self.theta(lam, omega))

    def tensors(self, theta: Any) -> dict[str, np.ndarray]:
        """θ (P,) cut into its tensors by name; views of it."""
        flat = contiguous(theta, np.float32, "theta", self.params)
        target, count = self._info().target, ctypes.c_int()
        call("am_param_table", target, None, 0, None, ctypes.byref(count), None)
        table = (_abi.am_param * count.value)()
        call("am_param_table", target, None, count.value, table, None, None)
        return {
            text(t.name): flat[t.offset : t.offset + t.count].reshape(tuple(t.shape[: t.rank]))
            for t in table
        }

    def predict(
        self, X: Any, lam: Optional[Penalty] = None, omega: Any = None, *, theta: Any = None
    ) -> np.ndarray:
        """(rows, C) float32: probabilities of the classes (columns as in `classes`), or the values of
        a regression, for X (rows, inputs) as measured. By the network at lam and omega (K,), or by
        networks with the parameters theta (P,) or (D, P), which give (D, rows, C), or (E, D, P), whose
        mean over E that is."""
        return self._outputs(X, lam, omega, theta, logits=False)

    def logits(
        self, X: Any, lam: Optional[Penalty] = None, omega: Any = None, *, theta: Any = None
    ) -> np.ndarray:
        """The same before the softmax; not for a model that averages several networks."""
        return self._outputs(X, lam, omega, theta, logits=True)

    def _outputs(self, X: Any, lam: Any, omega: Any, theta: Any, logits: bool) -> np.ndarray:
        if (lam is None) == (theta is None):
            raise UsageError("predict: give either lam or theta")
        if np.ndim(theta) == 3 and logits:
            raise UsageError("logits: a mean of several networks has none; give theta (D, P)")
        if np.ndim(theta) == 3:
            return np.mean([self._outputs(X, None, None, one, False) for one in theta], axis=0)
        sizes = [int(n) for n in text(self._info().target).split("-")]
        rows = np.asarray(X)
        x = contiguous(rows.reshape(len(rows), -1), np.float32, "X", None, sizes[0])
        models, networks = 1, None
        if theta is not None:
            networks = np.asarray(theta)
            models = 1 if networks.ndim == 1 else len(networks)
            networks = contiguous(networks.reshape(models, -1), np.float32, "theta", models, self.params)
        penalty = None if lam is None else self._lam(lam)
        weights = self._omega(omega)
        out = np.empty((models, len(x), sizes[-1]), np.float32)
        where = (None, pointer(out)) if logits else (pointer(out), None)
        with self.device._computing():
            call(
                "am_predict", self._handle, models, pointer(penalty), pointer(weights),
                pointer(networks), len(x), pointer(x), *where,
            )
        return out if theta is not None and np.ndim(theta) == 2 else out[0]

    # ---- questions

    def curve(
        self, points: int = 20, draws: int = 50, quantiles: Sequence[float] = (0.05, 0.95)
    ) -> Curve:
        """The tuning curve on the validation rows at ω = 1, and its band over `draws` of ω."""
        q = contiguous(quantiles, np.float64, "quantiles", None)
        o = options(_abi.am_curve_options, {"points": points, "draws": draws})
        o.quantiles, o.quantile = len(q), pointer(q)
        n = max(points, 0)
        lam, at = np.empty(n), (_abi.am_metrics * n)()
        nll, accuracy = np.empty((n, len(q))), np.empty((n, len(q)))
        with self.device._computing():
            call(
                "am_curve", self._handle, ctypes.byref(o), pointer(lam), at, pointer(nll),
                pointer(accuracy),
            )
        return Curve(lam=lam, **metric_columns(at), quantiles=q, nll_band=nll, accuracy_band=accuracy)

    def tune(
        self, rule: str = "grid", metric: str = "nll", points: int = 20, draws: int = 50
    ) -> Choice:
        """Chooses λ on the validation rows. rule: "grid", the best point; "one-se", the largest λ
        within one standard error of it (Breiman et al. 1984); "gradient", refined from it by the exact
        derivative through the generator. metric: "nll" or "accuracy"."""
        o = options(
            _abi.am_tune_options, {"rule": rule, "metric": metric, "points": points, "draws": draws}
        )
        raw, best = _abi.am_choice(), np.zeros(max(points, 0))
        with self.device._computing():
            call("am_tune", self._handle, ctypes.byref(o), ctypes.byref(raw), pointer(best))
        return Choice(
            lam=np.array(getattr(raw, "lambda")[: raw.groups]),
            value=raw.value,
            derivative=raw.derivative,
            edge_alarm=bool(raw.edge_alarm),
            flat_alarm=bool(raw.flat_alarm),
            best=best,
        )

    def sample(self, lam: Penalty, draws: int = 50, *, theta: bool = False) -> Posterior:
        """Draws of ω at one λ and what they predict on the test rows (validation rows where there are
        none); theta: keep their parameters too. The draws depend on the model's seed only."""
        penalty, raw = self._lam(lam), _abi.am_posterior()
        each = (_abi.am_metrics * max(draws, 0))()
        networks = np.empty((max(draws, 0), self.params), np.float32) if theta else None
        with self.device._computing():
            call(
                "am_sample", self._handle, pointer(penalty), draws, ctypes.byref(raw), each,
                pointer(networks),
            )
        return Posterior(
            lam=penalty,
            rows="test" if raw.test_rows else "validation",
            from_generator=bool(raw.from_generator),
            steps=raw.steps,
            mean=metrics_of(raw.mean),
            accuracy_mean=raw.accuracy_mean,
            accuracy_sd=raw.accuracy_sd,
            nll_mean=raw.nll_mean,
            theta=networks,
            **metric_columns(each),
        )

    def uncertainty(
        self, lam: Penalty, draws: int = 50, data: Optional[Dataset] = None
    ) -> Uncertainty:
        """How sure the draws of sample() are of every row: of the rows they are judged on, or of other
        data that were normalised like the model's (Dataset(…, like=…))."""
        penalty, rows = self._lam(lam), ctypes.c_int64()
        other = None if data is None else data._handle
        arguments = (self._handle, pointer(penalty), draws, other)
        with self.device._computing():
            most = self._most_rows(data)
            each = (_abi.am_row_uncertainty * most)()
            call("am_uncertainty", *arguments, most, each, ctypes.byref(rows))
        table = np.frombuffer(each, dtype=np.float64).reshape(most, 4)[: rows.value]
        names = [name for name, _ in _abi.am_row_uncertainty._fields_]
        return Uncertainty(**{name: table[:, j].copy() for j, name in enumerate(names)})

    def _most_rows(self, data: Optional[Dataset]) -> int:
        """At least as many rows as are reported on."""
        if data is None:
            return self._reported_rows
        return data.test_rows or data.train_rows + data.validation_rows

    def draw_weights(
        self, draws: int, seed: int = 1, kind: Optional[str] = None, alpha: float = 1.0
    ) -> np.ndarray:
        """(draws, K) float32: bootstrap weights with mean 1. kind: "dirichlet" (None), "exponential",
        "multinomial", "fold", "ones"."""
        blocks = self._info().blocks
        omega = np.empty((max(draws, 0), blocks), np.float32)
        with self.device._computing():
            call(
                "am_draw_weights", self.device._handle, kind.encode() if kind else None, alpha,
                blocks, draws, seed, pointer(omega),
            )
        return omega

    def polish(
        self,
        lam: Penalty,
        omega: Any = None,
        *,
        models: Optional[int] = None,
        steps: int = -1,
        rate: float = 0.0,
        progress: Optional[ProgressFunction] = None,
    ) -> Networks:
        """Networks that need no generator any more: from g(ω_d, λ_d) a few steps along the gradient.
        lam: one, or (D,) or (D, G); omega (D, K) or None for ω = 1. steps −1: a twentieth of the fit's.
        All networks of a model of several; validation is that of their mean prediction."""
        if models is None:
            models = len(omega) if omega is not None else self._count(lam)
        penalty, weights = self._lam(lam, models), self._omega(omega, models)
        several = self._info().networks
        shape = (models, self.params) if several == 1 else (several, models, self.params)
        theta, score = np.empty(shape, np.float32), (_abi.am_polished * models)()
        run = Run(progress)
        o = options(_abi.am_polish_options, {"steps": steps, "rate": rate, "progress": run.callback})
        with run.on(self.device):
            call(
                "am_polish", self._handle, ctypes.byref(o), models, pointer(penalty),
                pointer(weights), pointer(theta), score,
            )
        return Networks(
            lam=penalty,
            theta=theta,
            validation=[metrics_of(s.after) for s in score],
            before=[metrics_of(s.before) for s in score],
            criterion=np.array([s.criterion_after for s in score]),
            criterion_before=np.array([s.criterion_before for s in score]),
        )

    def _count(self, lam: Penalty) -> int:
        value = np.asarray(lam.lam if isinstance(lam, Choice) else lam)
        if value.ndim == 2 or (value.ndim == 1 and self._info().groups == 1):
            return len(value)
        return 1

    def audit(
        self,
        points: int = 20,
        draws: int = 20,
        repeats: int = 3,
        lam: Optional[Sequence[float]] = None,
        *,
        seed: int = 1,
        cache: Optional[Path] = None,
        progress: Optional[ProgressFunction] = None,
    ) -> Audit:
        """Holds curve and posterior against refits from scratch, trained as long as the fit: `repeats`
        at each of `points` λ, and two for each of `draws` of ω at every λ of lam (None: four along the
        range). cache: folder that refits are kept in and taken from."""
        run, raw = Run(progress), _abi.am_audit_summary()
        point = (_abi.am_audit_point * max(points, 0))()
        o = options(
            _abi.am_audit_options,
            {
                "points": points, "draws": draws, "repeats": repeats, "seed": seed,
                "cache": cache, "progress": run.callback,
            },
        )
        if lam is not None:
            places = contiguous(lam, np.float64, "lam", None)
            o.lambdas = len(places)
            setattr(o, "lambda", pointer(places))
            o.kept = places
        with run.on(self.device):
            call("am_audit", self._handle, ctypes.byref(o), ctypes.byref(raw), point)
        return audit_of(raw, point)
