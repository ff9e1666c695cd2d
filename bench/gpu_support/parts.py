"""The parts of bench/gpu: each runs programs under a time limit and returns what they found."""
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Failed(Exception):
    """A part that cannot go on; what it has put into its result stays. output: what the program said; late:
    its time is over."""

    def __init__(self, message, output="", late=False):
        super().__init__(message)
        self.output, self.late = output[-2000:], late


@dataclass
class Place:
    """Where and how a part runs."""
    device: str
    out: Path
    build: Path
    deps: Path
    python: str
    archs: str
    limit: float
    log: Path

    def __post_init__(self):
        self.end = time.monotonic() + self.limit

    def run(self, *command, check=True, **environment):
        """Output of the command, which also goes to the log; Failed when it fails or takes too long."""
        words = [str(word) for word in command]
        self.note(f"\n$ {' '.join(words)}\n")
        left = self.end - time.monotonic()
        if left <= 0:
            raise Failed(f"no time was left for {name_of(words)} (limit {self.limit:.0f} s)", late=True)
        # a session of its own: what the command has started ends with it
        child = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **environment}, text=True, errors="replace",
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            text, _ = child.communicate(timeout=left)
        except BaseException as error:
            text = killed(child)
            self.note(text)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise Failed(f"{name_of(words)} ran past the limit of {self.limit:.0f} s", text, True) from None
        self.note(text)
        if check and child.returncode != 0:
            raise Failed(f"{name_of(words)} exited with {child.returncode}: {last_line(text)}", text)
        return text

    def note(self, text):
        with self.log.open("a", encoding="utf-8") as log:
            log.write(text)

    def data(self):
        """The environment that finds the data set."""
        carried = self.deps / "data"
        return {"AMORTUNE_DATA": str(carried)} if carried.is_dir() else {}


def killed(child):
    """Ends a session; what it had said."""
    os.killpg(child.pid, signal.SIGKILL)
    try:
        return child.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:  # one that left the session holds its output open
        return ""


def name_of(words):
    """The script of an interpreter, else the program."""
    return next((Path(w).name for w in words[1:2] if w.startswith(str(ROOT / "bench"))), Path(words[0]).name)


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no output"


def query(*command):
    try:
        return subprocess.run(command, text=True, capture_output=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def machine(device):
    """GPU, driver, compilers, processor."""
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    gpu = query("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
    return {"device": device, "gpu": gpu.splitlines()[0] if gpu else "none",
            "nvcc": (re.findall(r"release ([\d.]+)", query("nvcc", "--version")) or ["none"])[0],
            "cpu": cpu.group(1) if cpu else "unknown", "cores": os.cpu_count(),
            "commit": query("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") or "unknown"}


PLUGIN = "libamortune_cuda.so"
TEST_JOBS = 8
PROGRAMS = ["amortune", "amortune_tests", "amortune_cuda_tests", "bench_ops", "bench_fit", PLUGIN]

# ---- build -------------------------------------------------------------------------------------------


def carried_options(p):
    """CMake's options and environment when libraries were carried along."""
    if not (p.deps / "packages").is_dir():
        return [], {}
    p.run(ROOT / "bench/gpu_deps", "unpack", p.deps)
    prefix = (p.deps / "prefix").resolve()
    # DT_RPATH, which holds for the libraries' own needs too, so that nothing depends on the environment
    link = f"-Wl,--disable-new-dtags -Wl,-rpath,{prefix}/lib -L{prefix}/lib"
    return [f"-DCMAKE_PREFIX_PATH={prefix}", f"-DPKG_CONFIG_EXECUTABLE={prefix}/bin/pkg-config",
            f"-DCBLAS_INCLUDE_DIR={prefix}/include", f"-DBLAS_LIBRARIES={prefix}/lib/libopenblas.so",
            f"-DAMORTUNE_CHART_LIBRARY={prefix}/share/chart.min.js",
            f"-DZLIB_ROOT={prefix}", f"-DCMAKE_EXE_LINKER_FLAGS={link}",
            f"-DCMAKE_SHARED_LINKER_FLAGS={link}", f"-DCMAKE_MODULE_LINKER_FLAGS={link}"], {
                "PKG_CONFIG_LIBDIR": f"{prefix}/lib/pkgconfig"}


def cublas_options(p):
    """Where cuBLAS is when it is not nvcc's neighbour but came with PyTorch, as Python packages."""
    nvcc = shutil.which("nvcc")
    home = Path(nvcc).resolve().parent.parent if nvcc else Path("/usr/local/cuda")
    if any(home.glob("**/libcublas.so")):
        return []
    roots = query(p.python, "-c", "import nvidia; print(*nvidia.__path__, sep='\\n')").splitlines()
    found = {}
    for name in ("libcublas.so", "libcublasLt.so", "cublas_v2.h", "curand_kernel.h"):
        for root in roots:
            found.update({name: path for path in sorted(Path(root).glob(f"**/{name}*"))[:1]})
    if "libcublas.so" not in found:
        return []
    folder = p.build / "cublas"  # the names that the linker asks for
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("libcublas.so", "libcublasLt.so"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(found[name])
    include = " ".join(sorted({f"-I{found[name].parent}" for name in found if name.endswith(".h")}))
    return [f"-DCUDA_cublas_LIBRARY={folder}/libcublas.so",
            f"-DCUDA_cublasLt_LIBRARY={folder}/libcublasLt.so", f"-DCMAKE_CUDA_FLAGS={include}",
            f"-DCMAKE_INSTALL_RPATH={found['libcublas.so'].parent}",
            f"-DCMAKE_BUILD_RPATH={found['libcublas.so'].parent}"]


def build(p, result):
    options, environment = carried_options(p)
    result["carried"] = bool(options)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    cuda = ["-DAMORTUNE_CUDA=OFF"]
    if p.device == "cuda":
        cuda = ["-DAMORTUNE_CUDA=ON", f"-DAMORTUNE_CUDA_ARCHS={p.archs}", *cublas_options(p)]
    p.run("cmake", "-S", ROOT, "-B", p.build, *generator, "-DCMAKE_BUILD_TYPE=Release",
          "-DAMORTUNE_TESTS=ON", "-DAMORTUNE_BENCH=ON", "-DAMORTUNE_WERROR=OFF", *cuda, *options,
          **environment)
    # warnings of another compiler, or one file that does not compile, must not cost all the rest
    keep_going = ["-k", "0"] if generator else ["-k"]
    output = p.run("cmake", "--build", p.build, "-j", os.cpu_count(), "--", *keep_going, check=False,
                   **environment)
    result["built"] = [name for name in PROGRAMS if (p.build / name).exists()]
    missing = sorted(set(PROGRAMS) - set(result["built"]) - ({PLUGIN} if p.device == "cpu" else set()))
    if missing:
        raise Failed(f"not built: {', '.join(missing)}", output)


# ---- tests -------------------------------------------------------------------------------------------


def criterion(p, program, *arguments, wrapper=(), **environment):
    """Counts, and the names of what failed."""
    text = p.run(*wrapper, p.build / program, "--timeout", "300", *arguments, check=False,
                 **environment)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    counts = re.findall(r"Tested: *(\d+) *\| *Passing: *(\d+) *\| *Failing: *(\d+) *\| *Crashing: *(\d+)",
                        plain)
    if not counts:
        raise Failed(f"{program} gave no summary: {last_line(plain)}", plain)
    tested, passing, failing, crashing = map(int, counts[-1])
    return {"tested": tested, "passing": passing, "failing": failing, "crashing": crashing,
            "names": sorted(set(re.findall(r"\[(?:FAIL|CRASH)[^\]]*\] (\w+::\w+)", plain)))[:40]}, plain


def tests(p, result):
    environment = {**p.data(), "AMORTUNE_TEST_DEVICE": p.device}
    for name, program in (("parity", "amortune_cuda_tests"), ("suite", "amortune_tests")):
        only = ["--filter", "parity/*"] if name == "parity" else []
        result[name], _ = criterion(p, program, "--jobs", str(TEST_JOBS), *only, **environment)
    bad = [n for r in result.values() for n in r["names"]]
    if any(r["passing"] < r["tested"] for r in result.values()):
        raise Failed(f"{len(bad)} tests do not pass: {', '.join(bad[:10])}")


def sanitizer(p, result):
    if p.device != "cuda" or not shutil.which("compute-sanitizer"):
        raise Failed("compute-sanitizer and a GPU are needed")
    for tool in ("memcheck", "racecheck", "initcheck"):
        wrapper = ["compute-sanitizer", "--tool", tool, "--target-processes", "all",
                   "--error-exitcode", "9"]
        counts, text = criterion(p, "amortune_cuda_tests", "--jobs", str(TEST_JOBS), "--filter",
                                 "parity/*", wrapper=wrapper, AMORTUNE_TEST_DEVICE="cuda")
        found = sum(map(int, re.findall(r"(?:ERROR|RACECHECK) SUMMARY: (\d+)", text)))
        result[tool] = {**counts, "errors": found}
    if any(r["errors"] or r["passing"] < r["tested"] for r in result.values()):
        raise Failed("not clean")


# ---- measurements ------------------------------------------------------------------------------------


def read_ops(path):
    with path.open(encoding="utf-8") as f:
        return [row for row in csv.DictReader(f)]


def ops(p, result):
    result["precision"] = {}
    for precision in ("fp32", "tf32", "bf16") if p.device == "cuda" else ("fp32",):
        folder = p.out if precision == "fp32" else p.build
        md, table = folder / f"ops-{precision}.md", folder / f"ops-{precision}.csv"
        only = "default,paper,refits,models,large,scaling" if precision == "fp32" else "default,large"
        if p.device == "cpu":
            only = "default,paper"
        for old in (md, table):
            old.unlink(missing_ok=True)
        text = p.run(p.build / "bench_ops", "--device", p.device, "--precision", precision, "--only",
                     only, "--md", md, "--csv", table, check=False)
        rows = read_ops(table) if table.exists() else []
        errors = [float(row["error"]) for row in rows if row["error"]]
        if not errors:
            raise Failed(f"bench_ops: {last_line(text)}", text)
        result["precision"][precision] = {"worst_error": max(errors), "ops": len(errors)}
        if precision == "fp32":
            result["rows"] = rows
            result["table"] = md.read_text(encoding="utf-8")


def fit(p, result):
    for protocol in ("default", "paper"):
        epochs = [] if p.device == "cuda" else ["--epochs", "0.1"]
        text = p.run(p.build / "bench_fit", "--device", p.device, "--protocol", protocol, *epochs,
                     check=False, **p.data())
        if "{" not in text:
            raise Failed(f"bench_fit: {last_line(text)}", text)
        result[protocol] = json.loads(text[text.index("{"):])


def mnist(p, result):
    out = p.out / "mnist.md"
    parts = "cost,5,paper" if p.device == "cuda" else "cost"
    seeds = "3" if p.device == "cuda" else "1"
    p.run(p.python, ROOT / "bench/mnist", "--device", p.device, "--seeds", seeds, "--parts", parts,
          "--program", p.build / "amortune", "--out", out, **p.data())
    text = out.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]*) \| ([^|]+) \|$", text, re.M)
    result["table"] = text
    result["rows"] = {what.strip(): got.strip() for what, _, got in rows[2:]}


def posterior(p, result):
    """The response: its seconds beside the curve's fit, and what the audit says of it."""
    for networks in (1, 4) if p.device == "cuda" else (1,):
        few = ["--seeds", "3"] if p.device == "cuda" else ["--seeds", "1", "--epochs", "0.1"]
        out = p.out / f"posterior-{networks}.md"
        p.run(p.python, ROOT / "bench/posterior", "--device", p.device, *few, "--networks", networks,
              "--datasets", "mnist", "--repeats", "1", "--cache", p.build / "refits", "--program",
              p.build / "amortune", "--out", out, "--json", p.build / "posterior.json", **p.data())
        result[f"networks {networks}"] = json.loads((p.build / "posterior.json").read_text())
        result.setdefault("tables", []).append(out.read_text(encoding="utf-8"))


def peers(p, result):
    epochs = [] if p.device == "cuda" else ["--epochs", "0.05", "--variant", "eager"]
    for name in ("collocation", "paper", "refits", "published"):
        text = p.run(p.python, ROOT / f"bench/peers/torch_{name}.py", "--device", p.device, *epochs,
                     check=False, **p.data())
        line = next((line for line in text.splitlines() if line.startswith('{"peer"')), None)
        result[name] = json.loads(line) if line else {"failed": last_line(text)}
    bad = [name for name, r in result.items() if "failed" in r]
    if bad:
        raise Failed(f"{bad[0]}: {result[bad[0]]['failed']}")


Part = namedtuple("Part", "run limit")
PARTS = {"build": Part(build, 300), "tests": Part(tests, 240), "ops": Part(ops, 180),
         "fit": Part(fit, 120), "mnist": Part(mnist, 180), "posterior": Part(posterior, 240),
         "peers": Part(peers, 300), "sanitizer": Part(sanitizer, 300)}
