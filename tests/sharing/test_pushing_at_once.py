"""Twenty machines push at the same moment: all succeed, nothing is lost, nothing is seen half."""

import os
import subprocess
import sys
from pathlib import Path

from shared_places import KINDS
from shared_runs import files_below, rows_in, write_results, write_run

from convbench.sharing import open_place, pull

MACHINES, RUNS, ROWS = 20, 2, 3

assert KINDS == ("folder", "git", "s3")  # the fixture `place_text` has each of them

# Everything is imported before the start, so that they really meet.
_CODE = """
import sys
from convbench import cli
from convbench.sharing import folder, git_branch, pushing, s3
print("ready", flush=True)
sys.stdin.readline()
sys.exit(cli.main(["push", *sys.argv[2:], "--place", sys.argv[1]]))
"""


def start(place: str, *results: Path, cache: Path) -> subprocess.Popen[str]:
    """Start a machine that pushes when it is told to."""
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, place, *map(str, results)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
    )


def go(processes: list[subprocess.Popen[str]]) -> None:
    """Let all begin at once, as soon as the last one can."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def test_twenty_pushes_at_once_all_arrive(place_text, tmp_path):
    for machine in range(MACHINES):
        for run in range(RUNS):
            write_run(tmp_path / f"host-{machine}", run, f"m{machine}", rows=ROWS)
    processes = [
        start(place_text, tmp_path / f"host-{machine}", cache=tmp_path / f"cache-{machine}")
        for machine in range(MACHINES)
    ]

    go(processes)
    seen = set()
    while any(process.poll() is None for process in processes):
        seen |= set(pull(open_place(place_text), tmp_path / "meanwhile").pulled)
    outcomes = [process.communicate() for process in processes]

    assert [process.returncode for process in processes] == [0] * MACHINES, outcomes
    pull(open_place(place_text), tmp_path / "meanwhile")
    pull(open_place(place_text), tmp_path / "afterwards")
    whole = {
        path: content
        for machine in range(MACHINES)
        for path, content in files_below(tmp_path / f"host-{machine}").items()
    }
    assert files_below(tmp_path / "meanwhile") == whole
    assert files_below(tmp_path / "afterwards") == whole
    rows = rows_in(tmp_path / "afterwards", tmp_path / "store")
    assert len(rows) == MACHINES * RUNS * ROWS


def test_growing_directories_pushed_at_once_all_arrive(place_text, tmp_path):
    for machine in range(6):
        write_results(tmp_path / f"{machine}/p/results", f"m{machine}", {1: 1.0, 2: 2.0})
    processes = [
        start(place_text, tmp_path / f"{machine}/p/results", cache=tmp_path / f"cache-{machine}")
        for machine in range(6)
    ]

    go(processes)
    outcomes = [process.communicate() for process in processes]

    assert [process.returncode for process in processes] == [0] * 6, outcomes
    pull(open_place(place_text), tmp_path / "there")
    assert len(rows_in(tmp_path / "there", tmp_path / "store")) == 12


def test_the_same_content_pushed_at_once_is_one_bundle(place_text, tmp_path):
    write_run(tmp_path / "runs", 1)
    # One cache: several processes of one machine.
    processes = [start(place_text, tmp_path / "runs", cache=tmp_path / "cache") for _ in range(6)]

    go(processes)
    outcomes = [process.communicate() for process in processes]

    assert [process.returncode for process in processes] == [0] * 6, outcomes
    assert len(open_place(place_text).names()) == 1
    pull(open_place(place_text), tmp_path / "there")
    assert files_below(tmp_path / "there") == files_below(tmp_path / "runs")
