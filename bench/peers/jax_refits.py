#!/usr/bin/env python3
"""D refits from scratch as one batch in JAX, vmapped over the models, as in torch_refits.py."""
import common as c
import jax_common as j
from jax_common import jax, jnp, np


def step_with(gradient):
    over_models = jax.vmap(gradient, in_axes=(0, None, None, 0))

    def step(t, state, tables):
        theta, moment1, moment2 = state
        lambdas, rates, index, images, labels = tables
        grad = over_models(theta, images[index[t]], labels[index[t]], lambdas)
        move, moment1, moment2 = j.adam(grad, moment1, moment2, t, 0.9, 0.99)
        return theta - rates[t] * move, moment1, moment2
    return step


def main():
    o = c.options(__doc__.splitlines()[0], models=(int, c.POINTS))
    random = np.random.default_rng(o.seed)
    train, validation = j.load(o, random)
    steps = c.steps_of(o, train.n)
    values = c.lambda_grid() if o.models == c.POINTS else [3e-4] * o.models
    rates = c.cosine_rates(steps, c.tuned_rate(steps), c.warmup(steps))
    index = j.minibatches(random, train.n, steps, 1)[:, 0]
    theta0 = np.repeat(j.initial_theta(random)[None], o.models, axis=0)
    tables = (jnp.asarray(values, jnp.float32), jnp.asarray(rates, jnp.float32), jnp.asarray(index),
              train.x, train.labels)

    def start():
        zeros = jnp.zeros((o.models, c.PARAMS))
        return jnp.asarray(theta0), zeros, jnp.zeros_like(zeros)

    automatic = jax.grad(lambda theta, x, y, lam: j.criterion(theta, x, y, 1.0, lam))
    j.Peer(o, "refits", steps, {"autograd": step_with(automatic), "by hand": step_with(j.own_gradient)},
           start, tables, lambda state, *_: (jnp.eye(o.models), state[0]), validation).main()


if __name__ == "__main__":
    main()
