"""Training: generators, and networks from scratch."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Optional, Sequence, Union

import numpy as np

from . import _abi
from ._arrays import contiguous, pointer
from ._device import Device, ProgressFunction, Run
from ._library import call, options
from .data import Dataset, as_dataset
from .errors import UsageError
from .model import Model, Path
from .results import Choice, Detection, Networks, metrics_of


def fit(
    data: Any,
    *,
    lam: tuple[float, float] = (1e-5, 1e-1),
    target: Optional[str] = None,
    activation: str = "relu",
    penalty: str = "scalar",
    features: Optional[str] = None,
    posterior: str = "none",
    weights: str = "ones",
    blocks: int = -1,
    networks: int = 1,
    mode: str = "criterion",
    epochs: float = 5,
    steps: int = 0,
    batch: int = 128,
    rate: float = 0.0,
    seed: int = 1,
    out: Optional[Path] = None,
    checkpoint: Optional[Path] = None,
    resume: bool = False,
    checkpoint_seconds: float = 30,
    progress: Optional[ProgressFunction] = None,
    device: Union[Device, str, None] = None,
    **more: Any,
) -> Model:
    """Trains one generator over a whole range of λ.

    data: a Dataset, (X, y), (X, y, X_test, y_test), or the name of a folder or CSV file.
    lam: range of λ, the factor of Σθ² in the loss L(θ; ω, λ) = (1/n) Σ_i ω_i ℓ_i + Σ_g λ_g ‖θ_g‖².
    target: sizes of the network's layers, "784-64-10"; None: inputs-64-outputs. activation: "relu",
    "tanh". penalty: "scalar", one λ in all, or "layer". features: None or "auto", "cheb:D", "poly:D",
    "mlp:H,…,R", "split:H,…,R", "paper".
    posterior: "implicit" gives the generator an answer to bootstrap weights ω. weights: distribution of
    ω, "ones" (it does not enter), "dirichlet", "exponential", "multinomial", "fold"; blocks: K of ω,
    −1: 16, 0: one per training row. For more than 256 of them the answer is to 64 drawn weight vectors
    (response_draws, which takes other numbers too): sample() takes them in turn, then mixtures of them,
    and an ω that is given is refused. networks: from different starts, whose predictions are averaged.
    mode: "criterion", "supervised", "hybrid". epochs: passes over the training rows, or else steps;
    batch: rows of a minibatch; rate: peak step size of Adam, 0: by the recipe.
    out: model file to write at the end. checkpoint: file for the state of an unfinished run (None:
    OUT.checkpoint when out is given), written every checkpoint_seconds and when the run is stopped;
    resume: go on from it, to the same bits as without interruption.
    progress: is called with a Progress about twice a second; an exception that it raises stops the run
    and comes out of fit(). Ctrl-C stops the run in the same way, with KeyboardInterrupt.
    device: a Device, its name, or None for "auto".
    more: the other fields of am_fit_options, such as alpha, draws, path, schedule, warmup."""
    rows, owner = _data_and_device(data, device)
    run = Run(progress)
    o = options(
        _abi.am_fit_options,
        {
            "target": target, "activation": activation, "lambda_low": lam[0], "lambda_high": lam[1],
            "penalty": penalty, "features": features, "posterior": posterior, "weights": weights,
            "blocks": blocks, "networks": networks, "mode": mode, "epochs": epochs, "steps": steps,
            "batch": batch, "rate": rate, "seed": seed, "out": out, "checkpoint": checkpoint,
            "resume": resume, "checkpoint_seconds": checkpoint_seconds, "progress": run.callback,
            **more,
        },
    )
    made = ctypes.c_void_p()
    with run.on(owner):
        call("am_fit", owner._handle, rows._handle, ctypes.byref(o), ctypes.byref(made))
        return Model(made, owner, rows)


def load(path: Path, data: Any = None, *, device: Union[Device, str, None] = None) -> Model:
    """Reads a model file. data: what it was fitted to, as fit() takes it, or True to read them again
    from where the model says they were; None: weights, export and predict work, the rest needs
    Model.attach()."""
    owner = _device(device)
    made = ctypes.c_void_p()
    with owner._computing():
        call("am_model_load", owner._handle, os.fsencode(path), ctypes.byref(made))
        model = Model(made, owner)
    if data is not None and data is not False:
        model.attach(None if data is True else data)
    return model


def refit(
    data: Any,
    lam: Any,
    omega: Any = None,
    *,
    models: Optional[int] = None,
    target: Optional[str] = None,
    activation: str = "relu",
    penalty: str = "scalar",
    blocks: int = -1,
    epochs: float = 5,
    steps: int = 0,
    batch: int = 128,
    rate: float = 0.0,
    seed: int = 1,
    separate: bool = False,
    init: Optional[Sequence[int]] = None,
    progress: Optional[ProgressFunction] = None,
    device: Union[Device, str, None] = None,
    **more: Any,
) -> Networks:
    """Trains D networks from scratch as one batch, each on L(θ; ω_d, λ_d): the baseline for a generator.

    lam: a number, (D,), or (D, G) numbers; omega: (D, K) weights of the blocks, or None for ω = 1.
    separate: every network its own order of the rows; init: (D,) number of each one's initialisation,
    None: all start alike. The rest as in fit()."""
    rows, owner = _data_and_device(data, device)
    value = np.asarray(lam.lam if isinstance(lam, Choice) else lam, dtype=np.float64)
    if models is None:
        models = len(value) if value.ndim else (len(omega) if omega is not None else 1)
    groups, params = _shape(rows, target, penalty)
    if value.ndim < 2:
        value = np.broadcast_to(value.reshape(-1, 1), (models, groups))
    value = contiguous(value, np.float64, "lam", models, groups)
    weights = None if omega is None else contiguous(omega, np.float32, "omega", models, None)
    run = Run(progress)
    o = options(
        _abi.am_refit_options,
        {
            "target": target, "activation": activation, "penalty": penalty, "blocks": blocks,
            "epochs": epochs, "steps": steps, "batch": batch, "rate": rate, "seed": seed,
            "separate": separate, "progress": run.callback, **more,
        },
    )
    if weights is not None:
        _need_blocks(o, weights, rows)
    if init is not None:
        o.kept = contiguous(init, np.uint32, "init", models)
        o.init = pointer(o.kept)
    theta = np.empty((models, params), np.float32)
    validation = (_abi.am_metrics * models)()
    test = (_abi.am_metrics * models)() if rows.test_rows else None
    with run.on(owner):
        call(
            "am_refit", owner._handle, rows._handle, ctypes.byref(o), models, pointer(value),
            pointer(weights), pointer(theta), validation, test,
        )
    return Networks(
        lam=value,
        theta=theta,
        validation=[metrics_of(m) for m in validation],
        test=None if test is None else [metrics_of(m) for m in test],
    )


def report(
    results: Path,
    path: Path = "report.html",
    *,
    data: Optional[Path] = None,
    test: Optional[Path] = None,
    device: Union[Device, str, None] = None,
) -> None:
    """Writes one self-contained HTML page, with a slider along λ, of a model file or of a folder that an
    experiment wrote. data: the model's data, where they lie elsewhere now (those of arrays cannot be
    read again: the page then lacks what needs them); test: a CSV file with test rows."""
    owner = _device(device)
    o = options(_abi.am_report_options, {"data": data, "test": test})
    with owner._computing():
        call(
            "am_report", owner._handle, os.fsencode(results), os.fsencode(path), ctypes.byref(o)
        )


def detect(own: Any, ood: Any) -> Detection:
    """How well scores, (n,) of the model's own rows and (m,) of rows from elsewhere, tell them apart;
    higher = more likely from elsewhere, as entropy, mutual_information and 1 − confidence of
    Model.uncertainty()."""
    a = contiguous(own, np.float64, "own", None)
    b = contiguous(ood, np.float64, "ood", None)
    raw = _abi.am_detection()
    call("am_detect", pointer(a), len(a), pointer(b), len(b), ctypes.byref(raw))
    return Detection(raw.auroc, raw.aupr_ood, raw.aupr_own, raw.fpr95)


# ---- arguments


def _device(device: Union[Device, str, None]) -> Device:
    return device if isinstance(device, Device) else Device(device or "auto")


def _data_and_device(data: Any, device: Any) -> tuple[Dataset, Device]:
    return as_dataset(data), _device(device)


def _shape(rows: Dataset, target: Optional[str], penalty: str) -> tuple[int, int]:
    """G and P of the network."""
    count, params = ctypes.c_int(), ctypes.c_int64()
    sizes = None if target is None else target.encode()
    call(
        "am_param_table", sizes, rows._handle, 0, None, ctypes.byref(count), ctypes.byref(params)
    )
    return (count.value // 2 if penalty == "layer" else 1), params.value


def _need_blocks(o: Any, weights: np.ndarray, rows: Dataset) -> None:
    """The library reads as many weights a network as it has blocks."""
    blocks = {-1: min(16, rows.train_rows), 0: rows.train_rows}.get(o.blocks, o.blocks)
    if weights.shape[1] != blocks:
        raise UsageError(
            f"omega: has {weights.shape[1]} columns, there are {blocks} blocks; give blocks="
            f"{weights.shape[1]} or other weights"
        )
