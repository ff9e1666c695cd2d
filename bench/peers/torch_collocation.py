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

M, SETS, DEGREE, RIDGE, BETA1, BETA2, EPSILON = 8, 2, 5, 1e-3, 0.8, 0.99, 1e-8


def recipe(steps):
    """Peak rate and tilt (src/train/recipe.c)."""
    longer = max(1.0, steps / 1953)
    return 5e-3 * longer**-0.37, min(0.5 * math.sqrt(longer), 1.0)


def chebyshev(u):
    """T_0..T_DEGREE of u in a last dimension."""
    return torch.cos(torch.arange(DEGREE + 1, dtype=u.dtype) * torch.acos(u)[..., None])


def nodes(steps):
    """u (steps, M): cos(π t), t = ½ + stretch·((j+φ)/M − ½) in [0, 1]; draw m is node
    j = (m mod M/S)·S + ⌊m/(M/S)⌋, so that neighbours look at different minibatches."""
    stretch, share = M / (M - 0.9), M // SETS
    m = torch.arange(M)
    j = (m % share) * SETS + m // share
    phi = torch.rand(steps, 1, dtype=torch.float64)
    t = 0.5 + stretch * ((j + phi) / M - 0.5)
    return torch.cos(math.pi * t.clamp(0, 1))


def main():
    o = c.options(__doc__.splitlines()[0])
    train, validation = c.load(o)
    steps = c.steps_of(o, train.n)
    peak, tilt = recipe(steps)

    u = nodes(steps)
    features = chebyshev(u)                                              # (steps, M, R)
    lambdas = torch.exp(math.log(c.LAMBDA_LOW) +
                        (u + 1) / 2 * math.log(c.LAMBDA_HIGH / c.LAMBDA_LOW))
    gram = features.transpose(1, 2) @ features / M + RIDGE * torch.eye(DEGREE + 1,
                                                                       dtype=torch.float64)
    weights = torch.linalg.solve(gram, features.transpose(1, 2)) / M     # (steps, R, M)
    weights = weights * torch.exp2(-tilt * u)[:, None]
    t = torch.arange(1, steps + 1, dtype=torch.float64)
    rates = c.cosine_rates(steps, peak, min(50, steps // 10)) / (1 - BETA1**t)
    corrections = 1 / (1 - BETA2**t)
    features, lambdas, weights, rates, corrections = (
        table.float().to(o.device) for table in (features, lambdas, weights, rates, corrections))
    index = c.minibatches(train.n, steps, SETS, o.device)

    theta = torch.zeros(DEGREE + 1, c.PARAMS, device=o.device)
    start = c.initial_theta(1, o.device)[0]
    moment1 = torch.zeros_like(theta)
    moment2 = torch.zeros(M, c.PARAMS, device=o.device)
    now = torch.zeros(1, dtype=torch.long, device=o.device)

    def reset():
        for state in (theta, moment1, moment2, now):
            state.zero_()
        theta[0] = start

    @torch.no_grad()
    def step():
        rows = index[now][0]                                             # (S, B)
        x = train.inputs(rows)
        grad, _ = c.gradients(features[now][0] @ theta, x, train.labels[rows], lambdas[now][0])
        moment2.mul_(BETA2).add_(grad.square(), alpha=1 - BETA2)
        own = grad / ((moment2 * corrections[now]).sqrt() + EPSILON)
        moment1.mul_(BETA1).add_(weights[now][0] @ own, alpha=1 - BETA1)
        theta.sub_(rates[now] * moment1)
        now.add_(1)

    reset()
    seconds, variant, tried = c.best_run(o, step, reset, steps)
    grid = c.lambda_grid()
    at = 2 * torch.log(grid / c.LAMBDA_LOW) / math.log(c.LAMBDA_HIGH / c.LAMBDA_LOW) - 1
    nll, accuracy = c.evaluate(chebyshev(at.clamp(-1, 1)).float().to(o.device) @ theta, validation)
    c.finish(o, "collocation", steps, seconds, variant=variant, us_per_step_tried={
        k: v * 1e6 for k, v in tried.items()}, val_nll=nll, val_acc=accuracy)


if __name__ == "__main__":
    main()
