# %% [markdown]
# # Tune a network on your own data
#
# One generator is trained over a whole range of penalties λ; the tuning curve, the choice of λ, the
# uncertainty and a network to deploy are then read off it. Runs in seconds on synthetic rows; put your own
# into `X`, `y`.

# %%
import tempfile
from pathlib import Path

import numpy as np

import amortune

# %% Two noisy rings, and a few test rows. X (rows, inputs) as measured; y labels of any type.
rng = np.random.default_rng(1)


def rings(n):
    outer = rng.random(n) < 0.5
    radius = np.where(outer, 2.0, 1.0) + 0.3 * rng.normal(size=n)
    angle = rng.uniform(0, 2 * np.pi, n)
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return X, np.where(outer, "outer", "inner")


X, y = rings(1200)
data = amortune.Dataset(X, y, test=rings(600), validation=0.25)
print(data)

# %% Fit. posterior="implicit" gives the generator an answer to bootstrap weights as well. Ctrl-C stops
# it; with checkpoint=… the same call and resume=True goes on.
model = amortune.fit(
    data,
    target="2-32-2",
    epochs=60,
    posterior="implicit",
    progress=lambda p: p.step == p.total and print(f"{p.task}: {p.total} steps, {p.seconds:.2f} s"),
)

# %% The tuning curve with its band over bootstrap weights.
curve = model.curve(points=9)
print("     λ      loss      (5 .. 95 %)    accuracy")
for i, lam in enumerate(curve.lam):
    low, high = curve.nll_band[i]
    print(f"{lam:.1e}  {curve.nll[i]:.4f}  ({low:.4f} .. {high:.4f})  {curve.accuracy[i]:.4f}")

# %% Or as a picture, where Matplotlib is installed.
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
if plt is not None:
    plt.semilogx(curve.lam, curve.nll)
    plt.fill_between(curve.lam, *curve.nll_band.T, alpha=0.3)
    plt.xlabel("λ")
    plt.ylabel("validation loss")
    plt.show(block=False)

# %% Choose λ: the largest within one standard error of the best.
best = model.tune("one-se")
print(f"chosen λ = {float(best):.2e}" + ("; on the edge: widen lam=" if best.edge_alarm else ""))

# %% Draws of the posterior at that λ: what they predict together, and how sure they are of each row.
draws = model.sample(best, draws=30)
doubt = model.uncertainty(best, draws=30)
print(f"{draws.rows} accuracy {draws.mean.accuracy:.4f}, loss {draws.mean.nll:.4f}")
print(f"least sure of row {doubt.entropy.argmax()}: {doubt.entropy.max():.2f} nats")

# %% Is it right? Hold it against refits from scratch (few here, to be quick).
audit = model.audit(points=3, draws=5, repeats=1, lam=[float(best)])
print(audit)

# %% Take the network along: predictions in NumPy, weights for PyTorch
# (network.load_state_dict(safetensors.torch.load_file(path), strict=False)), and the model itself.
for name, probability in zip(model.classes, model.predict([[0.9, 0.1]], best)[0]):
    print(f"a row at radius 0.9 is {name} with probability {probability:.3f}")
with tempfile.TemporaryDirectory() as folder:
    model.export(Path(folder) / "network.safetensors", best)
    model.save(Path(folder) / "model.safetensors")
    curve.save(Path(folder) / "curve.npz")
    again = amortune.load(Path(folder) / "model.safetensors", data)
    assert np.array_equal(again.predict(X, best), model.predict(X, best))
    print("written:", ", ".join(sorted(file.name for file in Path(folder).iterdir())))
