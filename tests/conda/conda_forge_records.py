"""Records as conda-forge lists them, cut down to what decides which BLAS a solver picks.

Structure and build strings of `libblas`, `libcblas` and `liblapack` follow the recipes of
conda-forge/blas-feedstock (OpenBLAS, MKL, BLIS) and conda-forge/lapack-feedstock (netlib), and
conda-forge's records in the lock file of scipy/scipy (`pixi.lock`, 2026):

- OpenBLAS, the default, has no `track_features`; the others have one, netlib two.
- `libcblas` and `liblapack` depend on the exact build of their `libblas`, netlib's only on its
  version: so netlib's LAPACK serves BLIS, which has none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from conda_package import PLATFORM

VERSION = "3.11.0"

BUILDS = {"openblas": "11_h4a7cf45", "mkl": "11_h5875eb1", "blis": "11_h2a1b3c4"}
"""Of `libblas`, without the variant that ends them."""

BACKENDS = {
    "openblas": ("libopenblas >=0.3.34,<0.3.35.0a0", "libopenblas >=0.3.34,<1.0a0"),
    "mkl": ("mkl >=2026.0.0,<2027.0a0",),
    "blis": ("blis >=2.0,<2.1.0a0",),
}
FEATURES = {"openblas": "", "mkl": "blas_mkl", "blis": "blas_blis"}

PYTHON = ("python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311")
BLAS = ("libblas >=3.9.0,<4.0a0", "libcblas >=3.9.0,<4.0a0", "liblapack >=3.9.0,<4.0a0")

OTHERS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("python", "3.11.14", "hd63d673_3_cpython", ("__glibc >=2.17,<3.0.a0",)),
    ("python", "3.14.2", "h32b2ec7_100_cp314", ("__glibc >=2.17,<3.0.a0",)),
    ("python_abi", "3.11", "8_cp311", ()),
    ("numpy", "2.4.6", "py311h2e04523_0", PYTHON + BLAS),
    ("scipy", "1.17.1", "py311hbe70eeb_0", (*PYTHON, *BLAS, "numpy >=1.23,<3")),
    ("numba", "0.68.1", "py311h1741904_0", (*PYTHON, "llvmlite >=0.50.0,<0.51.0a0", "numpy")),
    ("llvmlite", "0.50.0", "py311h41a00d4_0", PYTHON),
    ("threadpoolctl", "3.8.0", "pyhecae5ae_0", ("python >=3.9",)),
    ("pip", "26.3", "pyh8b19718_0", ("python >=3.10", "wheel")),
    ("wheel", "0.48.0", "pyhd8ed1ab_0", ("python >=3.10",)),
    ("libopenblas", "0.3.34", "pthreads_h94d23a6_0", ("__glibc >=2.17,<3.0.a0",)),
    ("mkl", "2026.2.0", "ha770c72_1", ("__glibc >=2.17,<3.0.a0",)),
    ("blis", "2.0", "h4ab18f5_1", ("__glibc >=2.17,<3.0.a0",)),
)
"""Name, version, build and dependencies of all that has no variant."""


def records(variants: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Make the list of a channel that has these variants of `libblas`."""
    listed = [record(*row) for row in OTHERS]
    for variant in variants:
        listed += netlib() if variant == "netlib" else split(variant)
    return {f"{row['name']}-{row['version']}-{row['build']}.conda": row for row in listed}


def split(variant: str) -> list[dict[str, Any]]:
    """`libblas` of one variant, and what stands on it; BLIS has no LAPACK."""
    build = f"{BUILDS[variant]}_{variant}"
    siblings = ["libcblas"] if variant == "blis" else ["libcblas", "liblapack"]
    pinned = tuple(f"{name} {VERSION} 11*_{variant}" for name in siblings)
    base = record(
        *("libblas", VERSION, build, BACKENDS[variant]),
        constrains=(f"blas 2.311 {variant}", *pinned),
        track_features=FEATURES[variant],
    )
    on_top = [
        record(
            *(name, VERSION, f"11_h0358290_{variant}", (f"libblas {VERSION} {build}",)),
            constrains=(f"blas 2.311 {variant}", *(pin for pin in pinned if name not in pin)),
            track_features=FEATURES[variant],
        )
        for name in siblings
    ]
    return [base, *on_top]


def netlib() -> list[dict[str, Any]]:
    """The reference libraries, which feature twice: any other variant is preferred."""
    features = "blas_netlib blas_netlib_2"
    build = "9_h0eb5f60_netlib"
    base = record(
        *("libblas", VERSION, build, ("__glibc >=2.17,<3.0.a0",)),
        constrains=("blas * netlib",),
        track_features=features,
    )
    on_top = [
        record(name, VERSION, build, (f"libblas {VERSION}.*",), track_features=features)
        for name in ("libcblas", "liblapack")
    ]
    return [base, *on_top]


def record(
    name: str,
    version: str,
    build: str,
    depends: tuple[str, ...],
    *,
    constrains: tuple[str, ...] = (),
    track_features: str = "",
) -> dict[str, Any]:
    """One entry of `repodata.json`; the build number is the number in the build string."""
    number = build.split("_")[0] if build[0].isdigit() else build.split("_")[1]
    features = {"track_features": track_features} if track_features else {}
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": int(number) if number.isdigit() else 0,
        "depends": list(depends),
        "constrains": list(constrains),
        "subdir": PLATFORM,
        "sha256": "0" * 64,
        "size": 1,
        "timestamp": 1_780_000_000_000,
        **features,
    }
