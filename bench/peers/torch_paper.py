#!/usr/bin/env python3
"""Protocol paper in PyTorch, done well: the 17–128–128–P generator, one draw (λ, ω) a minibatch.

Data and draws lie on the device, gradients come from autograd, Adam is PyTorch's fused one, and the
whole step is one CUDA graph on a GPU.
"""
import math

import torch
import torch.nn.functional as F

import common as c
import torch_common as t


def generator():
    """PyTorch's initialisation of nn.Linear, uniform ±1/√fan_in, throughout."""
    return torch.nn.Sequential(torch.nn.Linear(1 + c.BLOCKS, 128), torch.nn.ReLU(),
                               torch.nn.Linear(128, 128), torch.nn.ReLU(),
                               torch.nn.Linear(128, c.PARAMS))


def models(g, u, omega):
    """c (M, R), the head's inputs and 1, and Θ (R, P), its weights and bias."""
    inputs = torch.cat([u[:, None], 1 + (torch.zeros(len(u), c.BLOCKS, device=u.device)
                                         if omega is None else omega)], dim=1)
    features = torch.cat([g[:-1](inputs), torch.ones(len(u), 1, device=u.device)], dim=1)
    return features, torch.cat([g[-1].weight.T, g[-1].bias[None]])


def criterion(theta, x, y, weights, lam):
    """mean_i ω_i CE_i + λ Σθ² of one network, θ (P)."""
    w1, b1, w2, b2 = (part[0] for part in t.split(theta[None]))
    logits = F.linear(torch.relu(F.linear(x, w1, b1)), w2, b2)
    return (weights * F.cross_entropy(logits, y, reduction="none")).mean() + lam * theta.square().sum()


def main():
    o = t.options(__doc__.splitlines()[0])
    train, validation = t.load(o)
    steps = c.steps_of(o, train.n)
    exponent = math.log10(c.LAMBDA_LOW) + c.DECADES * torch.rand(steps, 1, device=o.device)
    omega = t.dirichlet(o.device, steps)
    inputs = torch.cat([2 * (exponent - math.log10(c.LAMBDA_LOW)) / c.DECADES - 1, omega], dim=1)
    lambdas = 10**exponent[:, 0]
    index = t.minibatches(train.n, steps, 1, o.device)

    g = generator().to(o.device)
    start = [p.detach().clone() for p in g.parameters()]
    adam = torch.optim.Adam(g.parameters(), lr=1e-3, fused=True,
                            capturable=o.device.startswith("cuda"))
    now = torch.zeros(1, dtype=torch.long, device=o.device)

    @torch.no_grad()
    def reset():
        for p, first in zip(g.parameters(), start):
            p.copy_(first)
        for state in adam.state.values():
            for value in state.values():
                value.zero_()
        now.zero_()

    def loss():
        rows = index[now][0, 0]
        return criterion(g(inputs[now][0]), train.x[rows], train.labels[rows],
                         omega[now][0][train.blocks[rows]], lambdas[now][0])

    def step_with(function):
        def step():
            adam.zero_grad(set_to_none=True)
            function().backward()
            adam.step()
            now.add_(1)
        return step

    ways = {"eager": step_with(loss), "compile": step_with(torch.compile(loss))}
    t.Peer(o, "paper", steps, ways, reset, lambda *at: models(g, *at), validation).main()


if __name__ == "__main__":
    main()
