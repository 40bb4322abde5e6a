"""Which BLAS is really loaded, and the guard that refuses a number under a wrong label.

What a package says of itself is no evidence: `numpy.show_config()` is text from build time, and a
file called `libblas.so.3` can be any of four libraries. What counts is the file that the dynamic
loader mapped into this process, so the guard reads `/proc/self/maps` after both NumPy and SciPy
have multiplied something. threadpoolctl adds what only the library itself knows (version, kernel
architecture, threading layer); where there is no `/proc`, its list of files has to do. A bare name
is explained by the folder that Debian keeps it in, or by the conda package that it belongs to; what
nothing explains is `unknown`, which no claim accepts.

The module needs NumPy and threadpoolctl alone, and nothing of this package: the benchmarks load
today's copy of this file beside an older installed convbench.
"""

import functools
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import threadpoolctl

_FAMILY_OF_NAME = (
    (re.compile(r"lib(scipy_)?openblas"), "openblas"),
    (re.compile(r"libmkl_"), "mkl"),
    (re.compile(r"libblis"), "blis"),
)
_ANY_BLAS = re.compile(r"lib\w*(blas|lapack|atlas|armpl)")
"""Names that look like a BLAS and don't tell which: it must not pass as nothing."""

_NO_BLAS = re.compile(r"libretarget_blas_|lib(cu|roc|hip|cl)blas")
"""Shims of `wheels.py`, which only lead to a BLAS; and those of GPUs, which NumPy can't call."""

_DEBIAN_FOLDER = re.compile(
    r"/(?:usr/)?lib/[\w-]+/(?:(?P<netlib>(?:blas|lapack)(?:64)?)|(?P<atlas>atlas)"
    r"|(?P<blis>blis(?:64)?-\w+)|(?P<openblas>openblas(?:64)?-\w+))"
)
"""Debian ships netlib, ATLAS, BLIS and OpenBLAS under the same names, each in its folder."""

_CONDA_BUILD = re.compile(r"(?:^|_)(netlib|openblas|mkl|blis)$")
_CONDA_NAME = re.compile(r"(?:lib)?(netlib|openblas|mkl|blis)$")
_LAPACK = re.compile(r"liblapacke?(64)?([._-]|$)")
_FILE_VERSION = re.compile(r"\.so\.(\d+\.\d+\.\d+)$")
_MKL_KERNEL = re.compile(r"libmkl_(def|mc3?|avx2?|avx512\w*)\.so")


@dataclass(frozen=True, slots=True)
class BlasLibrary:
    """One BLAS file that is mapped into this process.

    Attributes
    ----------
    family : str
        `openblas`, `mkl`, `netlib`, `blis`, `atlas`, or `unknown`.
    file : str
        Base name of the mapped file.
    sha256 : str
        Hash of the file's content: the identity that a version string can't give.
    version, internal_api, architecture, threading_layer : str
        threadpoolctl's words, empty where it doesn't know the library. It knows no netlib, whose
        version is the one in the name of the file.
    threads : int
        Threads the library would use; 0 where unknown.
    package : str
        The conda package that the file belongs to, `libblas-3.11.0-1_h0_netlib`, say; empty
        outside of conda.
    """

    family: str
    file: str
    sha256: str
    version: str = ""
    internal_api: str = ""
    architecture: str = ""
    threading_layer: str = ""
    threads: int = 0
    package: str = ""


def family_of(path: Path) -> str | None:
    """Tell a mapped file's family by its name, or by its place where the name says nothing.

    Returns None for a file that is no BLAS. A bare `libblas.so.3` is what the folder of Debian's
    libraries says, or the conda package that owns it; any other folder proves nothing, whatever it
    is called.
    """
    for pattern, family in _FAMILY_OF_NAME:
        if pattern.match(path.name):
            return family
    if _NO_BLAS.match(path.name) or not _ANY_BLAS.match(path.name):
        return None
    if debian := _DEBIAN_FOLDER.fullmatch(str(path.parent)):
        return debian.lastgroup
    owner = conda_package(path)
    build, name = _CONDA_BUILD.search(owner.build), _CONDA_NAME.match(owner.name)
    return next((match[1] for match in (build, name) if match), "unknown")


@dataclass(frozen=True, slots=True)
class CondaPackage:
    """A package as `conda-meta` has it; all empty for a file that belongs to none."""

    name: str = ""
    version: str = ""
    build: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.version}-{self.build}" if self.name else ""


@functools.cache  # asked before every cell, and an environment has a hundred records
def conda_package(path: Path) -> CondaPackage:
    """Find the package that brought a file into the conda environment that the file lies in."""
    prefix = next((parent for parent in path.parents if (parent / "conda-meta").is_dir()), None)
    if prefix is None:
        return CondaPackage()
    for file in sorted((prefix / "conda-meta").glob("*.json")):
        record = json.loads(file.read_text())
        if path.relative_to(prefix).as_posix() in record.get("files", ()):
            return CondaPackage(*(str(record[key]) for key in ("name", "version", "build")))
    return CondaPackage()


def families_of(files: Iterable[Path]) -> frozenset[str]:
    """Tell the families of BLAS among mapped files.

    Netlib's LAPACK is none: it has no BLAS in it and runs on whichever is there, on BLIS too, which
    has no LAPACK of its own. Others' files of that name may contain both.
    """
    families = {str(family_of(file)) for file in files if not _is_netlib_lapack(file)}
    return frozenset(families - {"None"})


def _is_netlib_lapack(file: Path) -> bool:
    return bool(_LAPACK.match(file.name)) and family_of(file) == "netlib"


def lapack() -> str:
    """Say in one line which LAPACK runs, by its version and origin: ``LAPACK 3.11.0 netlib``.

    The version is that of the interface, as the library itself reports it through SciPy. Its origin
    is netlib's own library where that is mapped, else the BLAS, which then brings a LAPACK.
    """
    import scipy.linalg.lapack

    version = ".".join(map(str, scipy.linalg.lapack.ilaver()))
    files = mapped_blas_files()
    by_netlib = any(_is_netlib_lapack(file) for file in files)
    origin = ["netlib"] if by_netlib else sorted(families_of(files))
    return " ".join(["LAPACK", version, *origin])


def exercise() -> None:
    """Multiply through NumPy and through SciPy, so that every lazily opened library is mapped."""
    import scipy.linalg.blas

    for dtype in (np.float32, np.float64):
        square = np.ones((64, 64), dtype=dtype)
        square @ square
    scipy.linalg.blas.dgemm(1.0, np.ones((64, 64)), np.ones((64, 64)))


def mapped_blas_files() -> tuple[Path, ...]:
    """List the BLAS files that are mapped into this process, sorted by name."""
    maps = Path("/proc/self/maps")
    if maps.exists():
        # Six columns; the sixth, the path, may hold blanks.
        columns = (line.split(maxsplit=5) for line in maps.read_text().splitlines())
        candidates = {parts[5] for parts in columns if len(parts) == 6 and parts[5][0] == "/"}
    else:
        candidates = {info["filepath"] for info in threadpoolctl.threadpool_info()}
    files = (Path(name) for name in candidates)
    return tuple(sorted((file for file in files if family_of(file)), key=lambda file: file.name))


def loaded_blas() -> tuple[BlasLibrary, ...]:
    """Identify every BLAS library of this process; call `exercise` first."""
    files = mapped_blas_files()
    known = {
        Path(info["filepath"]).resolve(): info
        for info in threadpoolctl.threadpool_info()
        if info["user_api"] == "blas"
    }
    kernel = next((match[1] for file in files if (match := _MKL_KERNEL.match(file.name))), "")
    return tuple(_identify(file, known.get(file.resolve(), {}), kernel) for file in files)


def _identify(file: Path, info: dict[str, object], mkl_kernel: str) -> BlasLibrary:
    family = family_of(file) or "unknown"
    # threadpoolctl can't ask MKL for its kernel, but the name of the mapped kernel library tells.
    architecture = info.get("architecture") or (mkl_kernel if info and family == "mkl" else "")
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    in_name = _FILE_VERSION.search(file.name) if family == "netlib" else None
    return BlasLibrary(
        family=family,
        file=file.name,
        sha256=digest,
        version=str(info.get("version") or (in_name[1] if in_name else "")),
        internal_api=str(info.get("internal_api") or ""),
        architecture=str(architecture),
        threading_layer=str(info.get("threading_layer") or ""),
        threads=int(str(info.get("num_threads") or 0)),
        package=str(conda_package(file)),
    )


def refusal(claimed: str, *, threads: int | None = None, allowed: Iterable[str] = ()) -> str | None:
    """Say why numbers of this process must not be stored under the claimed BLAS.

    Parameters
    ----------
    claimed : str
        The BLAS build that the results would be labelled with, `openblas` or `mkl`, say.
    threads : int, optional
        The number of threads that every BLAS library must be set to, where it can be asked.
    allowed : iterable of str
        Families that a strategy brings along by itself; they may be mapped beside the claimed one.

    Returns
    -------
    str or None
        The reason, naming the claim and the mapped files; None when the claim is true.
    """
    if not claimed:
        return (
            "no BLAS is claimed: CONVBENCH_BLAS is not set; run the benchmarks through"
            " asv.conf.json, whose matrix sets it"
        )
    files = mapped_blas_files()
    named = ", ".join(f"{file.name} ({family_of(file)})" for file in files) or "none"
    families = families_of(files)
    if claimed not in families - {"unknown"}:
        return f"claimed BLAS {claimed}, but mapped into the process: {named}"
    if strangers := families - {claimed, *allowed}:
        return (
            f"claimed BLAS {claimed}, but {' and '.join(sorted(strangers))} is mapped as"
            f" well: {named}; NumPy and SciPy must call one BLAS"
        )
    return None if threads is None else _threads_refusal(threads)


def _threads_refusal(threads: int) -> str | None:
    loaded = threadpoolctl.threadpool_info()
    wrong = {
        Path(info["filepath"]).name: info["num_threads"]
        for info in loaded
        if info["user_api"] == "blas" and info["num_threads"] != threads
    }
    if not wrong:
        return None
    found = ", ".join(f"{file} is set to {number}" for file, number in sorted(wrong.items()))
    return f"claimed {threads} BLAS thread(s), but {found}"


FASTEST_NETLIB = 1.25
"""Rate of netlib's sgemm over that of NumPy's own loops that no netlib reaches.

Measured at 256 × 256 in float32 with one thread on a CPU with AVX-512: netlib 0.30, BLIS 0.9 (which
runs its AVX2 kernel) 5.2, OpenBLAS 0.3.31 7.4 and 5.2 with its AVX2 kernel, MKL 2026.2 8.2. The
threshold is the geometric mean of netlib's ratio and the lowest optimised one, so either side is a
factor of 4 away. NumPy's loops use vectors of 128 bits on every x86-64, netlib's compiled loops
none or the same. With OpenBLAS's kernels for CPUs before AVX (2011) the ratio is 1.4 to 2.
"""


def speed_refusal(claimed: str) -> str | None:
    """Say why this process can't run on netlib though it claims to: it multiplies too fast.

    Names can be forged or replaced, speed can't: netlib is the positive control of the BLAS axis.
    The yardstick is `numpy.einsum` without `optimize`, which computes the same product by NumPy's
    own loops in one thread, at the same moment on the same machine.

    Parameters
    ----------
    claimed : str
        The BLAS build that the results would be labelled with; only `netlib` is judged.

    Returns
    -------
    str or None
        The reason with both rates; None when the speed fits the claim.
    """
    if claimed != "netlib":
        return None
    gemm, loops = gemm_and_loops_flops_per_second()
    if gemm < FASTEST_NETLIB * loops:
        return None
    return (
        f"claimed BLAS netlib, but sgemm runs at {gemm / 1e9:.1f} GFLOP/s,"
        f" {gemm / loops:.1f} times the rate of NumPy's own loops; netlib stays below"
        f" {FASTEST_NETLIB} times: this is an optimised library under netlib's name"
    )


def gemm_and_loops_flops_per_second(size: int = 256, repeats: int = 15) -> tuple[float, float]:
    """Rates of a float32 matrix product through the BLAS and through NumPy's own loops.

    Both run in one thread, since threads of a BLAS that wait for a busy CPU can be slower than
    netlib. The best of several calls in turn counts, so that a disturbance hits both or neither.
    """
    a, b = (np.full((size, size), value, dtype=np.float32) for value in (0.5, 2.0))
    out = np.empty_like(a)
    calls: tuple[Callable[[], object], ...] = (
        lambda: np.matmul(a, b, out=out),
        lambda: np.einsum("ij,jk->ik", a, b, out=out, optimize=False),
    )
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        seconds = [[_seconds(call) for call in calls] for _ in range(repeats)]
    gemm, loops = (2 * size**3 / min(times) for times in zip(*seconds, strict=True))
    return gemm, loops


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
