"""The matrices of minimal filtering, for any number of outputs and taps, in exact arithmetic.

F(m, r) computes m outputs of a filter of r taps with α = m + r - 1 multiplications:

    y = Aᵀ ((G w) ∘ (Bᵀ d))        y: m outputs, w: r taps, d: α inputs

Both factors are values of polynomials at α - 1 points and at infinity: row i of G evaluates the
filter at point aᵢ, over fᵢ = Π (aᵢ - aⱼ); column i of Aᵀ holds the powers of aᵢ; row i of Bᵀ holds
the coefficients of Π (x - aⱼ). Products run over the finite points other than aᵢ; infinity takes
the leading coefficient, and the product over all points in Bᵀ.
Source: Winograd, "Arithmetic complexity of computations", SIAM 1980, chapter IV; Blahut, "Fast
algorithms for signal processing", 2010, chapter 5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

# Points a and -a side by side share their sums; small powers of two keep the error small.
POINTS = tuple(Fraction(p) for p in ("0", "1", "-1", "2", "-2", "1/2", "-1/2"))

Matrix = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, slots=True)
class Filtering:
    """F(outputs, taps): the three matrices of one dimension, as rows of exact fractions."""

    outputs: int
    taps: int
    outputs_transform: Matrix  # Aᵀ, outputs × size
    filter_transform: Matrix  # G, size × taps
    inputs_transform: Matrix  # Bᵀ, size × size

    @property
    def size(self) -> int:
        """Inputs of one tile, and multiplications."""
        return self.outputs + self.taps - 1


@cache
def filtering(outputs: int, taps: int) -> Filtering:
    """Make the matrices of F(outputs, taps); at most eight inputs a tile, as `POINTS` allows."""
    size = outputs + taps - 1
    if not 2 <= size <= len(POINTS) + 1:
        raise ValueError(
            f"a tile has 2 to {len(POINTS) + 1} inputs, outputs + taps - 1; got {size}"
        )
    points = POINTS[: size - 1]
    scales = [math.prod((a - b for b in points if b != a), start=Fraction(1)) for a in points]
    powers = [[a**k for k in range(size)] for a in points]
    filter_rows = [
        tuple(power / scale for power in row[:taps])
        for row, scale in zip(powers, scales, strict=True)
    ]
    input_rows = [_coefficients([b for b in points if b != a], size) for a in points]
    return Filtering(
        outputs=outputs,
        taps=taps,
        outputs_transform=tuple(
            (*(row[k] for row in powers), Fraction(k == outputs - 1)) for k in range(outputs)
        ),
        filter_transform=(*filter_rows, _unit(taps - 1, taps)),
        inputs_transform=(*input_rows, _coefficients(points, size)),
    )


def as_floats(matrix: Matrix) -> tuple[tuple[float, ...], ...]:
    """Round a matrix to double precision; here every entry but G's is exact."""
    return tuple(tuple(float(entry) for entry in row) for row in matrix)


def _coefficients(roots: Sequence[Fraction], size: int) -> tuple[Fraction, ...]:
    """Expand Π (x - root), lowest power first, filled up with zeros."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        scaled = [root * c for c in coefficients] + [Fraction(0)]
        coefficients = [a - b for a, b in zip(shifted, scaled, strict=True)]
    return (*coefficients, *[Fraction(0)] * (size - len(coefficients)))


def _unit(index: int, size: int) -> tuple[Fraction, ...]:
    return tuple(Fraction(k == index) for k in range(size))
