"""Figures that go through every kind of BLAS and LAPACK call; run inside an environment."""

import ctypes
import re
import sys
from pathlib import Path

import numpy as np
import scipy.linalg as sl
import threadpoolctl
from scipy.linalg import blas, cython_lapack


def ordered(numbers):
    # Conjugate pairs have equal real parts but for rounding.
    return numbers[np.lexsort((numbers.imag, numbers.real.round(6)))]


draw = np.random.default_rng(7).standard_normal
n = 60
a, b = draw((n, n)), draw((n, n))
symmetric, z = a + a.T, a + 1j * b
out = {
    "a": a,
    "z": z,
    "numpy dgemm": a @ b,
    "numpy sgemm": a.astype("f4") @ b.astype("f4"),
    "numpy zgemm": z @ z,
    "numpy vdot": np.vdot(z[0], z[1]),
    "numpy solve": np.linalg.solve(a, b),
    "numpy svd": np.linalg.svd(a, compute_uv=False),
    "numpy eigh": np.linalg.eigvalsh(symmetric),
    "numpy eigvals": ordered(np.linalg.eigvals(a)),
    "scipy dgemm": blas.dgemm(1.0, a, b),
    "scipy sgemm": blas.sgemm(1.0, a.astype("f4"), b.astype("f4")),
    "scipy zdotc": blas.zdotc(z[0], z[1]),
    "scipy zdotu": blas.zdotu(z[0], z[1]),
    "scipy cdotc": np.complex64(blas.cdotc(z[0].astype("c8"), z[1].astype("c8"))),
    "scipy cdotu": np.complex64(blas.cdotu(z[0].astype("c8"), z[1].astype("c8"))),
    "scipy solve": sl.solve(a, b),
    "scipy svdvals": sl.svdvals(a),
    "scipy eigh": sl.eigvalsh(symmetric),
    "scipy eigvals": ordered(sl.eigvals(a)),
    "scipy schur": ordered(np.diag(sl.schur(a, output="complex")[0])),
}
triangular, unitary = sl.schur(z)
out["scipy schur residual"] = unitary @ triangular @ unitary.conj().T - z

# Complex division has no Python name in SciPy; Cython modules reach it through this capsule.
pointer, name = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_GetName
pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
for function, real in (("zladiv", ctypes.c_double), ("cladiv", ctypes.c_float)):
    number = type("number", (ctypes.Structure,), {"_fields_": [("real", real), ("imag", real)]})
    capsule = cython_lapack.__pyx_capi__[function]
    call = ctypes.CFUNCTYPE(number, *[ctypes.POINTER(number)] * 2)(pointer(capsule, name(capsule)))
    quotient = call(number(1, 2), number(3, -4))
    out["scipy " + function] = np.asarray(
        complex(quotient.real, quotient.imag), dtype="c16" if real is ctypes.c_double else "c8"
    )

maps = Path("/proc/self/maps").read_text()
files = {line.rsplit("/", 1)[1] for line in maps.splitlines() if "/" in line}
out["mapped"] = sorted(f for f in files if re.match("lib.*(blas|mkl|blis|atlas|lapack)", f))
out["threadpoolctl"] = sorted(
    row["internal_api"] for row in threadpoolctl.threadpool_info() if row["user_api"] == "blas"
)
np.savez(sys.argv[1], **out)
