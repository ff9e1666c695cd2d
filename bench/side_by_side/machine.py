"""What the bench ran on, without naming the machine."""
import os
import platform
import subprocess
from pathlib import Path


def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def instruction_sets():
    """The widest that the processor has, of those that matter here."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("flags"):
            flags = line.split()
            return ", ".join(name for flag, name in (("avx2", "AVX2"), ("avx512f", "AVX-512"),
                                                     ("avx512_bf16", "AVX-512 BF16"),
                                                     ("amx_bf16", "AMX BF16")) if flag in flags)
    return "unknown"


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "none"
    return done.stdout.splitlines()[0].strip() if done.stdout.strip() else "none"


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def gpu():
    return first_line("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")


def describe(device):
    parts = [f"{processor()}, {len(os.sched_getaffinity(0))} cores ({instruction_sets()}), "
             f"{memory_gib():.0f} GiB"]
    if device == "cuda":
        parts.append(gpu())
    parts.append(f"{platform.system()} {platform.release().split('-')[0]}")
    parts.append(f"Python {platform.python_version()}")
    return "; ".join(parts)
