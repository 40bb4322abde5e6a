"""How far two LAPACKs may differ on the figures of `blas_figures.py`."""

import numpy as np

Figures = dict[str, np.ndarray]


def assert_agrees(stock: Figures, other: Figures) -> None:
    """Compare within the rounding errors that the theory allows two libraries."""
    a, z = stock["a"], stock["z"]
    norm = np.linalg.norm(z, 2)
    # Cauchy and Schwarz: bounds every sum of products that a GEMM or a dot of a, b or z makes.
    product = np.linalg.norm(z, axis=0).max() * np.linalg.norm(z, axis=1).max()
    eigenvalue = norm * np.linalg.cond(np.linalg.eig(a)[1])  # Bauer and Fike's bound
    scales = {
        "solve": np.linalg.cond(a) * np.linalg.norm(stock["numpy solve"], 2),
        "svd": norm, "svdvals": norm, "eigh": 2 * norm, "eigvals": eigenvalue, "schur": eigenvalue,
        "dgemm": product, "sgemm": product, "zgemm": product, "vdot": product,
        "zdotc": product, "zdotu": product, "cdotc": product, "cdotu": product,
        "zladiv": 1 / len(a), "cladiv": 1 / len(a),  # a quotient below 1, without any sum
    }  # fmt: skip
    for name in stock.keys() - {"a", "z", "mapped", "threadpoolctl"}:
        # Each of the two libraries errs by a small multiple of size * eps * scale.
        tolerance = 4 * len(a) * np.finfo(stock[name].dtype).eps * scales[name.split()[1]]
        np.testing.assert_allclose(other[name], stock[name], rtol=0, atol=tolerance, err_msg=name)
