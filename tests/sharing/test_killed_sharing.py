"""Killed at any moment, a push or pull leaves nothing half; the same command goes on."""

import json
import os
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shared_places import KINDS, make_place
from shared_runs import files_below, write_results, write_run

from convbench.results.collection import say_nothing
from convbench.sharing import open_place, pull, pull_as_asv, push

# Whatever reaches a disk, another process or a server: the power may go before each of them.
STEPS = (
    *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir"),
    *("subprocess.Popen", "socket.connect", "http.client.send"),
)


def killed_before(step: int, do: Callable[[], object]) -> bool:
    """Do it in a child that is killed before a step; return whether it came that far."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forking beside threads, of which no one matters here
        child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            left -= event in STEPS
            if event in STEPS and left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(count)
            do()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return os.WIFSIGNALED(status)


def steps(kind: str, exhaustive: bool, do: Callable[[int], bool]) -> Iterator[int]:
    """Yield numbers of steps, until one is not reached: all, or some of a slow place."""
    step, rng = 1, random.Random(kind)
    while do(step):
        yield step
        # Of S3's hundreds of steps most read boto3's own files; all of them take ten minutes.
        every = kind == "folder" or (exhaustive and kind == "git")
        step += 1 if every else rng.randint(1, 5) if exhaustive else rng.randint(2, 20)


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.slow)])
def exhaustive(request) -> bool:
    return request.param


@pytest.fixture
def runs(tmp_path) -> Path:
    for number in range(2):
        write_run(tmp_path / "runs", number)
    return tmp_path / "runs"


def assert_is_part_of(found: dict[str, bytes], whole: dict[str, bytes]) -> None:
    """Every run that is there is there wholly."""
    names = {path.split("/")[0] for path in found}
    assert found == {
        path: content for path, content in whole.items() if path.split("/")[0] in names
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_push_is_not_seen_half_and_goes_on(kind, runs, tmp_path, request, exhaustive):
    whole = files_below(runs)
    tried: list[str] = []

    def start(step: int) -> bool:
        (tmp_path / f"{step}").mkdir()
        tried.append(make_place(kind, request, tmp_path / f"{step}"))
        return killed_before(step, lambda: push([runs], open_place(tried[-1]), say=say_nothing))

    seen = set()
    for step in steps(kind, exhaustive, start):
        there = tmp_path / f"there-{step}"
        done = pull(open_place(tried[-1]), there)
        assert done.refused == []
        assert_is_part_of(files_below(there), whole)
        seen.add(len(done.pulled))
        push([runs], open_place(tried[-1]), say=say_nothing)
        pull(open_place(tried[-1]), there)
        assert files_below(there) == whole
        assert len(open_place(tried[-1]).names()) == 2

    assert len(tried) > 3
    assert 0 in seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_pull_leaves_whole_runs_and_goes_on(kind, runs, tmp_path, request, exhaustive):
    place_text = make_place(kind, request, tmp_path)
    push([runs], open_place(place_text), say=say_nothing)
    whole = files_below(runs)

    def start(step: int) -> bool:
        there = tmp_path / f"there-{step}"
        return killed_before(step, lambda: pull(open_place(place_text), there))

    reached = 0
    for step in steps(kind, exhaustive, start):
        reached += 1
        there = tmp_path / f"there-{step}"
        assert_is_part_of(files_below(there) if there.exists() else {}, whole)
        pull(open_place(place_text), there)
        assert files_below(there) == whole

    assert reached > 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_pull_for_asv_leaves_whole_files_and_goes_on(kind, tmp_path, request, exhaustive):
    place_text = make_place(kind, request, tmp_path)
    results = write_results(tmp_path / "p/results", "ci", {1: 1.0, 2: 2.0})
    push([results], open_place(place_text), say=say_nothing)
    write_results(results, "ci", {2: 3.0})
    push([results], open_place(place_text), say=say_nothing)
    pull_as_asv(open_place(place_text), tmp_path / "expected")
    expected = files_below(tmp_path / "expected")

    def start(step: int) -> bool:
        there = tmp_path / f"there-{step}"
        return killed_before(step, lambda: pull_as_asv(open_place(place_text), there))

    reached = 0
    for step in steps(kind, exhaustive, start):
        reached += 1
        there = tmp_path / f"there-{step}"
        for path in there.rglob("*.json"):  # asv reads hidden folders, too
            json.loads(path.read_text())
        pull_as_asv(open_place(place_text), there)
        assert files_below(there) == expected

    assert reached > 3
