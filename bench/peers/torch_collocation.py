#!/usr/bin/env python3
"""The default fit in PyTorch: collocation descent (README, "How it works") with the recipe's settings.

Features T_0..T_5, M = 8 nodes of two minibatches of 128, stretched, tilted; Adam's betas (0.8, 0.99) and
the cosine rate of the recipe. Everything that does not depend on the weights (nodes, features,
projections, row numbers, step sizes) is computed before the clock starts, for all steps at once, and the
step is one CUDA graph on a GPU.
"""
import math

import torch

import common as c
import torch_common as t

RIDGE, BETA1, BETA2, EPSILON = 1e-3, 0.8, 0.99, 1e-8


def chebyshev(u, degree):
    """T_0..T_degree of u in a last dimension."""
    return torch.cos(torch.arange(degree + 1, dtype=u.dtype, device=u.device) *
                     torch.acos(u.clamp(-1, 1))[..., None])


def nodes(steps, draws, sets):
    """u (steps, M): cos(π t), t = ½ + stretch·((j+φ)/M − ½) in [0, 1]; draw m is node
    j = (m mod M/S)·S + ⌊m/(M/S)⌋, so that neighbours look at different minibatches."""
    stretch, share = draws / (draws - 0.9), draws // sets
    m = torch.arange(draws)
    j = (m % share) * sets + m // share
    phi = torch.rand(steps, 1, dtype=torch.float64)
    at = 0.5 + stretch * ((j + phi) / draws - 0.5)
    return torch.cos(math.pi * at.clamp(0, 1))


class Tables:
    """What every step looks up: features (steps, M, R), λ (steps, M), projections (steps, R, M), rates
    and bias corrections (steps), row numbers (steps, S, B)."""

    def __init__(self, o, steps, n):
        u = nodes(steps, o.draws, o.minibatches)
        features = chebyshev(u, o.degree)
        lambdas = torch.exp(math.log(c.LAMBDA_LOW) +
                            (u + 1) / 2 * math.log(c.LAMBDA_HIGH / c.LAMBDA_LOW))
        gram = features.transpose(1, 2) @ features / o.draws + RIDGE * torch.eye(
            o.degree + 1, dtype=torch.float64)
        weights = torch.linalg.solve(gram, features.transpose(1, 2)) / o.draws
        weights = weights * torch.exp2(-c.tuned_tilt(steps) * u)[:, None]
        at = torch.arange(1, steps + 1, dtype=torch.float64)
        rates = torch.tensor(c.cosine_rates(steps, c.tuned_rate(steps), c.warmup(steps)))
        rates = rates / (1 - BETA1**at)
        self.features, self.lambdas, self.weights, self.rates, self.corrections = (
            table.float().to(o.device)
            for table in (features, lambdas, weights, rates, 1 / (1 - BETA2**at)))
        self.index = t.minibatches(n, steps, o.minibatches, o.device)


def main():
    o = t.options(__doc__.splitlines()[0], degree=(int, 5), draws=(int, 8), minibatches=(int, 2))
    train, validation = t.load(o)
    steps = c.steps_of(o, train.n)
    at = Tables(o, steps, train.n)

    theta = torch.zeros(o.degree + 1, c.PARAMS, device=o.device)
    start = t.initial_theta(1, o.device)[0]
    moment1 = torch.zeros_like(theta)
    moment2 = torch.zeros(o.draws, c.PARAMS, device=o.device)
    now = torch.zeros(1, dtype=torch.long, device=o.device)

    @torch.no_grad()
    def reset():
        for state in (theta, moment1, moment2, now):
            state.zero_()
        theta[0] = start

    @torch.no_grad()
    def step():
        rows = at.index[now][0]                                          # (S, B)
        grad = t.gradients(at.features[now][0] @ theta, train.x[rows], train.labels[rows],
                           at.lambdas[now][0])
        moment2.mul_(BETA2).addcmul_(grad, grad, value=1 - BETA2)
        own = grad / ((moment2 * at.corrections[now]).sqrt() + EPSILON)
        moment1.mul_(BETA1).add_(at.weights[now][0] @ own, alpha=1 - BETA1)
        theta.sub_(at.rates[now] * moment1)
        now.add_(1)

    ways = {"eager": step, "compile": torch.compile(step)}
    t.Peer(o, "collocation", steps, ways, reset,
           lambda u, _: (chebyshev(u, o.degree), theta), validation).main()


if __name__ == "__main__":
    main()
