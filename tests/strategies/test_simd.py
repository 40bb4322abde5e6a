"""The vector functions, compiled for registers of every width that this machine has."""

import os
import subprocess
import sys

import pytest
from llvmlite import binding

# What Numba is told to compile for, and the registers it then has.
PROCESSORS = {
    64: {},
    32: {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2"},
    16: {"NUMBA_CPU_NAME": "generic"},
}
NEEDED = {64: "avx512f", 32: "avx2", 16: "sse2"}
HERE = [width for width, feature in NEEDED.items() if binding.get_host_cpu_features().get(feature)]

CHECK = """
import numba
import numpy as np
from convbench import STRATEGIES, ConvProblem
from convbench.reference import convolve
from convbench.strategies import _simd as simd
from generators import PROBLEM_KINDS, assert_within

assert simd.VECTOR_BYTES == {width}
rng = np.random.default_rng(0)


@numba.njit
def multiply(x, starts, first, runs, length, packed, output, columns):
    last, step = len(starts), columns
    simd.multiply(x, starts, first, last, runs, length, packed, 0, output, 0, step, columns)


@numba.njit
def transpose(source, target, rows, columns):
    simd.transpose(source, 0, columns, target, 0, rows, rows, columns)


for dtype, unit in (("float32", 2.0**-24), ("float64", 2.0**-53)):
    lanes = simd.lanes(np.dtype(dtype).itemsize)
    most = max(simd.STRIPS.values())
    for columns in (1, lanes - 1, lanes, lanes + 1, 3 * lanes, 4 * lanes, 7 * lanes + 1):
        columns = max(columns, 1)
        for rows in (1, 5, 6, 7, most, 2 * most + 1):
            for runs, length in ((1, 1), (1, 7), (3, 4), (2, 9)):
                depth = runs * length
                x = rng.standard_normal((rows, depth + 2)).astype(dtype)
                matrix = rng.standard_normal((depth, columns)).astype(dtype)
                starts, run_starts = np.arange(rows) * (depth + 2), np.arange(runs) * length
                for first in (0, rows // 2):
                    output = np.full((rows - first) * columns + 1, 7, dtype)
                    packed = simd.pack(matrix[None])[0]
                    multiply(
                        *(x.ravel(), starts, first, run_starts, length, packed, output, columns)
                    )
                    exact = x[first:, :depth].astype("f8") @ matrix.astype("f8")
                    bound = abs(x[first:, :depth]).astype("f8") @ abs(matrix).astype("f8")
                    gamma = depth * (unit + 2.0**-53) * 1.01
                    assert_within(output[:-1].reshape(exact.shape), exact, gamma * bound)
                    assert output[-1] == 7  # nothing is written beyond the last column
    for rows in (1, 3, 4, lanes, lanes + 1, 2 * lanes + 3):
        for columns in (1, 3, 4, lanes, lanes + 1, 2 * lanes + 3):
            source = rng.standard_normal((rows, columns)).astype(dtype)
            target = np.full(rows * columns + 1, 7, dtype)
            transpose(source.ravel(), target, rows, columns)
            np.testing.assert_array_equal(target[:-1].reshape(columns, rows), source.T)
            assert target[-1] == 7

for name in (
    *("numba_nhwc", "implicit_gemm", "numba_direct", "numba_depthwise"),
    *("winograd_f2x3", "winograd_f4x3", "winograd_strided"),
):
    strategy = STRATEGIES[name]
    for arguments in PROBLEM_KINDS.values():
        for layout in ("NCHW", "NHWC"):
            problem = ConvProblem(**arguments, layout=layout)
            if strategy.unsupported(problem) is not None:
                continue
            x, weights = problem.random_operands()
            output = strategy.run(x, strategy.prepare(weights, problem), problem)
            bound = strategy.error_bound(x, weights, problem)
            assert_within(output, convolve(x, weights, problem), bound)
"""


@pytest.mark.slow
@pytest.mark.parametrize("width", HERE)
def test_vectors_of_every_width_compute_the_same(width: int) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", CHECK.replace("{width}", str(width))],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | PROCESSORS[width],
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stderr[-3000:]
