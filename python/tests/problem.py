"""A small problem, and what several tests share."""

import json
import os
import shutil
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

import amortune

ROOT = Path(__file__).resolve().parents[2]  # of the checkout


def rows(n=400, seed=1):
    """Two noisy classes on the sides of a plane, inputs of unequal scale: X (n, 3), y (n,)."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 3))
    y = z[:, 0] + 0.5 * z[:, 1] - z[:, 2] + 0.3 * rng.normal(size=n) > 0
    return z * [1, 10, 0.1] + [0, 5, -1], np.where(y, "up", "down")


def small_fit(data, **more):
    """A quick fit on one CPU thread."""
    device = more.pop("device", None) or amortune.Device("cpu", threads=1)
    options = {"target": "3-8-2", "steps": 60, "batch": 32, "blocks": 8, **more}
    return amortune.fit(data, device=device, **options)


def program():
    """The command line program, or None."""
    path = os.environ.get("AMORTUNE_PROGRAM")
    return path if path and os.access(path, os.X_OK) else None


def read_safetensors(path):
    """(tensors by name, metadata), by the format's definition: u64 length, JSON header, bytes."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {
        name: np.frombuffer(data[slice(*t["data_offsets"])], "<f4").reshape(t["shape"])
        for name, t in header.items()
    }
    assert all(t["dtype"] == "F32" for t in header.values())
    return tensors, metadata


def forward(tensors, z, activation="relu"):
    """Logits of the network on normalised rows, in double: h ← act(h Wᵀ + b), no act at the end."""
    layers = sum(name.endswith(".bias") for name in tensors)
    h = np.asarray(z, np.float64)
    for l in range(1, layers + 1):
        h = h @ tensors[f"fc{l}.weight"].T.astype(np.float64) + tensors[f"fc{l}.bias"]
        if l < layers:
            h = np.maximum(h, 0) if activation == "relu" else np.tanh(h)
    return h


def write_images(folder, n=120, side=4, seed=3):
    """A folder of IDX files: images (n, side, side) of three classes, brighter by class."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, n).astype(np.uint8)
    images = rng.integers(0, 100, (n, side, side)) + 60 * label[:, None, None]
    images = images.astype(np.uint8)
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(Path(folder) / "train-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, n, side, side) + images.tobytes())
    with open(Path(folder) / "train-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">II", 0x801, n) + label.tobytes())
    return images, label


class ScratchCase(unittest.TestCase):
    """A test with a temporary folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="amortune-python-"))
        self.addCleanup(shutil.rmtree, self.folder)
