"""`convbench bisect`: what it asks for, what it says, and its exit codes; nothing is measured."""

import argparse
import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from convbench.commands import bisect
from convbench.comparison.ancestry import Description
from convbench.comparison.arms import Arm, Cell, Place
from convbench.comparison.environments import Environment
from convbench.errors import BadResults, BadUsage, MeasureFailed
from convbench.results import collect, write_table
from convbench.results.event_lookup import find_event
from convbench.results.schema import DETECTED, SCHEMAS, empty_frame

COMMITS = tuple(f"{number:02x}" * 20 for number in range(9))
NAME = "run.time_it('im2col', 5)"
BENCHMARK: Mapping[str, Any] = {
    "name": "run.time_it",
    "params": [["'im2col'", "'fft'"], ["5", "'5'", "50"]],
    "param_names": ["strategy", "n"],
    "comparable": True,
    "timeout": None,
}


@dataclass
class Played:
    """Block values without noise; some commits can't be built."""

    slow_from: int
    broken: tuple[int, ...] = ()
    asked: int = 0

    def block(self, commit: str, number: int) -> float | str:
        place = COMMITS.index(commit)
        self.asked += 1
        if place in self.broken:
            return f"{commit[:8]} can't be built: \x1b[31mno"
        return (0.2 if place >= self.slow_from else 0.0) + 0.001 * (number % 2)


class PlayedProject:
    """An open project of two environments."""

    timeout = 60.0

    def __init__(self, folder: Path) -> None:
        self.house = SimpleNamespace(folder=folder)
        self._known = (
            Environment("virtualenv-py-mkl", Path("python"), {"CONVBENCH_BLAS": "mkl"}, False),
            Environment(
                "virtualenv-py-open", Path("python"), {"CONVBENCH_BLAS": "openblas"}, False
            ),
        )

    def environments(self) -> tuple[Environment, ...]:
        return self._known

    def environment(self, name: str = "") -> Environment:
        return next(each for each in self._known if name in each.name)

    def create(self, *_: object) -> None:
        pass

    def arm(self, environment: Environment, commit: str, label: str) -> Arm:
        del commit
        return Arm(label, environment.python, {}, ())

    def benchmarks(self, _: Arm) -> list[Mapping[str, Any]]:
        return [BENCHMARK]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Played], None]:
    """Put a played project in the place of a real one."""

    def put(trials: Played) -> None:
        @contextlib.contextmanager
        def opened(*_: object, **__: object) -> Iterator[PlayedProject]:
            yield PlayedProject(tmp_path / "compare")

        history = SimpleNamespace(
            root=tmp_path,
            config={},
            commits=lambda good, bad: COMMITS[COMMITS.index(good) : COMMITS.index(bad) + 1],
            description=lambda commit: Description(
                commit, "Slow \x1b[2Jit", "A. <U>", "2026-01-02T03:04:05+00:00", True
            ),
        )
        monkeypatch.setattr(bisect, "open_project", opened)
        monkeypatch.setattr(bisect, "repository", lambda *_: history)
        monkeypatch.setattr(bisect, "TimeTrials", lambda *_: trials)

    (tmp_path / "asv.conf.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return put


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bisect.add_arguments(parser)
    return parser.parse_args(words)


def called(*words: str) -> tuple[int, list[str]]:
    said: list[str] = []
    return bisect.run(parsed(*words), said.append), said


BETWEEN = ("--between", COMMITS[0], COMMITS[8], "--bench", r"'im2col', 5\)")


def test_the_first_bad_commit_ends_with_0_and_its_reason(play: Callable[[Played], None]) -> None:
    play(Played(slow_from=6))

    code, said = called(*BETWEEN)

    assert code == 0
    assert said[-1].startswith("found: 06060606 is the first bad commit (×1.2")
    assert f"first bad commit: {COMMITS[6]}" in said
    assert "  A. <U>, 2026-01-02T03:04:05+00:00" in said
    assert "  a merge: the change may have come with its other parents" in said
    assert [line.split()[:4] for line in said if line.startswith("step")] == [
        ["step", "1", "04040404", "good"],
        ["step", "2", "06060606", "bad"],
        ["step", "3", "05050505", "good"],
    ]
    assert all(line.isprintable() for line in said)


def test_what_can_not_be_built_is_skipped_and_leaves_a_range(
    play: Callable[[Played], None],
) -> None:
    play(Played(slow_from=6, broken=(5, 6)))

    code, said = called(*BETWEEN)

    assert code == 0
    assert said[-1].startswith("found a range: one of 3 commits, 05050505 to 07070707 is the first")
    skipped = [line for line in said if "skipped" in line]
    assert len(skipped) == 2
    assert all(r"can't be built: \x1b[31mno" in line for line in skipped)


def test_a_change_that_does_not_show_ends_with_1(play: Callable[[Played], None]) -> None:
    play(Played(slow_from=99))

    code, said = called(*BETWEEN)

    assert code == 1
    assert said[-1].startswith("not reproduced here: 08080808 is at the level of 00000000 (×1.00")


def test_a_budget_that_is_over_keeps_the_record_and_the_same_command_goes_on(
    play: Callable[[Played], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trials = Played(slow_from=6)
    play(trials)
    # Seconds: one passes whenever somebody looks at the clock.
    clock = itertools.count()
    monkeypatch.setattr(bisect.time, "monotonic", lambda: float(next(clock)))

    code, said = called(*BETWEEN, "--budget-minutes", "0.1")

    assert (code, trials.asked) == (1, 5)
    assert said[-1].startswith("undecided within the budget: one of ")
    (kept,) = (tmp_path / "compare").glob("bisect-*.json")
    assert sum(map(len, json.loads(kept.read_text())["values"].values())) == 5

    code, said = called(*BETWEEN)
    _, whole = called(*BETWEEN)

    assert code == 0
    assert said[-1] == whole[-1]
    # What was measured is told again, and not measured again.
    assert [line for line in said if "step" in line] == [line for line in whole if "step" in line]
    blocks = sum(map(len, json.loads(kept.read_text())["values"].values()))
    assert trials.asked == 2 * blocks


def test_json_is_one_document(play: Callable[[Played], None]) -> None:
    play(Played(slow_from=3, broken=(4,)))

    code, said = called(*BETWEEN, "--json", "--error", "0.01")

    (text,) = said
    found = json.loads(text)
    assert (code, found["outcome"], found["error"]) == (0, "found", 0.01)
    assert found["first_bad"]["commit"] == COMMITS[3]
    assert found["first_bad"]["merge"] is True
    assert (found["good"], found["bad"], found["commits"]) == (COMMITS[0], COMMITS[8], 8)
    assert found["suspects"] == [COMMITS[3]]
    assert found["cell"] == NAME
    assert sum(step["error"] for step in [found["ends"], *found["steps"]]) <= 0.02
    assert text.isascii()


def test_a_bad_end_that_can_not_be_measured_is_an_error(play: Callable[[Played], None]) -> None:
    play(Played(slow_from=3, broken=(8,)))

    with pytest.raises(MeasureFailed, match="the two ends can't be compared: 08080808 can't be"):
        called(*BETWEEN)


def stored(folder: Path, **columns: object) -> Path:
    """Make a store of one event, as `detect` would."""
    results = folder / "results" / "m"
    results.mkdir(parents=True)
    (results / "machine.json").write_text(json.dumps({"machine": "m", "version": 1}))
    (results.parent / "benchmarks.json").write_text(json.dumps({"version": 2}))
    store = folder / "store"
    collect([results.parent], store, say=lambda _: None)
    event = {
        **{"project": "p", "event": "c0ffee1234", "known_as": "c0ffee1234 0ddba11000"},
        **{"kind": "regression", "unit": "seconds", "benchmark": "run.time_it"},
        **{"params": "strategy=im2col, n=5", "environment": "virtualenv-py-mkl", "blas": "mkl"},
        **{"threads": "1", "range_first": COMMITS[2], "range_last": COMMITS[6]},
        **{"range_first_position": 2, "range_last_position": 6},
        **{"before": 1.0, "after": 1.2, "ratio": 1.3},
        **columns,
    }
    other = event | {"event": "c0ffee9999", "known_as": "c0ffee9999"}
    write_table(store, "events", filled("events", [event, other]))
    # Number 1 is not known to the store.
    places = [place for place in range(len(COMMITS)) if place != 1]
    commits = [{"project": "p", "commit": COMMITS[each], "position": each} for each in places]
    write_table(store, "commits", filled("commits", commits))
    return store


def filled(table: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Give rows the columns that they lack: none of these matters here."""
    kinds = {field.name: str(field.type) for field in SCHEMAS[table]}
    empty = {name: 0 if "int" in kind else None for name, kind in kinds.items()}
    return pd.DataFrame([empty | row for row in rows], dtype=object)


@pytest.mark.parametrize("asked", ["c0ffee1234", "c0ffee1", "0ddba11000"])
def test_an_event_is_found_by_its_id_its_first_digits_or_an_earlier_id(
    tmp_path: Path, asked: str
) -> None:
    wanted = find_event(stored(tmp_path), asked)

    assert wanted.event == "c0ffee1234"
    # The last commit known before the range.
    assert (wanted.good, wanted.bad) == (COMMITS[0], COMMITS[6])
    assert wanted.expected == pytest.approx(0.18232, abs=1e-5)  # log 1.2: its clearest history
    assert (wanted.blas, wanted.threads, wanted.has_times) == ("mkl", "1", True)


def test_an_id_names_the_event_that_has_it_before_one_that_once_had_it(tmp_path: Path) -> None:
    # As of two events of one commit: each would have the same id but for the other.
    wanted = find_event(stored(tmp_path, known_as="c0ffee9999"), "c0ffee9999")

    assert wanted.event == "c0ffee9999"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("c0ffee", r"may be any of 2 events; near: c0ffee1234, c0ffee9999$"),
        ("c0ffee1235", r"names no event; near: c0ffee1234"),
        ("", r"names no event"),
        ("../../etc/passwd", r"names no event"),
        ("\x1b[2J", r"EVENT \\x1b\[2J names no event"),
        ("é" * 10_000, r"^EVENT é{60}… names no event"),
    ],
)
def test_an_id_that_names_no_event_lists_near_ones_in_one_line(
    tmp_path: Path, asked: str, message: str
) -> None:
    with pytest.raises(BadUsage, match=message) as refused:
        find_event(stored(tmp_path), asked)

    assert str(refused.value).isprintable()


def test_bytes_are_not_measured_again(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="one of bytes: only times are measured again"):
        find_event(stored(tmp_path, unit="bytes"), "c0ffee1234")


def test_a_failure_is_bisected_by_whether_it_works(tmp_path: Path) -> None:
    wanted = find_event(stored(tmp_path, kind="works again", unit=""), "c0ffee1234")

    assert (wanted.has_times, wanted.good_works, wanted.expected) == (False, False, 1.0)


def test_a_missing_store_and_one_without_events_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadResults) as missing:
        called("abc", "--store", str(tmp_path / "nowhere"))
    store = stored(tmp_path)
    write_table(store, "events", empty_frame("events"))
    with pytest.raises(BadResults, match="has no events: run convbench detect") as empty:
        called("abc", "--store", str(store))

    assert "\n" not in str(missing.value) + str(empty.value)


def test_a_store_that_was_searched_in_vain_has_no_event_of_any_name(tmp_path: Path) -> None:
    store = stored(tmp_path)
    for name in DETECTED:
        write_table(store, name, empty_frame(name))

    with pytest.raises(BadUsage, match="EVENT abc names no event: convbench detect found none"):
        find_event(store, "abc")


def test_an_event_is_bisected_on_its_own_cell_build_and_range(
    play: Callable[[Played], None], tmp_path: Path
) -> None:
    play(Played(slow_from=4))

    code, said = called("c0ffee1", "--store", str(stored(tmp_path)))

    assert code == 0
    assert said[-1].startswith("found: 04040404 is the first bad commit")
    # The text '5' and the number 5 are two cells.
    assert f"{NAME} in virtualenv-py-mkl, one thread" in said
    assert (tmp_path / "compare" / "bisect-c0ffee1234.json").exists()


def test_another_machine_s_environment_gives_way_to_one_of_the_same_build(
    play: Callable[[Played], None], tmp_path: Path
) -> None:
    play(Played(slow_from=4))

    store = stored(tmp_path, environment="virtualenv-elsewhere", blas="openblas")
    _, said = called("c0ffee1234", "--store", str(store))

    assert "note: the event's environment virtualenv-elsewhere is not here: " in said[0]
    assert said[0].endswith("virtualenv-py-open")


def test_a_cell_that_the_suite_has_no_more_is_refused(
    play: Callable[[Played], None], tmp_path: Path
) -> None:
    play(Played(slow_from=4))
    store = stored(tmp_path, params="strategy=winograd, n=5")

    with pytest.raises(
        BadUsage, match=r"run\.time_it with strategy=winograd, n=5 is no timed cell"
    ):
        called("c0ffee1234", "--store", str(store))


def test_cells_are_those_of_the_suite() -> None:
    cell = bisect.the_cell([BENCHMARK], bisect.Wanted(good="", bad="", bench="fft.*'5'"), 60.0)

    assert cell == Cell("run.time_it('fft', '5')", (Place("run.time_it", 4),) * 2, 60.0)
