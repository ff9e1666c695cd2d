#!/usr/bin/env python3
"""Protocol paper in JAX, as in torch_paper.py: one compiled loop, gradients by autograd."""
import math

import common as c
import jax_common as j
from jax_common import jax, jnp, np


def tables_of(random, train, steps):
    exponent = math.log10(c.LAMBDA_LOW) + c.DECADES * random.random(steps)
    u = 2 * (exponent - math.log10(c.LAMBDA_LOW)) / c.DECADES - 1
    omega = j.dirichlet(random, steps)
    single = [jnp.asarray(v, jnp.float32) for v in (np.concatenate([u[:, None], omega], 1), omega,
                                                    10**exponent)]
    index = jnp.asarray(j.minibatches(random, train.n, steps, 1)[:, 0])
    return (*single, index, train.x, train.labels, train.blocks)


def hidden(net, inputs):
    for w, b in net[:-1]:
        inputs = jax.nn.relu(inputs @ w + b)
    return inputs


def loss(net, inputs, x, y, weights, lam):
    w, b = net[-1]
    return j.criterion(hidden(net, inputs) @ w + b, x, y, weights, lam)


def step(t, state, tables):
    net, moment1, moment2 = state
    inputs, omega, lambdas, index, images, labels, blocks = tables
    rows = index[t]
    gradient = jax.grad(loss)(net, inputs[t], images[rows], labels[rows], omega[t][blocks[rows]],
                              lambdas[t])
    leaves, tree = jax.tree.flatten(net)
    moved = [j.adam(g, a, b, t, 0.9, 0.999) for g, a, b in
             zip(jax.tree.leaves(gradient), moment1, moment2)]
    leaves = [p - 1e-3 * m[0] for p, m in zip(leaves, moved)]
    return jax.tree.unflatten(tree, leaves), [m[1] for m in moved], [m[2] for m in moved]


def main():
    o = c.options(__doc__.splitlines()[0])
    random = np.random.default_rng(o.seed)
    train, validation = j.load(o, random)
    steps = c.steps_of(o, train.n)
    net = [j.linear(random, *shape) for shape in ((1 + c.BLOCKS, 128), (128, 128), (128, c.PARAMS))]

    def start():
        copy = jax.tree.map(jnp.array, net)
        zeros = [jnp.zeros_like(p) for p in jax.tree.leaves(net)]
        return copy, zeros, [jnp.zeros_like(z) for z in zeros]

    def models(state, u, omega):
        (w, b), ones = state[0][-1], jnp.ones((len(u), c.BLOCKS))
        features = hidden(state[0], jnp.concatenate([u[:, None], ones if omega is None else
                                                     1 + omega], 1))
        return (jnp.concatenate([features, jnp.ones((len(u), 1))], 1), jnp.concatenate([w, b[None]]))

    j.Peer(o, "paper", steps, {"autograd": step}, start, tables_of(random, train, steps), models,
           validation).main()


if __name__ == "__main__":
    main()
