"""What the peers share: options, MNIST on the device, batched networks, timing, the result as JSON.

Data, split, network, loss and metrics are those of the experiment (`amortune experiment mnist`): 60,000
training images split 50,000 / 10,000, pixels (x/255 − 0.1307)/0.3081, a 784–64–10 ReLU network,
L = mean cross-entropy + λ Σθ², biases included.
"""
import argparse
import gzip
import json
import math
import os
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parent.parent.parent
INPUTS, HIDDEN, CLASSES = 784, 64, 10
SHAPES = [(HIDDEN, INPUTS), (HIDDEN,), (CLASSES, HIDDEN), (CLASSES,)]
SIZES = [math.prod(shape) for shape in SHAPES]
PARAMS = sum(SIZES)
BATCH, BLOCKS = 128, 16
LAMBDA_LOW, LAMBDA_HIGH, POINTS = 1e-5, 1e-1, 20


def options(description, **more):
    """--device, --epochs, --seed, --data, --threads, --variant, and `more`: name = (type, default)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--epochs", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default=None, help="folder with MNIST's IDX files")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--variant", default="auto", choices=["auto", "eager", "compile"],
                        help="auto: both, the quicker one counts")
    for name, (kind, default) in more.items():
        parser.add_argument("--" + name, type=kind, default=default)
    o = parser.parse_args()
    if o.threads > 0:
        torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    torch.backends.cuda.matmul.allow_tf32 = False
    return o


# ---- data --------------------------------------------------------------------------------------------


def read_idx(folder, name):
    for path, opener in ((folder / name, open), (folder / (name + ".gz"), gzip.open)):
        if path.exists():
            with opener(path, "rb") as f:
                raw = f.read()
            ndim = raw[3]
            shape = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(ndim)]
            return torch.frombuffer(bytearray(raw[4 + 4 * ndim:]), dtype=torch.uint8).reshape(shape)
    sys.exit(f"{folder}/{name}: not found; give --data or set AMORTUNE_DATA")


class Rows:
    """Images as bytes (n, 784), labels and blocks, all on the device."""

    def __init__(self, images, labels, blocks):
        self.images, self.labels, self.blocks, self.n = images, labels, blocks, len(labels)

    def inputs(self, index=None):
        images = self.images if index is None else self.images[index]
        return (images.float() - 0.1307 * 255) * (1 / (255 * 0.3081))


def load(o):
    """(training rows, validation rows)"""
    folder = Path(o.data or Path(os.environ.get("AMORTUNE_DATA", ROOT / "datasets")) / "mnist")
    images = read_idx(folder, "train-images-idx3-ubyte").reshape(-1, INPUTS)
    labels = read_idx(folder, "train-labels-idx1-ubyte").long()
    order = torch.randperm(len(labels))
    blocks = torch.randint(0, BLOCKS, (len(labels),))
    cut = len(labels) - len(labels) // 6
    return [Rows(images[part].to(o.device), labels[part].to(o.device), blocks[part].to(o.device))
            for part in (order[:cut], order[cut:])]


def minibatches(n, steps, sets, device):
    """(steps, sets, BATCH) row numbers: for each set an endless stream of shuffled epochs."""
    per_epoch = n // BATCH + 2
    streams = []
    for _ in range(sets):
        epochs = [torch.randperm(n, device=device) for _ in range(steps // per_epoch + 3)]
        streams.append(torch.cat(epochs)[:steps * BATCH].reshape(steps, BATCH))
    return torch.stack(streams, dim=1)


def steps_of(o, n):
    return max(1, int(o.epochs * n / BATCH))


def dirichlet(draws, device):
    """Block weights (draws, BLOCKS), mean 1."""
    g = torch.distributions.Exponential(torch.ones((), device=device)).sample((draws, BLOCKS))
    return BLOCKS * g / g.sum(1, keepdim=True)


def lambda_grid():
    return torch.logspace(math.log10(LAMBDA_LOW), math.log10(LAMBDA_HIGH), POINTS,
                          dtype=torch.float64)


def cosine_rates(steps, peak, warmup):
    """peak·min(1, (t+1)/warmup)·½(1 + cos(π (t−warmup)₊/(steps−warmup)))"""
    t = torch.arange(steps, dtype=torch.float64)
    rise = torch.clamp((t + 1) / max(warmup, 1), max=1)
    return peak * rise * 0.5 * (1 + torch.cos(
        math.pi * torch.clamp(t - warmup, min=0) / max(1, steps - warmup)))


# ---- M networks at once ------------------------------------------------------------------------------


def split(theta):
    """θ (M, P) as views W1 (M,H,d), b1 (M,H), W2 (M,C,H), b2 (M,C)."""
    parts = theta.split(SIZES, dim=1)
    return [part.unflatten(1, shape) for part, shape in zip(parts, SHAPES)]


def initial_theta(count, device):
    """PyTorch's own initialisation of nn.Linear: uniform ±1/√fan_in; (count, P)."""
    bounds = [1 / math.sqrt(INPUTS)] * 2 + [1 / math.sqrt(HIDDEN)] * 2
    parts = [(2 * torch.rand(count, size) - 1) * bound for size, bound in zip(SIZES, bounds)]
    return torch.cat(parts, dim=1).to(device)


def gradients(theta, x, y, lambdas):
    """Gradients (M, P) of L(θ_m; λ_m) and losses (M): x (S, B, d), y (S, B), model m looks at set
    ⌊m/(M/S)⌋. Written out by hand: less memory traffic than autograd, and one product a layer."""
    m, sets = theta.shape[0], x.shape[0]
    w1, b1, w2, b2 = split(theta)
    rows = x.shape[1]
    first = w1.reshape(sets, m // sets * HIDDEN, INPUTS)
    a = torch.bmm(x, first.transpose(1, 2))                       # (S, B, M/S·H)
    a = a.view(sets, rows, m // sets, HIDDEN).transpose(1, 2).reshape(m, rows, HIDDEN)
    h = torch.relu(a + b1[:, None])
    logits = torch.baddbmm(b2[:, None], h, w2.transpose(1, 2))    # (M, B, C)
    labels = y[:, None].expand(sets, m // sets, rows).reshape(m, rows)
    log_p = F.log_softmax(logits, dim=2)
    loss = -log_p.gather(2, labels[:, :, None]).mean(dim=(1, 2)) + lambdas * theta.square().sum(1)
    classes = torch.arange(CLASSES, device=labels.device)
    d = (log_p.exp() - (labels[:, :, None] == classes).float()) / rows
    dh = torch.bmm(d, w2) * (h > 0)
    da = dh.view(sets, m // sets, rows, HIDDEN).transpose(2, 3).reshape(sets, -1, rows)
    dw1 = torch.bmm(da, x)                                        # (S, M/S·H, d)
    grad = torch.cat([dw1.view(m, -1), dh.sum(1), torch.bmm(d.transpose(1, 2), h).view(m, -1),
                      d.sum(1)], dim=1)
    return grad + 2 * lambdas[:, None] * theta, loss


@torch.no_grad()
def evaluate(theta, rows):
    """Mean NLL and accuracy of every network, lists of M."""
    w1, b1, w2, b2 = split(theta)
    x, nll, right = rows.inputs(), [], []
    for k in range(theta.shape[0]):
        logits = F.linear(torch.relu(F.linear(x, w1[k], b1[k])), w2[k], b2[k])
        nll.append(F.cross_entropy(logits, rows.labels).item())
        right.append((logits.argmax(1) == rows.labels).float().mean().item())
    return nll, right


# ---- timing ------------------------------------------------------------------------------------------


def wait(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def recorded(step, device, reset):
    """The step as a CUDA graph on a GPU, as it is elsewhere. `reset` restores the start, for the steps
    that warm up change it."""
    if not device.startswith("cuda"):
        step()
        reset()
        return step
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    reset()
    return graph.replay


def timed_run(step, steps, device):
    """Seconds of all steps."""
    wait(device)
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    wait(device)
    return time.perf_counter() - begin


def best_run(o, step, reset, steps, compiled=None):
    """Runs all steps, plain and compiled as asked; the state is that of the quicker run, which is run
    last. `compiled`: the step with what can be compiled, where that is not all of it. Returns (seconds,
    name of the variant, seconds a step of each)."""
    variants, tried = {}, {}
    if o.variant in ("auto", "eager"):
        variants["eager"] = step
    if o.variant in ("auto", "compile"):
        variants["compile"] = compiled or torch.compile(step)
    for name in list(variants):
        try:
            variants[name] = recorded(variants[name], o.device, reset)
            trial = min(steps, 100)
            tried[name] = timed_run(variants[name], trial, o.device) / trial
        except Exception as error:  # a machine without a working compiler: the plain step counts
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
        reset()
    best = min(tried, key=tried.get)
    return timed_run(variants[best], steps, o.device), best, tried


def finish(o, name, steps, seconds, **more):
    """Prints the result."""
    model = torch.cuda.get_device_name() if o.device.startswith("cuda") else "cpu"
    result = {"peer": name, "device": model, "threads": torch.get_num_threads(),
              "torch": torch.__version__, "seed": o.seed, "steps": steps, "fit_seconds": seconds,
              "us_per_step": seconds / steps * 1e6, **more}
    print(json.dumps(result))
