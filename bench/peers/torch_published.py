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
from torch_paper import generator


def weights_of(network, theta):
    """θ as the network's named parameters."""
    named, at = {}, 0
    for name, p in network.named_parameters():
        named[name] = theta[at:at + p.numel()].view_as(p)
        at += p.numel()
    return named


def train_steps(o, loader, g, network, adam, steps):
    decades = math.log10(c.LAMBDA_HIGH / c.LAMBDA_LOW)
    dirichlet = torch.distributions.Dirichlet(torch.ones(c.BLOCKS))
    done = 0
    while done < steps:
        for x, y, block in loader:
            x, y, block = x.to(o.device), y.to(o.device), block.to(o.device)
            exponent = math.log10(c.LAMBDA_LOW) + decades * torch.rand(1)
            omega = c.BLOCKS * dirichlet.sample()
            u = 2 * (exponent - math.log10(c.LAMBDA_LOW)) / decades - 1
            theta = g(torch.cat([u, omega]).to(o.device))
            logits = functional_call(network, weights_of(network, theta), (x,))
            losses = F.cross_entropy(logits, y, reduction="none")
            loss = (omega.to(o.device)[block] * losses).mean()
            loss = loss + 10**exponent.item() * theta.square().sum()
            adam.zero_grad()
            loss.backward()
            adam.step()
            done += 1
            if done == steps:
                return


def main():
    o = c.options(__doc__.splitlines()[0])
    where, o.device = o.device, "cpu"  # the data stay on the host, as a DataLoader has them
    train, validation = c.load(o)
    o.device = where
    loader = DataLoader(TensorDataset(train.inputs(), train.labels, train.blocks), c.BATCH,
                        shuffle=True, drop_last=True)
    steps = c.steps_of(o, train.n)
    g = generator().to(o.device)
    network = torch.nn.Sequential(torch.nn.Linear(c.INPUTS, c.HIDDEN), torch.nn.ReLU(),
                                  torch.nn.Linear(c.HIDDEN, c.CLASSES)).to(o.device)
    adam = torch.optim.Adam(g.parameters(), lr=1e-3)
    train_steps(o, loader, g, network, adam, 5)  # warm-up: five steps more than the protocol has
    c.wait(o.device)
    begin = c.time.perf_counter()
    train_steps(o, loader, g, network, adam, steps)
    c.wait(o.device)
    seconds = c.time.perf_counter() - begin
    at = torch.linspace(-1, 1, c.POINTS)[:, None]
    with torch.no_grad():
        theta = g(torch.cat([at, torch.ones(c.POINTS, c.BLOCKS)], dim=1).to(o.device)).cpu()
    nll, accuracy = c.evaluate(theta, validation)
    c.finish(o, "published", steps, seconds, variant="eager", val_nll=nll, val_acc=accuracy)


if __name__ == "__main__":
    main()
