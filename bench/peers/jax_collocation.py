#!/usr/bin/env python3
"""The default fit in JAX: collocation descent as in torch_collocation.py, vmapped over the draws."""
import math

import common as c
import jax_common as j
from jax_common import jax, jnp, np

RIDGE, BETA1, BETA2 = 1e-3, 0.8, 0.99


def chebyshev(u, degree):
    return np.cos(np.arange(degree + 1) * np.arccos(np.clip(u, -1, 1))[..., None])


def tables_of(o, random, train, steps):
    """Features (steps, M, R), λ, projections (steps, R, M), rates, row numbers and the data."""
    draws, sets = o.draws, o.minibatches
    stretch, share, m = draws / (draws - 0.9), draws // sets, np.arange(draws)
    place = (m % share) * sets + m // share
    at = 0.5 + stretch * ((place + random.random((steps, 1))) / draws - 0.5)
    u = np.cos(math.pi * np.clip(at, 0, 1))
    features = chebyshev(u, o.degree)
    gram = np.swapaxes(features, 1, 2) @ features / draws + RIDGE * np.eye(o.degree + 1)
    weights = np.linalg.solve(gram, np.swapaxes(features, 1, 2)) / draws
    weights *= np.exp2(-c.tuned_tilt(steps) * u)[:, None]
    t = np.arange(1, steps + 1)
    rates = np.array(c.cosine_rates(steps, c.tuned_rate(steps), c.warmup(steps))) / (1 - BETA1**t)
    lambdas = c.LAMBDA_LOW * np.exp((u + 1) / 2 * math.log(c.LAMBDA_HIGH / c.LAMBDA_LOW))
    single = [jnp.asarray(v, jnp.float32) for v in (features, lambdas, weights, rates,
                                                    1 / (1 - BETA2**t))]
    index = jnp.asarray(j.minibatches(random, train.n, steps, sets))
    return (*single, index, train.x, train.labels)


def step_with(gradient, sets):
    over_draws = jax.vmap(gradient, in_axes=(0, None, None, 0))  # the draws of one minibatch
    over_sets = jax.vmap(over_draws)

    def step(t, state, tables):
        theta, moment1, moment2 = state
        features, lambdas, weights, rates, corrections, index, images, labels = tables
        x, y = images[index[t]], labels[index[t]]                        # (S, B, d), (S, B)
        own = (features[t] @ theta).reshape(sets, -1, c.PARAMS)
        grad = over_sets(own, x, y, lambdas[t].reshape(sets, -1)).reshape(-1, c.PARAMS)
        moment2 = BETA2 * moment2 + (1 - BETA2) * jnp.square(grad)
        grad = grad / (jnp.sqrt(moment2 * corrections[t]) + 1e-8)
        moment1 = BETA1 * moment1 + (1 - BETA1) * (weights[t] @ grad)
        return theta - rates[t] * moment1, moment1, moment2
    return step


def main():
    o = c.options(__doc__.splitlines()[0], degree=(int, 5), draws=(int, 8), minibatches=(int, 2))
    random = np.random.default_rng(o.seed)
    train, validation = j.load(o, random)
    steps = c.steps_of(o, train.n)
    theta0 = j.initial_theta(random)

    def start():
        theta = np.zeros((o.degree + 1, c.PARAMS), np.float32)
        theta[0] = theta0
        return (jnp.asarray(theta), jnp.zeros((o.degree + 1, c.PARAMS)),
                jnp.zeros((o.draws, c.PARAMS)))

    automatic = jax.grad(lambda theta, x, y, lam: j.criterion(theta, x, y, 1.0, lam))
    ways = {"autograd": step_with(automatic, o.minibatches),
            "by hand": step_with(j.own_gradient, o.minibatches)}
    j.Peer(o, "collocation", steps, ways, start, tables_of(o, random, train, steps),
           lambda state, u, _: (jnp.asarray(chebyshev(np.asarray(u), o.degree), jnp.float32), state[0]),
           validation).main()


if __name__ == "__main__":
    main()
