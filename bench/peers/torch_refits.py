#!/usr/bin/env python3
"""D refits from scratch as one batch in PyTorch: the strong baseline, one λ of the curve each.

Batched products over the models, gradients by hand, PyTorch's fused Adam on one flat parameter, the rate
rule of the recipe (peak 5e-3, betas 0.9 and 0.99, warm-up and cosine); one CUDA graph on a GPU.
"""
import torch

import common as c
import torch_common as t


def main():
    o = t.options(__doc__.splitlines()[0], models=(int, c.POINTS))
    train, validation = t.load(o)
    steps = c.steps_of(o, train.n)
    rates = torch.tensor(c.cosine_rates(steps, c.tuned_rate(steps), c.warmup(steps)), device=o.device)
    index = t.minibatches(train.n, steps, 1, o.device)
    values = c.lambda_grid() if o.models == c.POINTS else [3e-4] * o.models
    lambdas = torch.tensor(values, device=o.device)

    theta = torch.zeros(o.models, c.PARAMS, device=o.device, requires_grad=True)
    start = t.initial_theta(1, o.device).expand(o.models, -1)
    theta.grad = torch.zeros_like(theta)
    rate = torch.zeros((), device=o.device)
    adam = torch.optim.Adam([theta], lr=rate, betas=(0.9, 0.99), fused=True,
                            capturable=o.device.startswith("cuda"))
    now = torch.zeros(1, dtype=torch.long, device=o.device)

    def reset():
        with torch.no_grad():
            theta.copy_(start)
            now.zero_()
            for state in adam.state.values():
                for value in state.values():
                    value.zero_()

    @torch.no_grad()
    def gradient():
        rows = index[now][0]
        theta.grad.copy_(t.gradients(theta, train.x[rows], train.labels[rows], lambdas))
        rate.copy_(rates[now][0])
        now.add_(1)

    compiled = torch.compile(gradient)

    def step():
        gradient()
        adam.step()

    def compiled_step():
        compiled()
        adam.step()

    t.Peer(o, "refits", steps, {"eager": step, "compile": compiled_step}, reset,
           lambda *_: (torch.eye(o.models, device=o.device), theta.detach()), validation).main(models=o.models)


if __name__ == "__main__":
    main()
