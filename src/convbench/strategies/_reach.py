"""Which outputs and which inputs meet through a tap, so that nothing need be padded."""

from convbench.problem import ConvProblem


def reach(problem: ConvProblem, axis: int, tap: int) -> tuple[slice, slice]:
    """Find the outputs along an axis that this tap joins to the image, and those inputs.

    Parameters
    ----------
    problem : ConvProblem
    axis : 0 for rows, 1 for columns
    tap : int
        Index into the filter along that axis.

    Returns
    -------
    outputs, inputs : slice
        Of one length, which is zero where the tap meets the border alone.
    """
    size = (problem.height, problem.width)[axis]
    out_size = (problem.out_height, problem.out_width)[axis]
    stride = problem.stride[axis]
    offset = tap * problem.dilation[axis] - problem.padding[axis]
    first = max(0, -(offset // stride))
    last = min(out_size - 1, (size - 1 - offset) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last + 1), slice(
        first * stride + offset, last * stride + offset + 1, stride
    )


def reach_size(problem: ConvProblem, axis: int, tap: int) -> int:
    """Count what `reach` finds."""
    outputs, _ = reach(problem, axis, tap)
    return int(outputs.stop - outputs.start)
