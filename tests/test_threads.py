import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl

from convbench import threads


@pytest.fixture(autouse=True)
def fresh_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forgets the environment's answer before and after, and sets no variable."""
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    threads._default.cache_clear()
    yield
    threads._default.cache_clear()


def blas_threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    libraries = threadpoolctl.threadpool_info()
    return {library["num_threads"] for library in libraries if library["user_api"] == "blas"}


def test_all_usable_cores_without_a_wish() -> None:
    assert threads.count() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"NUMBA_NUM_THREADS": "5", "OMP_NUM_THREADS": "3"}, 5),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"NUMBA_NUM_THREADS": "", "OMP_NUM_THREADS": "2"}, 2),
    ],
)
def test_variables_of_the_environment_count(
    variables: dict[str, str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert threads.count() == expected


@pytest.mark.parametrize("value", ["0", "-1", "many", " "])
def test_a_variable_that_says_no_number_is_passed_over(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)

    assert threads.count() == len(os.sched_getaffinity(0))


def test_limits_nest() -> None:
    before = threads.count(), blas_threads()

    with threads.limit(7):
        with threads.limit(1):
            assert (threads.count(), blas_threads()) == (1, {1})
        assert threads.count() == 7

    assert (threads.count(), blas_threads()) == before


def test_an_error_ends_a_limit() -> None:
    before = threads.count(), blas_threads()

    with pytest.raises(ZeroDivisionError), threads.limit(1):
        raise ZeroDivisionError

    assert (threads.count(), blas_threads()) == before


def test_threads_started_inside_are_limited() -> None:
    with threads.limit(1), ThreadPoolExecutor(1) as pool:
        assert pool.submit(threads.count).result() == 1


def test_overlapping_limits_of_two_threads_leave_the_original_state() -> None:
    with threads.limit(7):  # whatever the number of cores: 1 and 2 differ from it
        before = threads.count(), blas_threads()
        first_left = threading.Event()
        second_entered = threading.Event()

        def first() -> None:
            with threads.limit(1):
                assert second_entered.wait(10)
            first_left.set()

        def second() -> None:
            with threads.limit(2):
                second_entered.set()
                assert first_left.wait(10)
                assert threads.count() == 2

        with ThreadPoolExecutor(2) as pool:
            earlier = pool.submit(first)
            while threads.count() != 1:
                pass
            later = pool.submit(second)
            earlier.result(), later.result()

        assert (threads.count(), blas_threads()) == before


@pytest.mark.parametrize("number", [0, -1])
def test_fewer_than_one_thread_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1; got {number}"), threads.limit(number):
        pass
