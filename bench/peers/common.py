"""What the peers share whatever they are written in: options, MNIST, λ, step sizes, and how bench/run talks
to them.

Data, split, network, loss and metrics are those of the experiment (`amortune experiment mnist`): 60,000
training images split 50,000 / 10,000, pixels (x/255 − 0.1307)/0.3081, a 784–64–10 ReLU network,
L = mean cross-entropy + λ Σθ², biases included.
"""
import argparse
import gzip
import json
import math
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
INPUTS, HIDDEN, CLASSES = 784, 64, 10
SHAPES = [(HIDDEN, INPUTS), (HIDDEN,), (CLASSES, HIDDEN), (CLASSES,)]
SIZES = [math.prod(shape) for shape in SHAPES]
PARAMS = sum(SIZES)
BATCH, BLOCKS = 128, 16
LAMBDA_LOW, LAMBDA_HIGH, POINTS = 1e-5, 1e-1, 20
DECADES = math.log10(LAMBDA_HIGH / LAMBDA_LOW)


def options(description, **more):
    """--device, --epochs, --seed, --data, --threads, --variant, --serve, and `more`: name = (type,
    default)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--epochs", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default=None, help="folder with MNIST's IDX files")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--variant", default="auto",
                        help="way of computing, as far as there are several; auto: the quickest")
    parser.add_argument("--serve", action="store_true", help="do what lines on stdin ask for")
    for name, (kind, default) in more.items():
        parser.add_argument("--" + name, type=kind, default=default)
    return parser.parse_args()


# ---- data --------------------------------------------------------------------------------------------


def data_folder(o):
    return Path(o.data or Path(os.environ.get("AMORTUNE_DATA", ROOT / "datasets")) / "mnist")


def read_idx(folder, name):
    """(bytes, shape)"""
    for path, opener in ((folder / name, open), (folder / (name + ".gz"), gzip.open)):
        if path.exists():
            with opener(path, "rb") as f:
                raw = f.read()
            ndim = raw[3]
            shape = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(ndim)]
            return bytearray(raw[4 + 4 * ndim:]), shape
    sys.exit(f"{folder}/{name}: not found; give --data or set AMORTUNE_DATA")


def steps_of(o, n):
    return max(1, int(o.epochs * n / BATCH))


# ---- λ and step sizes --------------------------------------------------------------------------------


def lambda_grid(count=POINTS):
    return [LAMBDA_LOW * 10**(DECADES * i / (count - 1)) for i in range(count)]


def normalised(value):
    """λ in [−1, 1]"""
    return min(1.0, max(-1.0, 2 * math.log10(value / LAMBDA_LOW) / DECADES - 1))


def cosine_rates(steps, peak, warmup):
    """peak·min(1, (t+1)/warmup)·½(1 + cos(π (t−warmup)₊/(steps−warmup)))"""
    return [peak * min((t + 1) / max(warmup, 1), 1) * 0.5 *
            (1 + math.cos(math.pi * max(t - warmup, 0) / max(1, steps - warmup)))
            for t in range(steps)]


def tuned_rate(steps):
    """Peak step size of the recipe (src/train/recipe.c)."""
    return 5e-3 * max(1.0, steps / 1953)**-0.37


def tuned_tilt(steps):
    return min(0.5 * math.sqrt(max(1.0, steps / 1953)), 1.0)


def warmup(steps):
    return min(50, steps // 10)


# ---- turns -------------------------------------------------------------------------------------------


def say(**result):
    print(json.dumps(result), flush=True)


def serve(about, commands):
    """Says what it is, then answers lines such as `fit 100` until there are none: commands maps a word
    to a function of the whole numbers behind it, which returns a dictionary."""
    say(**about)
    for line in sys.stdin:
        word, *numbers = line.split()
        if word not in commands:
            sys.exit(f"{word}: no such line; give {', '.join(commands)}")
        say(**commands[word](*map(int, numbers)))
