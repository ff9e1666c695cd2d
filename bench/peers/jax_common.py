"""What the JAX peers share: MNIST on the device, batched networks, timing, the result as JSON. A fit is one
compiled loop over all its steps (jit, fori_loop), its draws are vmapped."""
import os
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import common as c

# ---- data --------------------------------------------------------------------------------------------


class Rows:
    """Normalised images (n, 784), labels and blocks on the device."""

    def __init__(self, images, labels, blocks):
        self.x = jnp.asarray((images.astype(np.float32) - 0.1307 * 255) * (1 / (255 * 0.3081)))
        self.labels, self.blocks = jnp.asarray(labels), jnp.asarray(blocks)
        self.n = len(labels)


def read(folder, name):
    raw, shape = c.read_idx(folder, name)
    return np.frombuffer(raw, np.uint8).reshape(shape)


def load(o, random):
    """(training rows, validation rows)"""
    folder = c.data_folder(o)
    images = read(folder, "train-images-idx3-ubyte").reshape(-1, c.INPUTS)
    labels = read(folder, "train-labels-idx1-ubyte").astype(np.int32)
    order = random.permutation(len(labels))
    blocks = random.integers(0, c.BLOCKS, len(labels)).astype(np.int32)
    cut = len(labels) - len(labels) // 6
    return [Rows(images[part], labels[part], blocks[part]) for part in (order[:cut], order[cut:])]


def minibatches(random, n, steps, sets):
    """(steps, sets, BATCH) row numbers: for each set an endless stream of shuffled epochs."""
    streams = []
    for _ in range(sets):
        epochs = [random.permutation(n) for _ in range(steps * c.BATCH // n + 2)]
        streams.append(np.concatenate(epochs)[:steps * c.BATCH].reshape(steps, c.BATCH))
    return np.stack(streams, axis=1).astype(np.int32)


def dirichlet(random, *draws):
    g = random.exponential(size=(*draws, c.BLOCKS))
    return (c.BLOCKS * g / g.sum(-1, keepdims=True)).astype(np.float32)


def initial_theta(random):
    bounds = [c.INPUTS**-0.5] * 2 + [c.HIDDEN**-0.5] * 2
    return np.concatenate([random.uniform(-bound, bound, size) for size, bound in
                           zip(c.SIZES, bounds)]).astype(np.float32)


def linear(random, inputs, outputs):
    bound = inputs**-0.5
    return (jnp.asarray(random.uniform(-bound, bound, (inputs, outputs)), jnp.float32),
            jnp.asarray(random.uniform(-bound, bound, outputs), jnp.float32))


# ---- networks ----------------------------------------------------------------------------------------


def split(theta):
    """θ (P) as W1 (H,d), b1, W2 (C,H), b2."""
    parts, at = [], 0
    for size, shape in zip(c.SIZES, c.SHAPES):
        parts.append(theta[at:at + size].reshape(shape))
        at += size
    return parts


def losses(theta, x, y):
    """CE of the rows (B), θ (P)"""
    w1, b1, w2, b2 = split(theta)
    logits = jax.nn.relu(x @ w1.T + b1) @ w2.T + b2
    return jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, y[:, None], 1)[:, 0]


def criterion(theta, x, y, weights, lam):
    """L(θ; ω, λ)"""
    return (weights * losses(theta, x, y)).mean() + lam * jnp.square(theta).sum()


def own_gradient(theta, x, y, lam):
    """∇L(θ; 1, λ) by hand for vmap: XLA then makes one product a layer of it."""
    w1, b1, w2, b2 = split(theta)
    h = jax.nn.relu(x @ w1.T + b1)
    d = (jax.nn.softmax(h @ w2.T + b2) - jax.nn.one_hot(y, c.CLASSES)) / len(y)
    da = (d @ w2) * (h > 0)
    return jnp.concatenate([(da.T @ x).ravel(), da.sum(0), (d.T @ h).ravel(), d.sum(0)]) + 2 * lam * theta


def adam(gradient, moment1, moment2, t, beta1, beta2):
    """(step in units of the rate, moments) at step t = 0, 1, …"""
    moment1 = beta1 * moment1 + (1 - beta1) * gradient
    moment2 = beta2 * moment2 + (1 - beta2) * jnp.square(gradient)
    up1, up2 = 1 / (1 - beta1**(t + 1.0)), 1 / (1 - beta2**(t + 1.0))
    return moment1 * up1 / (jnp.sqrt(moment2 * up2) + 1e-8), moment1, moment2


@jax.jit
def scores(features, head, x, y):
    """Σ NLL and right answers (M) of θ = cΘ on a tile of rows: the first layer once for every feature."""
    rank, first, rest = len(head), c.SIZES[0], c.SIZES[0] + c.HIDDEN
    z = head[:, :first].reshape(-1, c.INPUTS) @ x.T
    z = z.reshape(rank, c.HIDDEN, -1) + head[:, first:rest, None]
    h = jax.nn.relu(jnp.tensordot(features, z, 1))                  # (M, H, B)
    tail = features @ head[:, rest:]
    w2 = tail[:, :-c.CLASSES].reshape(-1, c.CLASSES, c.HIDDEN)
    logits = jnp.einsum("mch,mhb->mcb", w2, h) + tail[:, -c.CLASSES:, None]
    own = jnp.take_along_axis(logits, jnp.broadcast_to(y, (len(features), 1, len(y))), 1)[:, 0]
    return ((jax.nn.logsumexp(logits, axis=1) - own).sum(1), (logits.argmax(1) == y).sum(1))


def evaluate(features, head, rows):
    """Mean NLL and accuracy of every network, (M) each."""
    if len(features) <= len(head):
        head, features = features @ head, jnp.eye(len(features))
    tile = max(t for t in (50, 100, 250, 500, 1000) if t * len(features) <= 50000 or t == 50)
    parts = [scores(features, head, rows.x[b:b + tile], rows.labels[b:b + tile])
             for b in range(0, rows.n, tile)]
    return [np.asarray(sum(part)) / rows.n for part in zip(*parts)]


# ---- timing ------------------------------------------------------------------------------------------


def timed(function):
    begin = time.perf_counter()
    result = jax.block_until_ready(function())
    return time.perf_counter() - begin, result


class Peer:
    """A fit: ways maps names to functions (t, state, tables) → state of one step, start() makes the state,
    tables hold what the steps look up; models(state, u, ω − 1) as in torch_common."""

    def __init__(self, o, name, steps, ways, start, tables, models, validation):
        self.o, self.name, self.steps, self.start, self.tables = o, name, steps, start, tables
        self.models, self.validation, self.state = models, validation, None
        self.tried, best = {}, None
        for way, step in ways.items():
            if o.variant not in ("auto", way):
                continue
            run = jax.jit(partial(self.loop, step))
            trial = min(60, steps)
            timed(lambda: run(1, self.start(), tables))
            self.tried[way] = timed(lambda: run(trial, self.start(), tables))[0] / trial
            if best is None or self.tried[way] < best[0]:
                best = (self.tried[way], way, run)
        _, self.variant, self.run = best

    @staticmethod
    def loop(step, count, state, tables):
        return jax.lax.fori_loop(0, count, lambda t, s: step(t, s, tables), state)

    def fit(self, steps):
        state = jax.block_until_ready(self.start())
        seconds, self.state = timed(lambda: self.run(steps, state, self.tables))
        return {"seconds": seconds, "steps": steps}

    def score(self, u, omega):
        features, head = jax.block_until_ready(self.models(self.state, u, omega))
        for _ in range(2):  # the first compiles
            seconds, found = timed(lambda: evaluate(features, head, self.validation))
        return seconds, found

    def curve(self):
        u = jnp.asarray([c.normalised(v) for v in c.lambda_grid()])
        seconds, (nll, accuracy) = self.score(u, None)
        return {"seconds": seconds, "val_nll": nll.tolist(), "val_acc": accuracy.tolist()}

    def surface(self, draws):
        u = jnp.repeat(jnp.asarray([c.normalised(v) for v in c.lambda_grid()]), draws)
        omega = jnp.tile(dirichlet(np.random.default_rng(2), draws), (c.POINTS, 1)) - 1
        return {"seconds": self.score(u, omega)[0], "models": c.POINTS * draws}

    def rate(self):
        """FLOPs a second of the first layer of 16 networks on a minibatch, forward and backward."""
        x, w = jnp.ones((c.BATCH, c.INPUTS)) * 0.3, jnp.ones((16 * c.HIDDEN, c.INPUTS)) * 0.7
        both = jax.jit(lambda w, x: (w @ x.T) @ x)
        seconds = min(timed(lambda: [both(w, x) for _ in range(50)])[0] for _ in range(5)) / 50
        return {"layer": 4 * x.size * 16 * c.HIDDEN / seconds}

    def main(self):
        about = {"peer": self.name, "name": "JAX", "version": jax.__version__, "variant": self.variant,
                 "threads": len(os.sched_getaffinity(0)), "us_per_step_tried": {
                     k: v * 1e6 for k, v in self.tried.items()}, "steps": self.steps}
        if self.o.serve:
            c.serve(about, {"fit": self.fit, "curve": self.curve, "surface": self.surface,
                            "ceilings": self.rate})
            return
        fit = self.fit(self.steps)
        c.say(**{**about, **self.curve(), **fit})
