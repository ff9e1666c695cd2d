#!/usr/bin/env python3
"""The fit with learned features in PyTorch: g(ω, λ) = Θ_0 + Σ c_k(ω, λ) Θ_k, c the 24 outputs of a network
17–128–24 on (u, ω − 1), M = 16 draws of (λ, ω) on one minibatch of 128, K = 16 blocks, Adam 3e-3 cosine.

Both execution plans (README), each plain and compiled, with gradients by hand as far as the head goes and
autograd through the small network; the quickest counts. Draws and row numbers are computed before the clock
starts.
"""
import math

import torch

import common as c
import torch_common as t

FIRST = c.HIDDEN * c.INPUTS


class Fit:
    """Data, draws and parameters of the fit; the ways of a step differ in how they fill the gradients."""

    def __init__(self, o, train, steps):
        self.o, self.train, self.m = o, train, o.draws
        self.index = t.minibatches(train.n, steps, 1, o.device)[:, 0]           # (steps, B)
        strata = (torch.arange(o.draws) + torch.rand(steps, o.draws)) / o.draws
        self.omega = t.dirichlet(o.device, steps, o.draws)                      # (steps, M, K)
        u = (2 * strata - 1).to(o.device)
        self.inputs = torch.cat([u[..., None], self.omega - 1], dim=2)          # (steps, M, 1+K)
        self.lambdas = c.LAMBDA_LOW * torch.exp((u + 1) / 2 * math.log(c.LAMBDA_HIGH / c.LAMBDA_LOW))
        self.rates = torch.tensor(c.cosine_rates(steps, 3e-3, c.warmup(steps)), device=o.device)
        self.net = torch.nn.Sequential(torch.nn.Linear(1 + c.BLOCKS, 128), torch.nn.ReLU(),
                                       torch.nn.Linear(128, o.rank)).to(o.device)
        self.head = torch.zeros(o.rank + 1, c.PARAMS, device=o.device, requires_grad=True)
        self.start = [p.detach().clone() for p in self.net.parameters()]
        self.theta0 = t.initial_theta(1, o.device)[0]
        self.rate = torch.zeros((), device=o.device)
        self.all = [*self.net.parameters(), self.head]
        for p in self.all:
            p.grad = torch.zeros_like(p)
        self.adam = torch.optim.Adam(self.all, lr=self.rate, betas=(0.9, 0.999), fused=True,
                                     capturable=o.device.startswith("cuda"))
        self.now = torch.zeros(1, dtype=torch.long, device=o.device)

    @torch.no_grad()
    def reset(self):
        for p, first in zip(self.net.parameters(), self.start):
            p.copy_(first)
        self.head.zero_()
        self.head[0] = self.theta0
        for state in self.adam.state.values():
            for value in state.values():
                value.zero_()
        self.now.zero_()

    def features(self, inputs):
        """c (M, R)"""
        return torch.cat([torch.ones(len(inputs), 1, device=inputs.device), self.net(inputs)], dim=1)

    def batch(self):
        """x (B, d), y (B), weights of the rows (M, B), λ (M)"""
        rows = self.index[self.now][0]
        weights = self.omega[self.now][0][:, self.train.blocks[rows]]
        return self.train.x[rows], self.train.labels[rows], weights, self.lambdas[self.now][0]

    def backward(self, features, dc):
        """Into the gradients of the feature network."""
        grads = torch.autograd.grad(features, list(self.net.parameters()), dc)
        for p, g in zip(self.net.parameters(), grads):
            p.grad.copy_(g)

    def fill_with(self, gradient):
        """The gradients, with gradient(c, x, y, weights, λ) → (dΘ, dc)."""
        def fill():
            features = self.features(self.inputs[self.now][0])
            with torch.no_grad():
                dhead, dc = gradient(features.detach(), self.head, *self.batch())
                self.head.grad.copy_(dhead)
            self.backward(features, dc)
        return fill

    def direct(self, own, head, x, y, weights, lambdas):
        """θ_m materialised: dΘ = cᵀdθ, dc = dθ Θᵀ."""
        grad = t.gradients(own @ head, x[None], y[None], lambdas, weights) / self.m
        return own.T @ grad, grad @ head.T

    def factored(self, own, head, x, y, weights, lambdas):
        """Z_k = X W1_kᵀ for all k, mixed by c; the penalty through the head's Gram matrix."""
        rank, m, rows = self.o.rank + 1, self.m, len(x)
        rest = FIRST + c.HIDDEN
        w1 = head[:, :FIRST].reshape(-1, c.INPUTS)
        z = torch.mm(w1, x.T).view(rank, c.HIDDEN, rows) + head[:, FIRST:rest, None]
        h = torch.relu(torch.mm(own, z.view(rank, -1))).view(m, c.HIDDEN, rows)
        tail = own @ head[:, rest:]                                             # (M, P')
        w2, b2 = tail[:, :-c.CLASSES].view(m, c.CLASSES, c.HIDDEN), tail[:, -c.CLASSES:]
        logits = (torch.bmm(w2, h) + b2[:, :, None]).transpose(1, 2)            # (M, B, C)
        d = t.logit_gradient(logits, y.expand(m, rows), weights).transpose(1, 2) / m
        da = torch.bmm(w2.transpose(1, 2), d) * (h > 0)                         # (M, H, B)
        dtail = torch.cat([torch.bmm(d, h.transpose(1, 2)).view(m, -1), d.sum(2)], dim=1)
        e = torch.mm(own.T, da.view(m, -1)).view(-1, rows)                      # (R·H, B)
        scaled = own * (lambdas / m)[:, None]
        grad = torch.mm(2 * scaled.T @ own, head)                               # 2 S Θ
        grad[:, :FIRST] += torch.mm(e, x).view(rank, -1)
        grad[:, FIRST:rest] += e.view(rank, c.HIDDEN, rows).sum(2)
        grad[:, rest:] += own.T @ dtail
        dc = (da.view(m, -1) @ z.view(rank, -1).T + dtail @ head[:, rest:].T +
              2 * scaled @ (head @ head.T))
        return grad, dc

    def step_with(self, fill):
        def step():
            self.rate.copy_(self.rates[self.now][0])
            fill()
            self.adam.step()
            self.now.add_(1)
        return step


def main():
    o = t.options(__doc__.splitlines()[0], rank=(int, 24), draws=(int, 16))
    train, validation = t.load(o)
    steps = c.steps_of(o, train.n)
    fit = Fit(o, train, steps)
    fit.reset()

    def models(u, omega):
        omega = torch.zeros(len(u), c.BLOCKS, device=o.device) if omega is None else omega
        return fit.features(torch.cat([u[:, None], omega], dim=1)), fit.head

    ways = {}
    for name, gradient in (("direct", fit.direct), ("factored", fit.factored)):
        ways[name] = fit.step_with(fit.fill_with(gradient))
        ways["compile " + name] = fit.step_with(fit.fill_with(torch.compile(gradient)))
    t.Peer(o, "mlp", steps, ways, fit.reset, models, validation).main()


if __name__ == "__main__":
    main()
