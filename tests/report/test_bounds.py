from dataclasses import replace

import pytest

from convbench.report.bounds import Cost, why

COST = Cost(
    seconds=1.0,
    flops=10**9,
    direct_flops=10**9,
    moved_bytes=12 * 10**6,
    lines=100,
    calls=10,
    frequent="np.empty",
    frequent_calls=1,
    overhead=0.0,
    at_peak=0.0,
    traffic=0.0,
)


def cost(**known: object) -> Cost:
    return replace(COST, **known)


@pytest.mark.parametrize(
    ("known", "clause"),
    [
        (
            {"seconds": 0.0138, "overhead": 0.01, "frequent": "np.sum", "frequent_calls": 2560},
            "2,560 np.sum calls at 5.39 µs: interpreter overhead",
        ),
        ({"overhead": 0.7}, "10 calls and 100 lines of Python: interpreter overhead"),
        (
            {"overhead": 0.7, "calls": 3, "lines": 1_000_000, "frequent_calls": 0},
            "1,000,000 lines of Python at 1.00 µs: interpreter overhead",
        ),
        ({"at_peak": 0.84, "traffic": 0.5}, "runs at 84 % of the GEMM peak"),
        (
            {"at_peak": 0.6, "flops": 3 * 10**8},
            "runs at 60 % of the GEMM peak; executes 0.30× the direct operations: arithmetic saved",
        ),
        (
            {"traffic": 0.9, "at_peak": 0.1, "flops": 3 * 10**9},
            "memory-bound: moves 12.0 MB at 12.0 MB/s; executes 3.0× the direct operations",
        ),
        (
            {"at_peak": 0.03, "overhead": 0.02},
            "the kernel itself: 1.0 GFLOP/s, 3.0 % of the GEMM peak, with 2.0 % interpreter "
            "overhead",
        ),
        ({"at_peak": 0.03}, "the kernel itself: 1.0 GFLOP/s, 3.0 % of the GEMM peak"),
    ],
)
def test_the_largest_bound_that_explains_the_time_is_the_reason(
    known: dict[str, object], clause: str
) -> None:
    assert why(cost(**known)) == clause


def test_operations_near_the_direct_ones_are_not_worth_a_word() -> None:
    assert why(cost(at_peak=0.9, flops=11 * 10**8)) == why(cost(at_peak=0.9))
