"""Safetensors files and small image data sets, with the standard library only."""

import json
import random
import struct


def read_safetensors(path):
    """{name: (shape, bytes)}"""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    return {name: (t["shape"], body[slice(*t["data_offsets"])])
            for name, t in header.items() if name != "__metadata__"}


def write_idx(path, values, extent):
    with open(path, "wb") as file:
        file.write(struct.pack(">BBBB", 0, 0, 8, len(extent)))
        file.write(struct.pack(">" + "I" * len(extent), *extent))
        file.write(bytes(values))


def write_images(folder, rows=900, tests=240, side=12, classes=4, seed=7):
    """Class c is a bright bar at its own height under noise, some of them at the wrong one."""
    rng = random.Random(seed)
    folder.mkdir()
    for part, count in (("train", rows), ("t10k", tests)):
        pixels, labels = [], []
        for i in range(count):
            label = i % classes
            shown = rng.randrange(classes) if rng.random() < 0.08 else label
            bar = shown * (side // classes) + 1
            labels.append(label)
            pixels += [min(255, int(rng.random() * 150) + (90 if abs(y - bar) < 2 else 0))
                       for y in range(side) for _ in range(side)]
        write_idx(folder / f"{part}-images-idx3-ubyte", pixels, (count, side, side))
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels, (count,))
