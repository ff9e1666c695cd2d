"""amortune — train one generator g(ω, λ) → θ of network weights, then read off the whole tuning curve, the
best λ and the posterior uncertainty (Lopes, Polson, Sokolov 2025, "Generative Bayesian Hyperparameter
Tuning").

    import amortune
    model = amortune.fit((X, y), posterior="implicit")
    curve = model.curve()                      # or amortune.curve(model)
    best = model.tune("one-se")
    draws = model.sample(best, draws=50)
    model.export("network.safetensors", best)

NumPy arrays in and out; the work is done by libamortune.so, found beside the package, in the build folder
of a checkout or in the system's library path, or named in the environment variable AMORTUNE_LIBRARY.
Losses are in nats; arrays are row-major; every object is closed by close(), a `with` block, or its
finaliser."""

from ._device import Device, Progress
from ._library import VERSION as __version__
from .data import Dataset
from .errors import (
    DeviceError,
    Diverged,
    Error,
    InputError,
    Interrupted,
    LibraryNotFound,
    OutOfMemory,
    StorageError,
    UsageError,
)
from .fitting import detect, fit, load, refit, report
from .model import Model
from .results import (
    Audit,
    AuditLine,
    AuditPosterior,
    Choice,
    Curve,
    Detection,
    Metrics,
    Networks,
    Posterior,
    Uncertainty,
)

# The questions to a model as functions: amortune.curve(model, points=40).
curve, tune, sample, audit, export = (
    Model.curve, Model.tune, Model.sample, Model.audit, Model.export,
)
polish, uncertainty, predict = Model.polish, Model.uncertainty, Model.predict

__all__ = [
    "Audit", "AuditLine", "AuditPosterior", "Choice", "Curve", "Dataset", "Detection", "Device",
    "DeviceError", "Diverged", "Error", "InputError", "Interrupted", "LibraryNotFound", "Metrics",
    "Model", "Networks", "OutOfMemory", "Posterior", "Progress", "StorageError", "Uncertainty",
    "UsageError", "__version__", "audit", "curve", "detect", "export", "fit", "load", "polish",
    "predict", "refit", "report", "sample", "tune", "uncertainty",
]
