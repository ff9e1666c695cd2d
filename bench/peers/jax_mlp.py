#!/usr/bin/env python3
"""The fit with learned features in JAX, as in torch_mlp.py: both execution plans, vmapped over the draws,
gradients by autograd; the quicker counts."""
import math

import common as c
import jax_common as j
from jax_common import jax, jnp, np

BETA1, BETA2 = 0.9, 0.999
FIRST, REST = c.SIZES[0], c.SIZES[0] + c.HIDDEN


def tables_of(o, random, train, steps):
    """Inputs of the features (steps, M, 1+K), ω, λ, rates, row numbers and the data."""
    u = 2 * (np.arange(o.draws) + random.random((steps, o.draws))) / o.draws - 1
    omega = j.dirichlet(random, steps, o.draws)
    lambdas = c.LAMBDA_LOW * np.exp((u + 1) / 2 * math.log(c.LAMBDA_HIGH / c.LAMBDA_LOW))
    rates = c.cosine_rates(steps, 3e-3, c.warmup(steps))
    single = [jnp.asarray(v, jnp.float32) for v in (np.concatenate([u[..., None], omega - 1], 2), omega,
                                                    lambdas, rates)]
    index = jnp.asarray(j.minibatches(random, train.n, steps, 1)[:, 0])
    return (*single, index, train.x, train.labels, train.blocks)


def features_of(net, inputs):
    """c (M, R)"""
    (w1, b1), (w2, b2) = net
    out = jax.nn.relu(inputs @ w1 + b1) @ w2 + b2
    return jnp.concatenate([jnp.ones((len(inputs), 1)), out], axis=1)


def direct(params, inputs, x, y, weights, lambdas):
    net, head = params
    theta = features_of(net, inputs) @ head
    return jax.vmap(j.criterion, in_axes=(0, None, None, 0, 0))(theta, x, y, weights, lambdas).mean()


def factored(params, inputs, x, y, weights, lambdas):
    net, head = params
    features = features_of(net, inputs)
    z = head[:, :FIRST].reshape(-1, c.INPUTS) @ x.T                      # (R·H, B)
    z = z.reshape(len(head), c.HIDDEN, -1) + head[:, FIRST:REST, None]
    h = jax.nn.relu(jnp.tensordot(features, z, 1))                       # (M, H, B)
    tail = features @ head[:, REST:]
    w2 = tail[:, :-c.CLASSES].reshape(-1, c.CLASSES, c.HIDDEN)
    logits = jnp.einsum("mch,mhb->mcb", w2, h) + tail[:, -c.CLASSES:, None]
    own = jnp.take_along_axis(logits, jnp.broadcast_to(y, (len(features), 1, len(y))), 1)[:, 0]
    nll = (weights * (jax.nn.logsumexp(logits, axis=1) - own)).mean()
    s = (features * lambdas[:, None]).T @ features / len(features)
    return nll + jnp.sum(s * (head @ head.T))


def step_with(loss):
    def step(t, state, tables):
        params, moment1, moment2 = state
        inputs, omega, lambdas, rates, index, images, labels, blocks = tables
        rows = index[t]
        gradient = jax.grad(loss)(params, inputs[t], images[rows], labels[rows],
                                  omega[t][:, blocks[rows]], lambdas[t])
        leaves, tree = jax.tree.flatten(params)
        moved = [j.adam(g, a, b, t, BETA1, BETA2) for g, a, b in
                 zip(jax.tree.leaves(gradient), moment1, moment2)]
        leaves = [p - rates[t] * m[0] for p, m in zip(leaves, moved)]
        return jax.tree.unflatten(tree, leaves), [m[1] for m in moved], [m[2] for m in moved]
    return step


def main():
    o = c.options(__doc__.splitlines()[0], rank=(int, 24), draws=(int, 16))
    random = np.random.default_rng(o.seed)
    train, validation = j.load(o, random)
    steps = c.steps_of(o, train.n)
    net = (j.linear(random, 1 + c.BLOCKS, 128), j.linear(random, 128, o.rank))
    theta0 = j.initial_theta(random)

    def start():
        head = jnp.zeros((o.rank + 1, c.PARAMS)).at[0].set(theta0)
        params = (net, head)
        zeros = [jnp.zeros_like(p) for p in jax.tree.leaves(params)]
        return params, zeros, [jnp.zeros_like(z) for z in zeros]

    def models(state, u, omega):
        omega = jnp.zeros((len(u), c.BLOCKS)) if omega is None else omega
        return features_of(state[0][0], jnp.concatenate([u[:, None], omega], 1)), state[0][1]

    j.Peer(o, "mlp", steps, {"direct": step_with(direct), "factored": step_with(factored)}, start,
           tables_of(o, random, train, steps), models, validation).main()


if __name__ == "__main__":
    main()
