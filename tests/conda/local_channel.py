"""A conda channel on disk for tests, made from PyPI's wheels, Debian's netlib and this interpreter.

Its pattern is conda-forge's: **one** NumPy and **one** SciPy, whose BLAS is a file that the chosen
variant of `libblas` puts into the environment; the variant without `track_features` is the
solver's default. It shows that configuration, asv's plugin, solver and guard work together, and is
no evidence about conda-forge's binaries.
"""

import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from platform import python_version

import package_files as parts
from conda_package import Package, write_channel

from convbench import wheels

ROOT = Path(__file__).resolve().parents[2]
PYTHON_NEEDED = f"python >={parts.PYTHON},<{parts.PYTHON}.9999"
BUILD_PREFIX = f"py{parts.PYTHON.replace('.', '')}"

DEPENDENCIES = {
    "numpy": ("libblas >=3.9.0,<4.0a0",),
    "scipy": ("libblas >=3.9.0,<4.0a0", "numpy"),
    "numba": ("llvmlite", "numpy"),
}
"""Of packages of PyPI in the channel, beside Python; none for the others."""


def build(folder: Path, config: Path, downloads: Path, *, netlib: bool) -> None:
    """Make a channel with all that an asv configuration asks conda for.

    Parameters
    ----------
    folder
        The new channel.
    config
        asv configuration, whose matrix pins the versions.
    downloads
        Folder for wheels; what pip has cached is not fetched again.
    netlib
        Whether to pack the netlib variant, which needs Debian's libraries.
    """
    pins = versions(config)
    files = {name: wheels.official_wheel(name, pin, downloads) for name, pin in pins.items()}
    write_channel(folder, packages(pins, files, mkl(downloads), netlib))


def versions(config: Path) -> dict[str, str]:
    """Versions of the packages from PyPI: the matrix's pins, else what is installed here."""
    required = json.loads(config.read_text())["matrix"]["req"]
    pinned = {name: pins[0] for name, pins in required.items() if not is_foreign(name)}
    # asv installs the last two into every environment of conda's.
    unpinned = ("llvmlite", "pip", "wheel")
    return pinned | {name: metadata.version(name) for name in unpinned}


def is_foreign(requirement: str) -> bool:
    """Tell what of a matrix comes from pip, or from no wheel."""
    return requirement.startswith("pip+") or requirement == "libblas"


def mkl(downloads: Path) -> list[Path]:
    """Fetch the wheels of MKL and of Intel's OpenMP."""
    pins = [pin.split("==") for pin in wheels.BACKENDS["mkl"].packages]
    wanted = ("mkl", "intel-openmp")
    return [wheels.official_wheel(name, pin, downloads) for name, pin in pins if name in wanted]


def packages(
    pins: dict[str, str], files: dict[str, Path], mkl_wheels: list[Path], netlib: bool
) -> Iterator[Package]:
    """Make the packages one after the other; MKL alone is half a gigabyte."""
    yield Package("python", python_version(), parts.python_files(), build_suffix="0_cpython")
    split = {name: parts.split(files[name]) for name in ("numpy", "scipy")}
    for name, pin in pins.items():
        yield Package(
            name,
            pin,
            split[name].files if name in split else parts.wheel_files(files[name]),
            depends=(PYTHON_NEEDED, *DEPENDENCIES.get(name, ())),
            build_prefix=BUILD_PREFIX,
        )
    projects = tuple(split.values())
    yield from openblas(projects)
    yield from mkl_variant(projects, mkl_wheels)
    if netlib:
        yield netlib_variant(projects)


def openblas(projects: tuple[parts.SplitWheel, ...]) -> Iterator[Package]:
    """The default: OpenBLAS as the wheels have it, and links to it."""
    yield Package("libopenblas", "0.3", parts.openblas_files(*projects))
    links = parts.links_to_openblas(*projects)
    yield libblas("openblas", links, depends=("libopenblas",))


def mkl_variant(
    projects: tuple[parts.SplitWheel, ...], mkl_wheels: list[Path]
) -> Iterator[Package]:
    """MKL, and shims that lead to it."""
    files, backend = parts.mkl_files(*mkl_wheels), wheels.BACKENDS["mkl"]
    yield Package("mkl", backend.packages[0].partition("==")[2], files)
    yield libblas("mkl", parts.shims(backend, files, *projects), depends=("mkl",))


def netlib_variant(projects: tuple[parts.SplitWheel, ...]) -> Package:
    """netlib, which no other package brings, and shims that lead to it."""
    files = parts.netlib_files()
    return libblas("netlib", {**files, **parts.shims(wheels.BACKENDS["netlib"], files, *projects)})


def libblas(variant: str, files: parts.Files, depends: tuple[str, ...] = ()) -> Package:
    """One variant of `libblas`, with the features by which conda-forge ranks it."""
    features = {"openblas": "", "mkl": "blas_mkl", "netlib": "blas_netlib blas_netlib_2"}
    return Package(
        "libblas",
        "3.11.0",
        files,
        depends=depends,
        build_prefix="0_",
        build_suffix=variant,
        track_features=features[variant],
    )
