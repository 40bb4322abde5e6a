"""The strategies that the BLAS view shows as control really call no BLAS."""

import itertools
import json
import platform
import subprocess
import sys

import pytest

from convbench import STRATEGIES
from convbench.report.build_ratios import CALLS_NO_BLAS

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="writes a machine instruction of x86-64 into mapped libraries",
)

WITHOUT_BLAS = """
import ctypes, itertools, json, sys
from pathlib import Path

import numpy as np
import scipy.linalg.blas  # mapped before the BLAS goes

from convbench import STRATEGIES, ConvProblem

CASES = [  # x, weights, and how
    ((1, 3, 32, 32), (10, 3, 2, 2), {"stride": 2}),
    ((1, 16, 20, 20), (16, 16, 3, 3), {"padding": 1}),
    ((1, 16, 20, 20), (16, 16, 3, 3), {"stride": 2, "padding": 1}),
    ((1, 8, 20, 20), (8, 1, 3, 3), {"padding": 1, "groups": 8}),
    ((1, 2, 20, 20), (3, 2, 5, 5), {"padding": 2}),
]
ROUTINES = "gemm gemv dot dotu dotc dotu_sub dotc_sub syrk axpy ger scal nrm2 asum copy trsm"
AFFIXES = [("scipy_cblas_", "64_"), ("scipy_cblas_", ""), ("scipy_", "_"), ("scipy_", "_64_"),
           ("cblas_", ""), ("", "_")]
RETURN = 0xC3


def calls(strategy):
    for shape, filters, how in CASES:
        draw = np.random.default_rng(0).standard_normal
        # Filters of low rank, which `separable` needs.
        x, weights = draw(shape), np.ones(filters) * draw((filters[0], filters[1], 1, 1))
        for dtype, layout in itertools.product(("float32", "float64"), ("NCHW", "NHWC")):
            order = (0, 1, 2, 3) if layout == "NCHW" else (0, 2, 3, 1)
            arrays = [np.ascontiguousarray(a.transpose(order), dtype) for a in (x, weights)]
            problem = ConvProblem.of(*arrays, layout=layout, **how)
            if not strategy.unsupported(problem):
                yield arrays[0], strategy.prepare(arrays[1], problem), problem


def take_the_blas_away():
    libc = ctypes.CDLL(None)
    lines = Path("/proc/self/maps").read_text().splitlines()
    files = {line.split()[-1] for line in lines if "blas" in line.split()[-1]}
    for file, kind, routine, (before, after) in itertools.product(
        files, "sdcz", ROUTINES.split(), AFFIXES
    ):
        try:
            function = getattr(ctypes.CDLL(file), before + kind + routine + after)
        except AttributeError:
            continue
        address = ctypes.cast(function, ctypes.c_void_p).value
        assert libc.mprotect(ctypes.c_void_p(address & ~4095), ctypes.c_size_t(8192), 7) == 0
        ctypes.memset(address, RETURN, 1)


wanted = {name: list(calls(STRATEGIES[name])) for name in sys.argv[1:]}
before = {name: [STRATEGIES[name].run(*one) for one in made] for name, made in wanted.items()}
take_the_blas_away()
np.seterr(all="ignore")
changed = {
    name: [not np.array_equal(STRATEGIES[name].run(*one), old) for one, old in zip(made, olds)]
    for (name, made), olds in zip(wanted.items(), before.values())
}
print(json.dumps(changed))
"""


def changed_without_blas(*names: str) -> dict[str, list[bool]]:
    """Tell of each strategy which outputs change when every routine of the BLAS does nothing."""
    command = [sys.executable, "-c", WITHOUT_BLAS, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_controls_compute_the_same_without_a_blas_and_a_matrix_product_does_not() -> None:
    changed = changed_without_blas("im2col", "fft", *sorted(CALLS_NO_BLAS))

    assert any(changed.pop("im2col")), "the BLAS was not taken away"
    assert any(changed.pop("fft")), "products of complex numbers were not taken away"
    assert all(changed.values()), "a strategy that was never called proves nothing"
    assert not any(itertools.chain.from_iterable(changed.values()))


def test_every_control_is_a_strategy() -> None:
    assert not CALLS_NO_BLAS - STRATEGIES.keys()
