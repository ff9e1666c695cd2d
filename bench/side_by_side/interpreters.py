"""Python interpreters that have the peers' libraries: given, this one, or a virtual environment that is made
here."""
import os
import subprocess
import sys
import venv

INSTALL_SECONDS = 900


def has(python, module):
    try:
        done = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def given():
    """Those of AMORTUNE_BENCH_PYTHON, parted by ':', and this one."""
    return [p for p in os.environ.get("AMORTUNE_BENCH_PYTHON", "").split(":") if p] + [sys.executable]


def install(home, packages):
    """(interpreter, None) with the packages from PyPI, or (None, why not)."""
    python = home / "bin" / "python"
    try:
        if not python.exists():
            venv.create(home, with_pip=True)
        done = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--timeout", "15",
                               "--retries", "1", "--disable-pip-version-check", *packages],
                              capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"{packages[0]} could not be installed in {INSTALL_SECONDS} s"
    except (OSError, subprocess.CalledProcessError) as error:
        return None, f"no virtual environment could be made: {error}"
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return None, f"{packages[0]} could not be installed: {lines[-1] if lines else 'no reason given'}"
    return python, None


def find(module, packages, home, may_install):
    """(interpreter, None) that can import the module, or (None, why not)."""
    for python in [*given(), home / "bin" / "python"]:
        if has(python, module):
            return python, None
    if not may_install:
        return None, f"no interpreter with {module}, and none was to be installed"
    print(f"bench: installing {', '.join(packages)} in {home}", file=sys.stderr, flush=True)
    python, reason = install(home, packages)
    if python is not None and not has(python, module):
        return None, f"{module} was installed but cannot be imported"
    return python, reason
