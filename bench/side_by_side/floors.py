"""The least time a case can take here: what it must compute at the measured rate of matrix products, and
what it must move at the measured bandwidth, whichever is longer.

Letters as everywhere: d inputs, P parameters of the target, W its weights, W₁ of the first layer, M draws,
R features with the constant, B rows of a minibatch, K blocks. A product of (a,b) by (b,c) is 2abc FLOPs;
activations, losses and random numbers are not counted. A floor is no promise that anything reaches it.
"""
import math
from dataclasses import dataclass

COUNTING = """\
Floor of a step = max(FLOPs / rate, bytes / bandwidth). The rate is the best that any contender reaches in
this run for the first layer's products of 16 networks on a minibatch, forward and backward; the bandwidth
is that of an update in place of as much memory as the optimiser's state has (a state that fits the cache
is moved at the cache's); both are medians of what was measured between the parts. FLOPs, the cheaper
plan's: direct 4·B·W₁·M + 6·B·(W−W₁)·M + 4·R·M·P (θ = cΘ and its transpose) and 2·R·M·P for learned
features; factored 4·B·W₁·R + 4·B·H₁·R·M + 6·B·(W−W₁)·M + 4·R·M·P' + 3·R²·P (penalty), P' the parameters
behind the first layer, and 2·R·M·(B·H₁ + P') for learned features. Bytes: 24·R·P for Adam on the head
(collocation 16·R·P + 8·M·P) and 4·R·P to read it for θ = cΘ; refits 24·M·P. Models on n rows: direct
2·n·W·M, factored 2·n·W₁·R + 2·n·H₁·R·M + 2·n·(W−W₁)·M. The response, for each node and snapshot:
n·(4·W + 2·(W−W₁)) for the blocks' gradients; for each product with the Gauss–Newton matrix, as many as
iterations and one more after the first snapshot, K·(4·ρ·Q·H₁ + 8·ρ·(W−W₁)) on ρ rows in Q components; for
each use of the Kronecker factors K·Σ 4·(out·in² + out²·in); all in as many principal components of the
inputs as it is computed in."""


@dataclass
class Ceilings:
    """What the machine reaches: FLOPs a second, and bytes a second by the size of what is updated."""
    rate: float
    update: dict

    def bandwidth(self, size):
        """Between the measured sizes, linear in log size."""
        sizes = sorted(self.update)
        size = min(max(size, sizes[0]), sizes[-1])
        above = next(s for s in sizes if s >= size)
        below = max((s for s in sizes if s <= size))
        if above == below:
            return self.update[above]
        t = math.log(size / below) / math.log(above / below)
        return (1 - t) * self.update[below] + t * self.update[above]


@dataclass
class Shape:
    """A fit. learned: the features have parameters of their own, so that dc is needed."""
    sizes: tuple = (784, 64, 10)
    features: int = 6       # R
    draws: int = 8          # M
    batch: int = 128        # B
    collocation: bool = True
    learned: bool = False
    shared: bool = True     # all draws look at one minibatch: the factored plan is possible

    @property
    def weights(self):
        return [a * b for a, b in zip(self.sizes, self.sizes[1:])]

    @property
    def params(self):
        return sum(self.weights) + sum(self.sizes[1:])


def step_flops(s, plan=None):
    """Of the plan, or of the cheaper one."""
    first, rest = s.weights[0], sum(s.weights[1:])
    behind = s.params - first - s.sizes[1]
    deep = 6 * s.batch * rest * s.draws
    mixed = s.features * s.draws
    direct = 4 * s.batch * first * s.draws + deep + (6 if s.learned else 4) * mixed * s.params
    if plan == "direct" or s.collocation or not s.shared:
        return direct
    factored = (4 * s.batch * first * s.features + deep + 3 * s.features**2 * s.params +
                (6 if s.learned else 4) * mixed * (s.batch * s.sizes[1] + behind))
    return factored if plan == "factored" else min(direct, factored)


def step_bytes(s):
    """(bytes moved, size of the state)"""
    head = s.features * s.params
    if s.collocation:
        return 20 * head + 8 * s.draws * s.params, 8 * head + 4 * s.draws * s.params
    return 28 * head, 12 * head


def step_floor(s, ceilings, plan=None):
    moved, state = step_bytes(s)
    return max(step_flops(s, plan) / ceilings.rate, moved / ceilings.bandwidth(state))


def refit_floor(sizes, models, batch, ceilings):
    """A step of refits: Adam reads and writes θ, m, v of each."""
    s = Shape(sizes=sizes, draws=models, batch=batch)
    flops = (4 * s.weights[0] + 6 * sum(s.weights[1:])) * batch * models
    return max(flops / ceilings.rate,
               24 * models * s.params / ceilings.bandwidth(12 * models * s.params))


def models_floor(sizes, features, models, rows, ceilings):
    """Models of a generator on so many rows, forward only, by the cheaper plan."""
    s = Shape(sizes=sizes)
    first, rest = s.weights[0], sum(s.weights[1:])
    direct = 2 * rows * (first + rest) * models + 2 * features * models * s.params
    factored = 2 * rows * (first * features + sizes[1] * features * models + rest * models)
    return min(direct, factored) / ceilings.rate


@dataclass
class Response:
    nodes: int
    snapshots: int
    rows: int
    inputs: int
    components: int
    iterations: int
    blocks: int = 16


def response_floor(r, n, ceilings, sizes=(784, 64, 10)):
    """All but the projection of the inputs is computed in r.inputs of them."""
    whole = sizes[0]
    sizes = (min(r.inputs, whole), *sizes[1:])
    s = Shape(sizes=sizes)
    first, rest = s.weights[0], sum(s.weights[1:])
    kept = min(r.components, sizes[0] + 1)
    product = r.blocks * r.rows * (4 * kept * sizes[1] + 8 * rest)
    factors = 4 * r.blocks * sum(o * (i + 1)**2 + o**2 * (i + 1) for i, o in zip(sizes, sizes[1:]))
    gradients = n * (4 * first + 6 * rest)
    products = r.snapshots * (r.iterations + 1) - 1
    flops = r.nodes * (r.snapshots * (gradients + r.iterations * factors) + products * product)
    flops += r.rows * (whole + 1)**2  # the inputs' second moment, once
    if sizes[0] < whole:
        flops += 2 * n * whole * sizes[0]
    return flops / ceilings.rate
