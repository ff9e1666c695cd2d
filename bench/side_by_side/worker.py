"""A contender's process, kept ready between turns: it says what it is in a line of JSON, then answers lines
such as `fit 100`."""
import json
import os
import selectors
import subprocess
from pathlib import Path

# What pins libraries to old kernels or changes how threads wait: everybody runs with their own defaults.
PINNED = ("OPENBLAS_", "GOMP_", "KMP_", "MKL_", "OMP_WAIT_POLICY", "XLA_FLAGS")


class Failed(Exception):
    """A contender that does not answer."""


# Peers' memory is kept between steps and in large pages, as another malloc would have it: with the system's
# defaults much of a step of PyTorch is page faults.
KEEP_MEMORY = ("glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=2147483648:"
               "glibc.malloc.trim_threshold=2147483648:glibc.malloc.top_pad=268435456")


def environment(device, build, peer):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(PINNED)}
    if peer:
        kept.setdefault("GLIBC_TUNABLES", KEEP_MEMORY)
    kept["JAX_PLATFORMS"] = device
    kept["TORCHINDUCTOR_CACHE_DIR"] = str(build / "bench-inductor")
    return kept


class Worker:
    def __init__(self, name, command, surroundings, log, limit=300):
        self.name, self.limit, self.log = name, limit, Path(log)
        with self.log.open("a", encoding="utf-8") as errors:
            errors.write(f"\n$ {' '.join(map(str, command))}\n")
            errors.flush()
            self.child = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=errors, env=surroundings)
        self.ready, self.pending = selectors.DefaultSelector(), b""
        self.ready.register(self.child.stdout, selectors.EVENT_READ)
        self.about = self.answer()

    def answer(self):
        while b"\n" not in self.pending:
            if not self.ready.select(self.limit):
                self.close()
                raise Failed(f"{self.name}: no answer in {self.limit} s")
            more = os.read(self.child.stdout.fileno(), 1 << 20)
            if not more:
                self.close()
                raise Failed(f"{self.name}: ended with {self.child.returncode}; see {self.log}")
            self.pending += more
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def ask(self, *words):
        try:
            self.child.stdin.write((" ".join(map(str, words)) + "\n").encode())
            self.child.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.name}: has ended; see {self.log}") from None
        return self.answer()

    def peak_bytes(self):
        """Most memory so far, 0 where the system does not tell."""
        try:
            for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        except OSError:
            pass
        return 0

    def close(self):
        if self.child.poll() is None:
            self.child.stdin.close()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
