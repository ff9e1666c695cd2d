#!/usr/bin/env python3
"""D refits from scratch as one batch in PyTorch: the strong baseline, one λ of the curve each.

Batched products over the models, gradients by hand, PyTorch's fused Adam on one flat parameter, the rate
rule of the recipe (peak 5e-3, betas 0.9 and 0.99, warm-up and cosine); one CUDA graph on a GPU.
"""
import torch

import common as c


def main():
    o = c.options(__doc__.splitlines()[0], models=(int, c.POINTS))
    train, validation = c.load(o)
    steps = c.steps_of(o, train.n)
    longer = max(1.0, steps / 1953)
    rates = c.cosine_rates(steps, 5e-3 * longer**-0.37, min(50, steps // 10)).float().to(o.device)
    index = c.minibatches(train.n, steps, 1, o.device)
    grid = c.lambda_grid() if o.models == c.POINTS else torch.full((o.models,), 3e-4)
    lambdas = grid.float().to(o.device)

    theta = torch.zeros(o.models, c.PARAMS, device=o.device, requires_grad=True)
    start = c.initial_theta(1, o.device).expand(o.models, -1)
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
        grad, _ = c.gradients(theta, train.inputs(rows), train.labels[rows], lambdas)
        theta.grad.copy_(grad)
        rate.copy_(rates[now][0])
        now.add_(1)

    compiled = torch.compile(gradient)

    def step():
        gradient()
        adam.step()

    def compiled_step():
        compiled()
        adam.step()

    reset()
    seconds, variant, tried = c.best_run(o, step, reset, steps, compiled_step)
    nll, accuracy = c.evaluate(theta.detach(), validation)
    c.finish(o, "refits", steps, seconds, models=o.models, variant=variant, us_per_step_tried={
        k: v * 1e6 for k, v in tried.items()}, val_nll=nll, val_acc=accuracy)


if __name__ == "__main__":
    main()
