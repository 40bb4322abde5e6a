"""The guard: which BLAS is mapped, and what must never be stored under its name."""

import hashlib
import os
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
        ("/usr/lib/x86_64-linux-gnu/blis-pthread/libblas.so.3", "blis"),
        ("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3", "openblas"),
        ("/usr/lib/x86_64-linux-gnu/atlas/libblas.so.3.10.3", "atlas"),
        ("/opt/somewhere/libblas.so.3", "unknown"),
        ("/usr/lib/libflexiblas.so.3", "unknown"),
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
        "/env/numpy.libs/libretarget_blas_64_-56d6093b.so",
    ],
)
def test_a_folder_of_a_telling_name_makes_no_blas_of_what_lies_in_it(path: str) -> None:
    assert blas.family_of(Path(path)) is None


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
    variables = {name: value for name, value in os.environ.items() if name != "CONVBENCH_BLAS"}
    variables |= {"CONVBENCH_BLAS": claimed} if claimed else {}

    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=variables, capture_output=True, text=True
    )

    assert word in answer.stdout + answer.stderr
    assert (answer.returncode == 0) == (claimed == "openblas")
