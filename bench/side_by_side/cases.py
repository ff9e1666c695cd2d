"""What competes: the cases, who does them, and how their floors are counted."""
from dataclasses import dataclass

from .floors import Shape

LAMBDAS = 20
PAPER = {"features": "paper", "weights": "dirichlet", "draws": 1, "descent": "gradient",
         "nodes": "stratified", "schedule": "constant", "rate": 1e-3, "beta1": 0.9, "beta2": 0.999,
         "warmup": 0, "minibatches": 1}
MLP = {"features": "mlp:128,24", "weights": "dirichlet", "draws": 16}


@dataclass
class Fit:
    """A fit that everybody does: options of bench_case, script and options of each peer, and how far mean
    accuracy (points) and mean NLL (share; None: any) over λ may differ from ours. A constant step size
    ends where it happens to be: protocol paper's published accuracy has a standard deviation of 0.52 points
    over seeds, and two seeds differ by up to 3·√2 times that."""
    key: str
    what: str
    own: dict
    peers: dict
    shape: Shape
    accuracy: float = 0.5
    nll: float = 0.05
    surface: bool = False


FITS = [
    Fit("default", "the default fit: collocation, degree 5, M = 8, two minibatches of 128", {},
        {"PyTorch": ["torch_collocation"], "JAX": ["jax_collocation"]},
        Shape(features=6, draws=8, shared=False)),
    Fit("collocation", "collocation, degree 6, M = 10, one minibatch of 128",
        {"features": "cheb:6", "draws": 10, "minibatches": 1},
        {"PyTorch": ["torch_collocation", "--degree", 6, "--draws", 10, "--minibatches", 1],
         "JAX": ["jax_collocation", "--degree", 6, "--draws", 10, "--minibatches", 1]},
        Shape(features=7, draws=10)),
    Fit("mlp", "MLP features, r = 24, M = 16, B = 128, K = 16", MLP,
        {"PyTorch": ["torch_mlp"], "JAX": ["jax_mlp"]},
        Shape(features=25, draws=16, collocation=False, learned=True), surface=True),
    Fit("paper", "protocol paper, r = 128, M = 1", PAPER,
        {"PyTorch": ["torch_paper"], "JAX": ["jax_paper"], "published loop": ["torch_published"]},
        Shape(features=129, draws=1, collocation=False, learned=True), accuracy=2.2, nll=None),
]

# Epochs of the fits that are to reach the quality of refits of 5.
BUDGETS = (2, 3, 4, 5, 6, 7, 8)

# Ways of the default fit along its steps.
PATHS = {"default": {}, "coarse to fine": {"path": "coarse-to-fine"}}

# Responses to the weights, where they differ from the recipe's.
RESPONSES = {
    "default": {},
    "full": {"nodes": 3, "snapshots": 2, "rows": 50000, "inputs": 785, "components": 785,
             "iterations": 2},
}


def words(options):
    """As a command line."""
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
