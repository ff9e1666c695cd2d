"""What the PyTorch peers share: MNIST on the device, batched networks, timing, the result as JSON."""
import sys
import time

import torch
import torch.nn.functional as F

import common as c


def options(description, **more):
    o = c.options(description, **more)
    if o.threads > 0:
        torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    return o


# ---- data --------------------------------------------------------------------------------------------


class Rows:
    """Normalised images (n, 784), labels and blocks, all on the device."""

    def __init__(self, images, labels, blocks):
        self.x = (images.float() - 0.1307 * 255) * (1 / (255 * 0.3081))
        self.labels, self.blocks, self.n = labels, blocks, len(labels)


def read(folder, name):
    raw, shape = c.read_idx(folder, name)
    return torch.frombuffer(raw, dtype=torch.uint8).reshape(shape)


def load(o):
    """(training rows, validation rows)"""
    folder = c.data_folder(o)
    images = read(folder, "train-images-idx3-ubyte").reshape(-1, c.INPUTS)
    labels = read(folder, "train-labels-idx1-ubyte").long()
    order = torch.randperm(len(labels))
    blocks = torch.randint(0, c.BLOCKS, (len(labels),))
    cut = len(labels) - len(labels) // 6
    return [Rows(images[part].to(o.device), labels[part].to(o.device), blocks[part].to(o.device))
            for part in (order[:cut], order[cut:])]


def minibatches(n, steps, sets, device):
    """(steps, sets, BATCH) row numbers: for each set an endless stream of shuffled epochs."""
    per_epoch = n // c.BATCH + 2
    streams = []
    for _ in range(sets):
        epochs = [torch.randperm(n, device=device) for _ in range(steps // per_epoch + 3)]
        streams.append(torch.cat(epochs)[:steps * c.BATCH].reshape(steps, c.BATCH))
    return torch.stack(streams, dim=1)


def dirichlet(device, *draws):
    """Block weights (…, BLOCKS), mean 1."""
    g = torch.distributions.Exponential(torch.ones((), device=device)).sample((*draws, c.BLOCKS))
    return c.BLOCKS * g / g.sum(-1, keepdim=True)


def grid(device):
    """Normalised λ of the curve, (POINTS)."""
    return torch.tensor([c.normalised(v) for v in c.lambda_grid()], device=device)


# ---- M networks at once ------------------------------------------------------------------------------


def split(theta):
    """θ (M, P) as views W1 (M,H,d), b1 (M,H), W2 (M,C,H), b2 (M,C)."""
    parts = theta.split(c.SIZES, dim=1)
    return [part.unflatten(1, shape) for part, shape in zip(parts, c.SHAPES)]


def initial_theta(count, device):
    """PyTorch's own initialisation of nn.Linear: uniform ±1/√fan_in; (count, P)."""
    bounds = [c.INPUTS**-0.5] * 2 + [c.HIDDEN**-0.5] * 2
    parts = [(2 * torch.rand(count, size) - 1) * bound for size, bound in zip(c.SIZES, bounds)]
    return torch.cat(parts, dim=1).to(device)


def logit_gradient(logits, y, weights=None):
    """∂/∂logits (M, B, C) of mean_i ω_i CE_i: y (M, B), weights (M, B) or None."""
    d = F.softmax(logits, dim=2)
    classes = torch.arange(c.CLASSES, device=y.device)
    d = (d - (y[:, :, None] == classes).float()) / y.shape[1]
    return d if weights is None else d * weights[:, :, None]


def gradients(theta, x, y, lambdas, weights=None):
    """Gradients (M, P) of L(θ_m; ω_m, λ_m): x (S, B, d), y (S, B), model m looks at set ⌊m/(M/S)⌋,
    weights (M, B) of the rows or None. Written out by hand: less memory traffic than autograd, and one
    product a layer."""
    m, sets = theta.shape[0], x.shape[0]
    w1, b1, w2, b2 = split(theta)
    rows = x.shape[1]
    first = w1.reshape(sets, m // sets * c.HIDDEN, c.INPUTS)
    a = torch.bmm(x, first.transpose(1, 2))                       # (S, B, M/S·H)
    a = a.view(sets, rows, m // sets, c.HIDDEN).transpose(1, 2).reshape(m, rows, c.HIDDEN)
    h = torch.relu(a + b1[:, None])
    logits = torch.baddbmm(b2[:, None], h, w2.transpose(1, 2))    # (M, B, C)
    d = logit_gradient(logits, y[:, None].expand(sets, m // sets, rows).reshape(m, rows), weights)
    dh = torch.bmm(d, w2) * (h > 0)
    da = dh.view(sets, m // sets, rows, c.HIDDEN).transpose(2, 3).reshape(sets, -1, rows)
    dw1 = torch.bmm(da, x)                                        # (S, M/S·H, d)
    grad = torch.cat([dw1.view(m, -1), dh.sum(1), torch.bmm(d.transpose(1, 2), h).view(m, -1),
                      d.sum(1)], dim=1)
    return grad + 2 * lambdas[:, None] * theta


def scores(features, head, x, y):
    """Σ NLL and right answers (M) of the networks θ = cΘ, c (M, R), on rows x (B, d): the first layer once
    for every feature, then mixed."""
    m, (rank, _), rows = features.shape[0], head.shape, x.shape[0]
    first, rest = c.SIZES[0], c.SIZES[0] + c.HIDDEN
    z = torch.mm(head[:, :first].reshape(-1, c.INPUTS), x.T).view(rank, c.HIDDEN, rows)
    z = (z + head[:, first:rest, None]).view(rank, -1)
    h = torch.relu(torch.mm(features, z)).view(m, c.HIDDEN, rows)
    tail = features @ head[:, rest:]
    w2, b2 = tail[:, :-c.CLASSES].view(m, c.CLASSES, c.HIDDEN), tail[:, -c.CLASSES:]
    logits = torch.bmm(w2, h) + b2[:, :, None]                    # (M, C, B)
    own = logits.gather(1, y.expand(m, 1, rows))[:, 0]
    nll = torch.logsumexp(logits, dim=1) - own
    return nll.sum(1), (logits.argmax(1) == y).sum(1)


@torch.no_grad()
def evaluate(features, head, rows, score=scores):
    """Mean NLL and accuracy of every network, (M) each; by tiles of rows that a cache may hold."""
    if features.shape[0] <= head.shape[0]:
        head, features = features @ head, torch.eye(features.shape[0], device=head.device)
    tile = max(t for t in (50, 100, 250, 500, 1000) if t * features.shape[0] <= 50000 or t == 50)
    nll, right = 0, 0
    for begin in range(0, rows.n, tile):
        more = score(features, head, rows.x[begin:begin + tile], rows.labels[begin:begin + tile])
        nll, right = nll + more[0], right + more[1]
    return nll / rows.n, right / rows.n


# ---- timing ------------------------------------------------------------------------------------------


def wait(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def recorded(step, device):
    """The step as a CUDA graph on a GPU, as it is elsewhere; some steps are run."""
    if not device.startswith("cuda"):
        for _ in range(3):
            step()
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
    return graph.replay


def timed(function, device):
    wait(device)
    begin = time.perf_counter()
    function()
    wait(device)
    return time.perf_counter() - begin


compiled_scores = torch.compile(scores, dynamic=False)


class Peer:
    """A fit: ways maps names to steps that do the same, reset restores the start (steps that are tried
    change it), models(u, ω − 1) gives c (M, R) and Θ (R, P) of the fitted networks at M normalised λ,
    ω None for ω = 1."""

    def __init__(self, o, name, steps, ways, reset, models, validation):
        self.o, self.name, self.steps, self.reset = o, name, steps, reset
        self.models, self.validation = models, validation
        self.tried, self.way = {}, None
        self.choose(ways)

    def choose(self, ways):
        """Tries every way for some steps, on a CPU also on one thread; keeps the quickest."""
        threads, best = torch.get_num_threads(), None
        for name, step in ways.items():
            compiled = name.startswith("compile")  # for the number of threads that there are
            if self.o.variant not in ("auto", name, "compile" if compiled else "eager"):
                continue
            counts = [threads] if self.o.device != "cpu" or compiled else {threads, 1}
            try:
                for count in counts:
                    torch.set_num_threads(count)
                    self.reset()
                    ready = recorded(step, self.o.device)
                    self.reset()
                    trial = min(self.steps, 60)
                    seconds = timed(lambda: [ready() for _ in range(trial)], self.o.device) / trial
                    label = f"{name}, threads {count}"
                    self.tried[label] = seconds
                    if best is None or seconds < best[0]:
                        best = (seconds, label, ready, count)
            except Exception as error:  # a machine without a working compiler: the others count
                print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}",
                      file=sys.stderr)
        if best is None:
            sys.exit(f"{self.name}: no way of computing works")
        _, self.variant, self.step, self.threads = best
        torch.set_num_threads(self.threads)

    def fit(self, steps):
        self.reset()
        return timed(lambda: [self.step() for _ in range(steps)], self.o.device)

    def result(self, steps):
        return {"seconds": self.fit(steps), "steps": steps}

    @torch.no_grad()
    def score(self, u, omega):
        """(seconds, NLL, accuracy) of models that are fitted; plain or compiled, what is quicker."""
        best = None
        for score in (scores, compiled_scores):
            found = []
            try:
                for _ in range(2):
                    found.clear()
                    seconds = timed(lambda: found.extend(
                        v.tolist() for v in evaluate(*self.models(u, omega), self.validation, score)),
                        self.o.device)
            except Exception as error:  # a machine without a working compiler
                print(f"scores: {type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
                continue
            if best is None or seconds < best[0]:
                best = (seconds, *found)
        return best

    def curve(self):
        seconds, nll, accuracy = self.score(grid(self.o.device), None)
        return {"seconds": seconds, "val_nll": nll, "val_acc": accuracy}

    def surface(self, draws):
        """POINTS λ × draws of ω."""
        omega = dirichlet(self.o.device, draws).repeat(c.POINTS, 1) - 1
        seconds, *_ = self.score(grid(self.o.device).repeat_interleave(draws), omega)
        return {"seconds": seconds, "models": c.POINTS * draws}

    def rate(self):
        """FLOPs a second of the first layer of 16 networks on a minibatch, forward and backward."""
        x, w = torch.randn(c.BATCH, c.INPUTS), torch.randn(16 * c.HIDDEN, c.INPUTS)
        x, w = x.to(self.o.device), w.to(self.o.device)
        a = (w @ x.T).contiguous()
        seconds = min(timed(lambda: [(w @ x.T, a @ x) for _ in range(50)], self.o.device)
                      for _ in range(5)) / 50
        return {"layer": 4 * x.numel() * 16 * c.HIDDEN / seconds}

    def main(self, **more):
        """Obeys lines on stdin, or fits once and prints the result."""
        about = {"peer": self.name, "name": "PyTorch", "version": torch.__version__,
                 "variant": self.variant, "threads": torch.get_num_threads(),
                 "us_per_step_tried": {k: v * 1e6 for k, v in self.tried.items()}, "steps": self.steps}
        if self.o.serve:
            c.serve(about, {"fit": self.result, "curve": self.curve, "surface": self.surface,
                            "ceilings": self.rate})
            return
        seconds = self.fit(self.steps)
        judged = self.curve()
        model = torch.cuda.get_device_name() if self.o.device.startswith("cuda") else "cpu"
        c.say(**about, torch=torch.__version__, device=model, seed=self.o.seed, fit_seconds=seconds,
              us_per_step=seconds / self.steps * 1e6, val_nll=judged["val_nll"],
              val_acc=judged["val_acc"], **more)
