"""Which BLAS is really loaded, and the guard that refuses a number under a wrong label.

What a package says of itself is no evidence: `numpy.show_config()` is text from build time, and a
file called `libblas.so.3` can be any of four libraries. What counts is the file that the dynamic
loader mapped into this process, so the guard reads `/proc/self/maps` after both NumPy and SciPy
have multiplied something. threadpoolctl adds what only the library itself knows (version, kernel
architecture, threading layer); where there is no `/proc`, its list of files has to do.

The module needs NumPy and threadpoolctl alone, and nothing of this package: the benchmarks load
today's copy of this file beside an older installed convbench.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import threadpoolctl

_FAMILY_OF_NAME = (
    (re.compile(r"lib(scipy_)?openblas"), "openblas"),
    (re.compile(r"libmkl_"), "mkl"),
    (re.compile(r"libblis"), "blis"),
    # Anything that looks like a BLAS and is none of the above must not pass as nothing.
    (re.compile(r"lib(flexiblas|atlas|satlas|tatlas|armpl|nvpl_blas)"), "unknown"),
)
_GENERIC_NAME = re.compile(r"lib(c?blas|lapacke?)(64)?([._-]|$)")
"""Names that say nothing: Debian ships netlib, ATLAS, BLIS and OpenBLAS under each of them."""

_FAMILY_OF_FOLDER = {
    "blas": "netlib",
    "blas64": "netlib",
    "lapack": "netlib",
    "lapack64": "netlib",
    "atlas": "atlas",
    "blis-pthread": "blis",
    "blis-openmp": "blis",
    "blis-serial": "blis",
    "openblas-pthread": "openblas",
    "openblas-openmp": "openblas",
    "openblas-serial": "openblas",
}
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
        threadpoolctl's words, empty where it doesn't know the library.
    threads : int
        Threads the library would use; 0 where unknown.
    """

    family: str
    file: str
    sha256: str
    version: str = ""
    internal_api: str = ""
    architecture: str = ""
    threading_layer: str = ""
    threads: int = 0


def family_of(path: Path) -> str | None:
    """Tell a mapped file's family by its name, or by its folder where the name says nothing.

    Returns None for a file that is no BLAS. Only the base name and the folder directly above count:
    an environment that happens to live below a directory called `mkl` proves nothing.
    """
    for pattern, family in _FAMILY_OF_NAME:
        if pattern.match(path.name):
            return family
    if _GENERIC_NAME.match(path.name):
        return _FAMILY_OF_FOLDER.get(path.parent.name, "unknown")
    return None


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
    return BlasLibrary(
        family=family,
        file=file.name,
        sha256=digest,
        version=str(info.get("version") or ""),
        internal_api=str(info.get("internal_api") or ""),
        architecture=str(architecture),
        threading_layer=str(info.get("threading_layer") or ""),
        threads=int(str(info.get("num_threads") or 0)),
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
    families = {family_of(file) for file in files}
    if claimed not in families:
        return f"claimed BLAS {claimed}, but mapped into the process: {named}"
    if strangers := families - {claimed, *allowed}:
        return (
            f"claimed BLAS {claimed}, but {' and '.join(sorted(map(str, strangers)))} is mapped as"
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
