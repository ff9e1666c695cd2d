#!/usr/bin/env python3
"""Protocol paper in PyTorch the way such scripts are commonly written: a DataLoader over normalised
images, one draw a minibatch, functional_call on the target network, plain Adam. A second row beside
torch_paper.py, which does the same work without the overhead."""
import math

import torch
import torch.nn.functional as F
from torch.func import functional_call
from torch.utils.data import DataLoader, TensorDataset

import common as c
import torch_common as t
from torch_paper import generator, models


def weights_of(network, theta):
    """θ as the network's named parameters."""
    named, at = {}, 0
    for name, p in network.named_parameters():
        named[name] = theta[at:at + p.numel()].view_as(p)
        at += p.numel()
    return named


def endless(loader):
    while True:
        yield from loader


def step_loss(o, g, network, batch):
    x, y, block = (part.to(o.device) for part in batch)
    exponent = math.log10(c.LAMBDA_LOW) + c.DECADES * torch.rand(1)
    omega = c.BLOCKS * torch.distributions.Dirichlet(torch.ones(c.BLOCKS)).sample()
    u = 2 * (exponent - math.log10(c.LAMBDA_LOW)) / c.DECADES - 1
    theta = g(torch.cat([u, omega]).to(o.device))
    logits = functional_call(network, weights_of(network, theta), (x,))
    losses = F.cross_entropy(logits, y, reduction="none")
    loss = (omega.to(o.device)[block] * losses).mean()
    return loss + 10**exponent.item() * theta.square().sum()


def main():
    o = t.options(__doc__.splitlines()[0])
    where, o.device = o.device, "cpu"  # the data stay on the host, as a DataLoader has them
    train, validation = t.load(o)
    o.device = where
    batches = endless(DataLoader(TensorDataset(train.x, train.labels, train.blocks), c.BATCH,
                                 shuffle=True, drop_last=True))
    g = generator().to(o.device)
    start = [p.detach().clone() for p in g.parameters()]
    network = torch.nn.Sequential(torch.nn.Linear(c.INPUTS, c.HIDDEN), torch.nn.ReLU(),
                                  torch.nn.Linear(c.HIDDEN, c.CLASSES)).to(o.device)
    adam = torch.optim.Adam(g.parameters(), lr=1e-3)

    @torch.no_grad()
    def reset():
        for p, first in zip(g.parameters(), start):
            p.copy_(first)
        adam.state.clear()

    def step():
        loss = step_loss(o, g, network, next(batches))
        adam.zero_grad()
        loss.backward()
        adam.step()

    class Plain(t.Peer):
        """Tried as it is, without a graph."""

        def choose(self, ways):
            self.reset()
            self.tried["plain"] = t.timed(lambda: [step() for _ in range(5)], o.device) / 5
            self.variant, self.step, self.threads = "plain", step, torch.get_num_threads()

    validation.x, validation.labels = validation.x.to(o.device), validation.labels.to(o.device)
    Plain(o, "published", c.steps_of(o, train.n), {}, reset, lambda *at: models(g, *at),
          validation).main()


if __name__ == "__main__":
    main()
