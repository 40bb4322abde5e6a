"""Convolve with columns, then with rows: filters of low rank need few of both.

Identity: a filter plane of rank r is a sum of r products of a column and a row, its singular
value decomposition. Each product is a vertical pass over the image and a horizontal one over its
result, KH + KW taps in place of KH·KW. `prepare` knows the rank, and refuses filters for which
the passes would execute no fewer operations than the direct sum.
Source: Treitel & Shanks, "The design of multistage separable planar filters", IEEE Transactions
on Geoscience Electronics, 1971.
"""

from dataclasses import dataclass, replace

import numpy as np

from convbench.errors import UnsupportedProblem
from convbench.problem import Array, ConvProblem
from convbench.reference import separable_error_bound
from convbench.strategies._layout import nchw_prepare, nchw_run
from convbench.strategies._limits import too_many_slow_macs, too_much_workspace
from convbench.strategies._strategy import Strategy
from convbench.strategies._windows import padded_bytes, tap_views


@dataclass(frozen=True, slots=True)
class Factors:
    """Filters as sums of products, r of them for every pair of channels.

    Attributes
    ----------
    columns : array, shape (r, O/groups, groups, C/groups, KH)
    rows : array, shape (r, O/groups, groups, C/groups, KW)
    """

    columns: Array
    rows: Array

    @property
    def rank(self) -> int:
        """The largest rank of a filter plane, at least one."""
        return len(self.columns)


@nchw_prepare
def prepare(weights: Array, problem: ConvProblem) -> Factors:
    """Factor every filter plane; one of lower rank than another is padded with small products.

    Raises
    ------
    UnsupportedProblem
        When the passes would execute no fewer operations than the direct sum.
    """
    if not np.isfinite(weights).all():
        raise UnsupportedProblem("filters with NaN or infinity have no singular values")
    left, sigma, right = np.linalg.svd(weights.astype(np.float64), full_matrices=False)
    # As numpy.linalg.matrix_rank, but at the precision in which the filters were given.
    negligible = np.finfo(problem.dtype).eps * max(weights.shape[2:]) * sigma[..., :1]
    rank = max(1, int(np.sum(sigma > negligible, axis=-1).max()))
    if reason := _refusal(problem, rank):
        raise UnsupportedProblem(reason)
    # Half of a singular value to each side: neither over- nor underflows alone.
    halves = np.sqrt(sigma[..., None, :rank])
    columns = left[..., :rank] * halves
    rows = right[..., :rank, :].swapaxes(2, 3) * halves
    return Factors(_by_product(columns, problem), _by_product(rows, problem))


@nchw_run
def run(x: Array, factors: Factors, problem: ConvProblem) -> Array:
    """Pass over the image once for every product and every filter of a group."""
    group_in = problem.in_channels // problem.groups
    group_out = problem.out_channels // problem.groups
    shape = (problem.batch, problem.groups, group_out, problem.out_height, problem.out_width)
    output = np.zeros(shape, dtype=x.dtype)
    views = [
        view.reshape(problem.batch, problem.groups, group_in, *view.shape[2:])
        for _, _, view in tap_views(x, _vertical(problem))
    ]
    vertical, product = np.empty_like(x, shape=(2, *views[0].shape), order="C")
    for columns, rows in zip(factors.columns, factors.rows, strict=True):
        for o in range(group_out):
            _pass_down(views, columns[o], vertical, product)
            _pass_along(vertical, rows[o], output[:, :, o], problem)
    return output.reshape(
        problem.batch, problem.out_channels, problem.out_height, problem.out_width
    )


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse where even filters of rank one save nothing, or would take too much."""
    return _refusal(problem, rank=1) or too_much_workspace(workspace_bytes(problem))


def flops(problem: ConvProblem, prepared: Factors | None = None) -> int:
    """Count the passes for the rank of the filters; for rank one while they are not known."""
    return 2 * _macs(problem, rank=1 if prepared is None else prepared.rank)


def workspace_bytes(problem: ConvProblem) -> int:
    """Count padded input, columns and rows of rank one, both arrays of a pass, and its sum."""
    pairs = problem.out_channels * problem.in_channels // problem.groups
    vertical = problem.batch * problem.in_channels * problem.out_height * problem.padded[1]
    numbers = (
        pairs * (problem.kernel_height + problem.kernel_width)
        + 2 * vertical
        + problem.batch * problem.groups * problem.out_height * problem.out_width
        # NumPy buffers each of three strided operands.
        + 3 * min(vertical, np.getbufsize())
    )
    return padded_bytes(problem) + numbers * problem.itemsize


def _pass_down(views: list[Array], columns: Array, vertical: Array, product: Array) -> None:
    """Correlate every channel (N, groups, C/groups, H, W) with its column."""
    np.multiply(views[0], columns[..., 0, None, None], out=vertical)
    for i, view in enumerate(views[1:], start=1):
        np.multiply(view, columns[..., i, None, None], out=product)
        vertical += product


def _pass_along(vertical: Array, rows: Array, output: Array, problem: ConvProblem) -> None:
    """Correlate every channel with its row, and add the sum over channels to the output."""
    stride, dilation = problem.stride[1], problem.dilation[1]
    length = (problem.out_width - 1) * stride + 1
    for j in range(problem.kernel_width):
        left = j * dilation
        view = vertical[..., left : left + length : stride]
        output += np.einsum("ngcyx,gc->ngyx", view, rows[..., j])


def _vertical(problem: ConvProblem) -> ConvProblem:
    """Describe the first pass, which keeps every column for the second one."""
    return replace(
        problem,
        kernel_width=1,
        stride=(problem.stride[0], 1),
        dilation=(problem.dilation[0], 1),
    )


def _by_product(sides: Array, problem: ConvProblem) -> Array:
    """Sort columns or rows (O, C/groups, K, r) to (r, O/groups, groups, C/groups, K)."""
    grouped = sides.reshape(problem.groups, -1, *sides.shape[1:])
    return np.asarray(grouped.transpose(4, 1, 0, 2, 3), dtype=problem.dtype, order="C")


def _macs(problem: ConvProblem, rank: int) -> int:
    products = rank * problem.batch * problem.out_channels * problem.in_channels // problem.groups
    down = problem.kernel_height * problem.padded[1]
    along = problem.kernel_width * problem.out_width
    return products * problem.out_height * (down + along)


def _refusal(problem: ConvProblem, rank: int) -> str | None:
    macs = _macs(problem, rank)
    if macs >= problem.macs > 0:
        return (
            f"filters of rank {rank} would need {2 * macs:,} operations for columns and rows, "
            f"and the direct sum needs {problem.flops:,}"
        )
    return too_many_slow_macs(macs)


STRATEGY = Strategy(
    name="separable",
    family="direct",
    summary="columns, then rows: for filters of low rank, by singular value decomposition",
    reference="Treitel & Shanks, IEEE Trans. Geoscience Electronics 9(1), 1971",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    flops=flops,
    workspace_bytes=workspace_bytes,
    error_bound=separable_error_bound,
    local=False,  # NaN stays in its patches, but products of opposite signs make it of infinity
)
