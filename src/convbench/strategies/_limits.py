"""What is too much for one benchmark cell, and how that is said."""

MAX_PYTHON_ITERATIONS = 100_000
MAX_WORKSPACE_BYTES = 512 * 2**20
MAX_SLOW_MACS = 1_000_000_000
MAX_LIBRARY_CALLS = 10_000
MAX_TRANSFORM_FLOPS = 2_000_000_000

# A NumPy call on a small patch takes about this long; it only illustrates the message.
SECONDS_PER_ITERATION = 1e-5
# A SciPy function written in Python takes about this long before it computes anything.
SECONDS_PER_LIBRARY_CALL = 1e-4


def too_many_iterations(iterations: int) -> str | None:
    """Object to a Python loop that turns one repeat into seconds."""
    if iterations <= MAX_PYTHON_ITERATIONS:
        return None
    seconds = iterations * SECONDS_PER_ITERATION
    return (
        f"would run {iterations:,} Python iterations a call (about {seconds:.0f} s, minutes over "
        f"a benchmark's repeats); the limit is {MAX_PYTHON_ITERATIONS:,}"
    )


def too_much_workspace(workspace_bytes: int) -> str | None:
    """Object to a workspace that small machines don't have."""
    if workspace_bytes <= MAX_WORKSPACE_BYTES:
        return None
    return (
        f"would need {workspace_bytes / 2**20:,.0f} MiB of workspace; "
        f"the limit is {MAX_WORKSPACE_BYTES // 2**20} MiB"
    )


def too_many_slow_macs(macs: int, *, limit: int = MAX_SLOW_MACS) -> str | None:
    """Object to work that a plain C loop, without BLAS, turns into seconds a call."""
    if macs <= limit:
        return None
    return (
        f"would run {macs:,} multiply-adds in a plain C loop (seconds a call, minutes over "
        f"a benchmark's repeats); the limit is {limit:,}"
    )


def too_many_library_calls(calls: int) -> str | None:
    """Object to a Python loop over functions that are Python themselves."""
    if calls <= MAX_LIBRARY_CALLS:
        return None
    seconds = calls * SECONDS_PER_LIBRARY_CALL
    return (
        f"would call SciPy {calls:,} times (about {seconds:.0f} s, minutes over a benchmark's "
        f"repeats); the limit is {MAX_LIBRARY_CALLS:,}"
    )


def too_many_transform_flops(flops: int) -> str | None:
    """Object to transforms of every pair of channels that take seconds a call."""
    if flops <= MAX_TRANSFORM_FLOPS:
        return None
    return (
        f"would run {flops:,} operations of Fourier transforms (seconds a call, minutes over "
        f"a benchmark's repeats); the limit is {MAX_TRANSFORM_FLOPS:,}"
    )
