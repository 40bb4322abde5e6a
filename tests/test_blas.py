"""The guard: which BLAS is mapped, and what must never be stored under its name."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import threadpoolctl

from convbench import blas


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/env/numpy.libs/libscipy_openblas64_-56d6093b.so", "openblas"),
        ("/usr/lib/libopenblasp-r0.3.31.so", "openblas"),
        ("/env/lib/libmkl_rt.so.3", "mkl"),
        ("/env/lib/libmkl_core.so.3", "mkl"),
        ("/usr/lib/x86_64-linux-gnu/blis-pthread/libblis.so.4", "blis"),
        ("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0", "netlib"),
        ("/usr/lib/x86_64-linux-gnu/blas64/libblas64.so.3.11.0", "netlib"),
        ("/usr/lib/x86_64-linux-gnu/lapack64/liblapack64.so.3.11.0", "netlib"),
        ("/usr/lib/x86_64-linux-gnu/blis-pthread/libblas.so.3", "blis"),
        ("/usr/lib/x86_64-linux-gnu/blis64-pthread/libblas64.so.3", "blis"),
        ("/usr/lib/x86_64-linux-gnu/blis64-openmp/libblas64.so.3", "blis"),
        ("/usr/lib/x86_64-linux-gnu/openblas64-pthread/liblapack64.so.3", "openblas"),
        ("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3", "openblas"),
        ("/usr/lib/x86_64-linux-gnu/atlas/libblas.so.3.10.3", "atlas"),
        ("/opt/somewhere/libblas.so.3", "unknown"),
        ("/opt/blas/libblas.so.3", "unknown"),
        ("/home/mkl/libblas.so.3", "unknown"),
        ("/usr/lib/x86_64-linux-gnu/libblas.so.9", "unknown"),
        ("/opt/lib/libmyblas.so", "unknown"),
        ("/usr/lib/libflexiblas.so.3", "unknown"),
        ("/opt/arm/libarmpl_lp64.so", "unknown"),
    ],
)
def test_a_family_is_told_by_file_name_or_by_the_folder_directly_above(
    path: str, family: str
) -> None:
    assert blas.family_of(Path(path)) == family


@pytest.mark.parametrize(
    "path",
    [
        "/home/mkl/env/numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so",
        "/opt/openblas/libm.so.6",
        "/env/scipy/linalg/_fblas.cpython-311-x86_64-linux-gnu.so",
        "/env/numpy.libs/libretarget_blas_64_-56d6093b.so",
        "/env/nvidia/cublas/lib/libcublas.so.12",
    ],
)
def test_a_folder_of_a_telling_name_makes_no_blas_of_what_lies_in_it(path: str) -> None:
    assert blas.family_of(Path(path)) is None


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Make a conda environment of four packages, one of which says nothing of a BLAS."""
    folder = tmp_path / "mkl"  # proves nothing
    records = {
        ("libblas", "3.11.0", "1_h0_netlib"): ["lib/libblas.so.3.11.0"],
        ("liblapack", "3.9.0", "35_mkl"): ["lib/liblapack.so.3"],
        ("blis", "0.9.0", "h4ab18f5_2"): ["lib/libcblas.so.3"],
        ("armblas", "1.0", "h1_0"): ["lib/libarmblas.so"],
        ("libopenblas", "0.3.31", "pthreads_h0_0"): ["lib/libopenblasp-r0.3.31.so"],
    }
    for (name, version, build), files in records.items():
        record = {"name": name, "version": version, "build": build, "files": files}
        meta = folder / "conda-meta" / f"{name}-{version}-{build}.json"
        meta.parent.mkdir(parents=True, exist_ok=True)
        meta.write_text(json.dumps(record))
    (folder / "conda-meta" / "history").write_text("==> 2026 <==\n")
    return folder


@pytest.mark.parametrize(
    ("file", "family", "package"),
    [
        ("lib/libblas.so.3.11.0", "netlib", "libblas-3.11.0-1_h0_netlib"),
        ("lib/liblapack.so.3", "mkl", "liblapack-3.9.0-35_mkl"),
        ("lib/libcblas.so.3", "blis", "blis-0.9.0-h4ab18f5_2"),
        ("lib/libarmblas.so", "unknown", "armblas-1.0-h1_0"),
        ("lib/libopenblasp-r0.3.31.so", "openblas", "libopenblas-0.3.31-pthreads_h0_0"),
        ("lib/libblas.so.3", "unknown", ""),
        ("lib/python3.11/site-packages/libblas.so.3.11.0", "unknown", ""),
    ],
)
def test_in_a_conda_environment_a_bare_name_is_told_by_the_package_that_owns_the_file(
    prefix: Path, file: str, family: str, package: str
) -> None:
    assert blas.family_of(prefix / file) == family
    assert str(blas.conda_package(prefix / file)) == package


def test_netlibs_lapack_is_no_second_blas_but_netlibs_blas_is() -> None:
    blis, lapack, netlib = (
        Path("/usr/lib/x86_64-linux-gnu", name)
        for name in ("blis-pthread/libblis.so.4", "lapack/liblapack.so.3", "blas/libblas.so.3")
    )

    assert blas.families_of([blis, lapack]) == {"blis"}
    assert blas.families_of([blis, lapack, netlib]) == {"blis", "netlib"}
    assert blas.families_of([lapack]) == set()


def test_a_lapack_of_unknown_origin_may_contain_a_blas() -> None:
    assert blas.families_of([Path("/opt/liblapack.so.3")]) == {"unknown"}


def mapped(monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    monkeypatch.setattr(blas, "mapped_blas_files", lambda: tuple(map(Path, paths)))


def test_the_claimed_library_alone_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    mapped(monkeypatch, "/env/lib/libmkl_core.so.3", "/env/lib/libmkl_rt.so.3")

    assert blas.refusal("mkl") is None


@pytest.mark.parametrize(
    ("claimed", "paths", "words"),
    [
        (
            "mkl",
            ["/e/libscipy_openblas64_-1.so"],
            ["claimed BLAS mkl", "libscipy_openblas64_-1.so"],
        ),
        ("mkl", [], ["claimed BLAS mkl", "none"]),
        ("mkl", ["/e/libmkl_rt.so.3", "/e/libscipy_openblas-1.so"], ["openblas is mapped as well"]),
        ("openblas", ["/opt/x/libblas.so.3"], ["claimed BLAS openblas", "libblas.so.3 (unknown)"]),
        ("", ["/e/libmkl_rt.so.3"], ["CONVBENCH_BLAS is not set", "asv.conf.json"]),
        # The five ways to a wrong label: another BLAS …
        (
            "netlib",
            ["/usr/lib/x86_64-linux-gnu/blis64-pthread/libblis64.so.4"],
            ["claimed BLAS netlib", "libblis64.so.4 (blis)"],
        ),
        # … two of them,
        (
            "blis",
            [
                "/usr/lib/x86_64-linux-gnu/blis-pthread/libblis.so.4",
                "/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0",
                "/usr/lib/x86_64-linux-gnu/lapack/liblapack.so.3.11.0",
            ],
            ["netlib is mapped as well", "libblas.so.3.11.0 (netlib)"],
        ),
        # … netlib under a name that all of them have,
        (
            "openblas",
            ["/usr/lib/x86_64-linux-gnu/blas/libblas.so.3"],
            ["claimed BLAS openblas", "libblas.so.3 (netlib)"],
        ),
        # … a folder that is called like one,
        ("mkl", ["/home/mkl/libblas.so.3"], ["claimed BLAS mkl", "libblas.so.3 (unknown)"]),
        # … and one that nobody knows, alone or beside the true one.
        ("unknown", ["/e/libmyblas.so"], ["claimed BLAS unknown", "libmyblas.so (unknown)"]),
        (
            "mkl",
            ["/e/libmkl_rt.so.3", "/e/libmyblas.so"],
            ["unknown is mapped as well", "libmyblas.so (unknown)"],
        ),
    ],
)
def test_a_false_claim_is_refused_with_both_names(
    monkeypatch: pytest.MonkeyPatch, claimed: str, paths: list[str], words: list[str]
) -> None:
    mapped(monkeypatch, *paths)

    reason = blas.refusal(claimed)

    assert reason is not None
    assert all(word in reason for word in words)


def test_a_runtime_that_a_strategy_brings_is_allowed_beside_the_claim(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mapped(monkeypatch, "/e/libscipy_openblas-1.so", "/e/libmkl_rt.so.3")

    assert blas.refusal("openblas", allowed=["mkl"]) is None
    assert blas.refusal("openblas") is not None


RATIOS = {"netlib": 0.30, "blis": 5.2, "openblas": 7.4, "openblas AVX2": 5.2, "mkl": 8.2}
"""Rates of sgemm over those of NumPy's loops, as measured (FASTEST_NETLIB says where)."""


@pytest.mark.parametrize("library", RATIOS)
@pytest.mark.parametrize("noise", [0.5, 1, 2])
def test_speed_tells_netlib_from_the_optimised_though_a_rate_be_off_by_two(
    monkeypatch: pytest.MonkeyPatch, library: str, noise: float
) -> None:
    rates = (20e9 * RATIOS[library] * noise, 20e9)
    monkeypatch.setattr(blas, "gemm_and_loops_flops_per_second", lambda: rates)

    reason = blas.speed_refusal("netlib")

    assert (reason is None) == (library == "netlib")


def test_this_process_multiplies_too_fast_for_netlib() -> None:
    reason = blas.speed_refusal("netlib")

    assert reason is not None
    assert all(word in reason for word in ("claimed BLAS netlib", "GFLOP/s", "NumPy's own loops"))


@pytest.mark.parametrize("claimed", ["openblas", "mkl", "blis", ""])
def test_the_speed_of_an_optimised_library_is_not_judged(
    monkeypatch: pytest.MonkeyPatch, claimed: str
) -> None:
    monkeypatch.delattr(blas, "gemm_and_loops_flops_per_second")

    assert blas.speed_refusal(claimed) is None


def test_the_lapack_that_runs_is_named_by_version_and_origin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert re.fullmatch(r"LAPACK 3\.\d+\.\d+ openblas", blas.lapack())
    folder = "/usr/lib/x86_64-linux-gnu"
    mapped(monkeypatch, f"{folder}/blis-pthread/libblis.so.4", f"{folder}/lapack/liblapack.so.3")
    assert blas.lapack().endswith(" netlib")


def test_another_number_of_threads_than_claimed_is_refused() -> None:
    blas.exercise()

    with threadpoolctl.threadpool_limits(1):
        assert blas.refusal("openblas", threads=1) is None
        assert "claimed 2 BLAS thread(s), but" in str(blas.refusal("openblas", threads=2))


def test_this_process_runs_on_the_libraries_that_it_maps() -> None:
    blas.exercise()

    libraries = blas.loaded_blas()

    # NumPy and SciPy from PyPI bring one OpenBLAS each.
    assert {library.family for library in libraries} == {"openblas"}
    assert all(library.version and library.architecture for library in libraries)
    files = {file.name: file for file in blas.mapped_blas_files()}
    for library in libraries:
        content = files[library.file].read_bytes()
        assert library.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("claimed", "word"),
    [("openblas", "times"), ("mkl", "libscipy_openblas"), ("", "asv.conf.json")],
)
def test_a_cell_is_timed_under_a_true_claim_and_fails_under_a_false_one(
    claimed: str, word: str
) -> None:
    root = Path(__file__).resolve().parents[1]
    script = (
        "from benchmarks import run\n"
        "run.Float32().time_run('im2col', 'question', 'float32')\n"
        "print('times')"
    )
    # threadpoolctl has set KMP_DUPLICATE_LIB_OK here, which a measurement would refuse to inherit.
    ours = ("CONVBENCH_BLAS", "KMP_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    variables |= {"CONVBENCH_BLAS": claimed} if claimed else {}

    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=variables, capture_output=True, text=True
    )

    assert word in answer.stdout + answer.stderr
    assert (answer.returncode == 0) == (claimed == "openblas")
