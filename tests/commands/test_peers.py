"""The tables of `convbench peers`, from comparisons that were not measured."""

import argparse
import json
from typing import Any

import pytest

from convbench import STRATEGIES, peers
from convbench.commands import peers as command
from convbench.errors import BadUsage
from convbench.peers import Comparison, Timed
from convbench.workloads import WORKLOADS


def timed(name: str, layout: str, seconds: float) -> Timed:
    return Timed(name, layout, seconds, seconds * 0.98, seconds * 1.02, 9)


def invented(problem: str, thread_count: int, *, with_peers: bool) -> Comparison:
    """Two own strategies, `auto` in between, and two peers between and beyond them."""
    measured = [
        timed("im2col", "NHWC", 8e-6),
        timed("shifted", "NCHW", 20e-6),
        timed("auto", "NCHW", 10e-6),
    ]
    if with_peers:
        measured += [timed("torch", "NCHW", 16e-6), timed("onnxruntime", "NCHW", 12e-6)]
    if problem == "question":
        measured.append(timed("conv2d", "NCHW", 11e-6))
    return Comparison(
        problem=problem,
        threads=thread_count,
        timed=tuple(measured),
        slow={"loops NCHW": 0.01},
        excluded={"openvino NCHW": "relative error 0.5"} if with_peers else {},
        blas=("openblas 0.3.31",),
        versions={"torch": "2.13.0"} if with_peers else {},
    )


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have been measured; peers are installed."""
    asked: list[tuple[Any, ...]] = []

    def compare_apart(problem: str, thread_count: int, **options: Any) -> Comparison:
        asked.append((problem, thread_count, options["own"]))
        return invented(problem, thread_count, with_peers=True)

    monkeypatch.setattr(peers, "compare_apart", compare_apart)
    monkeypatch.setattr(peers, "missing", lambda: {"opencv": "opencv is not installed: …"})
    return asked


def output_of(*options: str) -> list[str]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    lines: list[str] = []

    exit_code = command.run(parser.parse_args(options), lines.append)

    assert exit_code == 0
    return lines


def words(line: str) -> str:
    return " ".join(line.split())


def test_the_fourteen_problems_on_one_and_on_all_threads_by_default(
    requests: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.threads, "count", lambda: 8)

    output_of()

    assert len(peers.PROBLEMS) == 14
    assert requests == [(name, number, ()) for number in (1, 8) for name in peers.PROBLEMS]


def test_problems_threads_and_own_strategies_can_be_chosen(
    requests: list[tuple[Any, ...]],
) -> None:
    output_of("--problems", "question,gray_blur31", "--threads", "2,2", "--own", "im2col,auto")

    assert requests == [
        ("question", 2, ("im2col", "auto")),
        ("gray_blur31", 2, ("im2col", "auto")),
    ]


def test_every_workload_can_be_asked_for(requests: list[tuple[Any, ...]]) -> None:
    output_of("--problems", "all", "--threads", "1")

    assert [problem for problem, *_ in requests] == list(WORKLOADS)


@pytest.mark.usefixtures("requests")
def test_the_table_holds_both_sides_and_their_ratios() -> None:
    lines = output_of("--problems", "question,gray_blur31", "--threads", "1")

    heading = next(line for line in lines if line.startswith("problem "))
    question = next(line for line in lines if line.startswith("question "))
    assert words(heading) == "problem torch onnxruntime best own strategy speedup auto regret"
    assert words(question) == (
        "question 0.0160 ±2% 0.0120 ±2% 0.00800 ±2% im2col NHWC 1.50 0.0100 ±2% 1.25"
    )
    assert len(heading) == len(question)


@pytest.mark.usefixtures("requests")
def test_what_the_ratios_come_to_and_what_was_left_out_is_said() -> None:
    text = "\n".join(output_of("--problems", "question,gray_blur31", "--threads", "1"))

    assert (
        "speedup, best peer ÷ best own: geometric mean 1.50, at least 1.0 on 2 of 2, least 1.50"
    ) in text
    assert "regret, auto ÷ best own: geometric mean 1.25, worst 1.25 (question)" in text
    assert (
        "question, the whole call conv2d(x, w, stride=2): 0.0110 ±2% ms, 0.92 times "
        "ONNX Runtime's session.run (0.0120 ±2% ms)"
    ) in text
    assert "but for 2 cases slower than 2 times the fastest own one" in text
    assert "torch 2.13.0, openblas 0.3.31" in text
    assert "excluded openvino NCHW on gray_blur31: relative error 0.5" in text
    assert "opencv is not installed" in text


@pytest.mark.usefixtures("requests")
def test_markdown_holds_a_table_and_a_list_and_no_progress() -> None:
    heading, rule, row = [
        line
        for line in output_of("--problems", "question", "--threads", "1", "--markdown")
        if line.startswith("|")
    ]

    assert heading.count("|") == rule.count("|") == row.count("|")
    assert row.startswith("| question | 0.0160 ±2% |")


@pytest.mark.usefixtures("requests")
def test_json_holds_comparisons_and_summaries() -> None:
    (line,) = output_of("--problems", "question", "--threads", "1,2", "--json")

    document = json.loads(line)
    assert [one["threads"] for one in document["comparisons"]] == [1, 2]
    assert document["comparisons"][0]["best_own"] == "im2col"
    assert document["comparisons"][0]["speedup"] == 1.5
    assert document["summaries"][1]["speedup"]["geometric_mean"] == pytest.approx(1.5)
    assert list(document["missing"]) == ["opencv"]


def test_without_any_peer_the_own_side_is_printed_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        peers,
        "compare_apart",
        lambda problem, number, **_: invented(problem, number, with_peers=False),
    )
    monkeypatch.setattr(peers, "missing", lambda: {"torch": "torch is not installed: …"})

    lines = output_of("--problems", "gray_blur31", "--threads", "1")

    row = next(line for line in lines if line.startswith("gray_blur31 "))
    assert words(row) == "gray_blur31 0.00800 ±2% im2col NHWC – 0.0100 ±2% 1.25"
    assert "no peer took part: only convbench's own strategies were measured" in lines
    assert "torch is not installed: …" in lines


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--problems", "vgg"), "--problems takes all, or names of: question, .*; got 'vgg'"),
        (("--own", "winogard"), "--own takes all, or names of: loops, .*; got 'winogard'"),
        (("--own", "torch"), "--own takes all, .*; got 'torch'"),
        (("--threads", "0"), "--threads takes numbers of at least 1, or all, as 1,all; got '0'"),
        (("--threads", "two"), "--threads takes numbers of at least 1"),
        (("--seconds", "nan"), "--seconds must be a positive number of seconds; got nan"),
    ],
)
def test_a_wrong_request_is_refused_with_what_is_accepted(
    options: tuple[str, str], message: str
) -> None:
    with pytest.raises(BadUsage, match=message):
        output_of(*options)


def test_absent_libraries_are_missing_with_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convbench.strategies._peer._is_installed", {}.get)

    assert peers.missing()["torch"] == (
        "torch is not installed: pip install 'convbench[torch]' (870 MB, its CPU build; PyPI's "
        "for x86 is CUDA's: gigabytes)"
    )
    assert set(peers.missing()) == {"torch", "onnxruntime", "openvino", "opencv"}
    assert sum(one.external for one in STRATEGIES.values()) == 5
