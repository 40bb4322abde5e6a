"""`convbench compare`: what it asks for, what it writes, and the same data twice."""

import argparse
import contextlib
import json
import math
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from convbench.commands import compare
from convbench.comparison.arms import Arm, Cell, Place
from convbench.comparison.blocks import Bench, Values
from convbench.comparison.contest import Request
from convbench.comparison.kept import Kept
from convbench.comparison.processes import Answer, Order, Timed, Workshop
from convbench.comparison.rounds import measure_rounds
from convbench.errors import BadResults, BadUsage

NAMES = ("slower", "faster", "equal", "noisy")
CELLS = [Cell(name, (Place(name), Place(name))) for name in (*NAMES, "fails", "absent")]
ARMS = tuple(Arm(label, Path("python"), {}, ()) for label in ("old 1234", "new 5678"))


class Played(Bench):
    """Block values drawn around known ratios, with a spread of 1 %; one cell is noisy."""

    def warm_up(self, cells: Sequence[Cell]) -> dict[str, Values]:
        values = {cell.name: Values() for cell in cells}
        values["fails"] = Values(failed="HEAD (new 5678): ValueError: no")
        values["absent"] = Values(skipped="BASE (old 1234): no such strategy")
        return values

    def seconds_per_block(self, together: int) -> dict[str, float]:
        del together
        return dict.fromkeys(NAMES, 1.0)

    def block(self, cells: Sequence[Cell]) -> dict[str, float | Values]:
        self.blocks += 1
        ratios = {"slower": 1.2, "faster": 1 / 1.2, "equal": 1.0, "noisy": 1.0}
        draw = random.Random(self.blocks)
        return {
            cell.name: draw.gauss(
                math.log(ratios[cell.name]), 0.3 if cell.name == "noisy" else 0.01
            )
            for cell in cells
        }


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """Requests that reached the engine, which is played."""
    asked: list[Request] = []

    @contextlib.contextmanager
    def contest(request: Request, say: Callable[[str], None]) -> Iterator[tuple[Bench, list[Cell]]]:
        del say
        asked.append(request)
        yield Played(Workshop(Path(), {}, Path()), (ARMS[0], ARMS[1])), CELLS

    monkeypatch.setattr(compare, "contest", contest)
    monkeypatch.chdir(tmp_path)
    return asked


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    return parser.parse_args(words)


def called(*words: str) -> tuple[int, list[str]]:
    said: list[str] = []
    return compare.run(parsed(*words), said.append), said


def test_verdicts_follow_from_blocks_and_the_exit_code_is_0(requests: list[Request]) -> None:
    code, said = called("old", "new", "--json", "out.json")

    document = json.loads(Path("out.json").read_text())
    verdicts = {cell["name"]: cell["verdict"] for cell in document["cells"]}
    assert code == 0
    assert verdicts == {
        "slower": "SLOWER",
        "faster": "FASTER",
        "equal": "SAME",
        "noisy": "AMBIGUOUS",
        "fails": "FAILED",
    }
    assert (document["base"], document["head"]) == ("old 1234", "new 5678")
    assert said[-1].startswith("not comparable: 1 cell; absent: BASE (old 1234): no such strategy")
    assert len(requests) == 1


def test_kept_values_give_the_same_bytes_again(requests: list[Request]) -> None:
    outputs = ("json", "markdown", "junit")
    first = [word for name in outputs for word in (f"--{name}", f"first.{name}")]
    again = [word for name in outputs for word in (f"--{name}", f"again.{name}")]

    _, said = called("old", "new", "--margin", "1%", "--keep", "kept.json", *first)
    _, said_again = called("--from", "kept.json", *again)

    for name in outputs:
        assert Path(f"first.{name}").read_bytes() == Path(f"again.{name}").read_bytes()
    assert said[-len(said_again) :] == said_again
    assert len(requests) == 1


def test_kept_values_can_be_judged_by_another_margin(requests: list[Request]) -> None:
    called("old", "new", "--keep", "kept.json")

    called("--from", "kept.json", "--margin", "0.01%", "--json", "out.json")

    document = json.loads(Path("out.json").read_text())
    # 0.01 % is a hundredth of the spread: no number of blocks here shows equality so close.
    assert [one["verdict"] for one in document["cells"] if one["name"] == "equal"] == ["AMBIGUOUS"]
    assert len(requests) == 1


def test_a_document_on_stdout_has_it_for_itself(requests: list[Request]) -> None:
    _, said = called("old", "new", "--json", "-")

    assert json.loads("\n".join(said))["base"] == "old 1234"
    assert len(requests) == 1


def test_the_command_line_goes_before_the_project_s_file(requests: list[Request]) -> None:
    Path("convbench.toml").write_text(
        '[parameters]\nstrategy = "how"\n[compare]\nbench = "a"\nenvironment = "py3"\nblocks = 10\n'
    )

    called("old", "new", "--bench", "b", "--seed", "3", "--at", "v1", "--keep", "kept.json")

    assert requests == [
        Request(
            base="old",
            head="new",
            config=Path("asv.conf.json"),
            at="v1",
            environment="py3",
            bench="b",
            parameters=("how",),
            seed=3,
        )
    ]
    values = json.loads(Path("kept.json").read_text())["values"]
    assert len(values["noisy"]["screen"]) == 10


def test_a_budget_ends_the_measurement(
    requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 5))
    monkeypatch.setattr("convbench.comparison.rounds.time.monotonic", lambda: float(next(clock)))

    called("old", "new", "--budget-minutes", "3", "--keep", "kept.json")

    values = json.loads(Path("kept.json").read_text())["values"]
    # Every look at the clock finds it 5 s later, so 36 looks fill 180 s; a block takes one or two.
    assert 10 <= len(values["noisy"]["screen"]) <= 36
    assert len(requests) == 1


class Clock:
    """Time passes while processes run."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_a_suite_that_compiles_in_the_warm_up_has_all_its_cells_judged_within_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, draw = Clock(), random.Random(0)
    turns: list[int] = []

    def measure(shop: Workshop, arm: Arm, orders: Sequence[Order]) -> Timed:
        del shop, arm
        turns.append(len(orders))
        # Two processes compile for 45 s what the others find on disk.
        starting = 45.0 if len(turns) <= 2 else 1.5
        clock.now += starting + 0.05 * len(orders)
        seconds = [1e-3 * math.exp(draw.gauss(0, 0.001)) for _ in orders]
        return Timed([Answer(one, 1, took=0.05) for one in seconds], [0], starting)

    monkeypatch.setattr("convbench.comparison.blocks.measure", measure)
    monkeypatch.setattr("convbench.comparison.rounds.time", clock)
    cells = [Cell(name, (Place(name), Place(name))) for name in "abcdefgh"]
    asked = Kept(base="old", head="new", margin=1.02, threshold=1.05, blocks=40)
    decide = compare.decision(compare.settings_of(asked))
    bench = Bench(Workshop(Path(), {}, Path()), (ARMS[0], ARMS[1]))

    values = measure_rounds(bench, cells, decide, budget_seconds=240, say=lambda _: None)

    # Equal within the spread of 0.1 %: the first look, of ten blocks, shows it.
    assert [len(one.screen) for one in values.values()] == [10] * 8
    assert bench.blocks == 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["old"], "give BASE and HEAD, or --from FILE"),
        ([], "give BASE and HEAD, or --from FILE"),
        (["old", "new", "--from", "kept.json"], "neither BASE nor HEAD"),
        (["old", "new", "--margin", "2"], "--margin '2': give a percentage above zero, as 2%"),
        (["old", "new", "--margin", "0%"], "give a percentage above zero"),
        (["old", "new", "--threshold=-5%"], "give a percentage above zero"),
        (["old", "new", "--blocks", "1"], "--blocks 1: give at least 2"),
        (["old", "new", "--budget-minutes", "0"], "--budget-minutes 0: give a positive number"),
        (["old", "new", "--budget-minutes", "nan"], "--budget-minutes nan"),
        (["old", "new", "--json", "-", "--markdown", "-"], "one document at most"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_measured(
    requests: list[Request], words: list[str], message: str
) -> None:
    with pytest.raises(BadUsage) as refused:
        called(*words)

    assert message in str(refused.value)
    assert requests == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keep", "."], "--keep . is a folder: give a file"),
        (["--junit", ".."], "--junit .. is a folder"),
        (["--json", "a", "--keep", "./a"], "two outputs go to one file"),
    ],
)
def test_files_that_can_not_be_written_are_refused_before_anything_is_measured(
    requests: list[Request], words: list[str], message: str
) -> None:
    with pytest.raises(BadUsage) as refused:
        called("old", "new", *words)

    assert message in str(refused.value)
    assert requests == []


@pytest.mark.parametrize(
    ("blocks", "looks"),
    [(2, (2,)), (10, (10,)), (25, (10, 20, 25)), (40, (10, 20, 40)), (100, (10, 20, 40, 80, 100))],
)
def test_every_look_has_at_most_twice_the_blocks_of_the_one_before(
    blocks: int, looks: tuple[int, ...]
) -> None:
    data = Kept(base="a", head="b", margin=1.02, threshold=1.05, blocks=blocks)

    assert compare.settings_of(data).looks == looks


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_is_an_interruption_unless_it_is_ignored(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), compare.interruptible():
        signal.raise_signal(number)

    before = signal.signal(number, signal.SIG_IGN)  # as nohup does
    try:
        with compare.interruptible():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_a_kept_file_that_is_not_there_is_named(requests: list[Request]) -> None:
    with pytest.raises(BadResults, match=r"nothing\.json"):
        called("--from", "nothing.json")

    assert requests == []


def test_an_interruption_is_one_line_and_130(
    requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Played, "block", interrupted)

    code, said = called("old", "new", "--keep", "kept.json")

    assert code == 130
    assert "interrupted" in said[-1]
    assert not Path("kept.json").exists()
    assert len(requests) == 1
