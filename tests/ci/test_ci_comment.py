"""The one comment of a pull request: whose it is, what it says; a stranger's text does nothing."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fake_github import REPOSITORY, TOKEN, State, archive, serve

from convbench.report.comparison_text import Comparison, as_json
from convbench.stats.block_comparison import Judgement, Settings, Verdict

SCRIPT = Path(__file__).parents[2] / "ci" / "bench" / "comment.py"

HEAD, BASE = "a" * 40, "b" * 40
NUMBER = 7
MARK = "<!-- convbench gate -->"


def cell(name: str, verdict: str = "SLOWER", ratio: float | None = 1.25) -> dict[str, Any]:
    bounds = {"ratio_low": ratio and ratio - 0.05, "ratio_high": ratio and ratio + 0.05}
    return {"name": name, "verdict": verdict, "ratio": ratio, **bounds}


def document(*cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "commits": {"base": BASE, "head": HEAD},
        "settings": {"threshold": 1.05},
        "gate": {"exit_code": 1, "reason": "gate closed: @everybody"},
        "cells": list(cells),
        "not_comparable": [],
        **more,
    }


def pull(
    number: int = NUMBER, head: str = HEAD, branch: str = "stranger:patch/1"
) -> dict[str, Any]:
    return {"number": number, "head": {"sha": head}, "branch": branch}


def artifact(number: int = NUMBER, size: int = 1000, **more: Any) -> dict[str, Any]:
    name = f"convbench-gate-{number}"
    return {"id": 1, "name": name, "size_in_bytes": size, "expired": False, **more}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[State]:
    with serve() as (state, address):
        state.pulls = [pull()]
        state.artifacts = [artifact()]
        state.content = archive(gate_json=json.dumps(document(cell("run.time_it(1)"))))
        (tmp_path / "address").write_text(address)
        yield state


EVENT = {
    "id": 99,
    "event": "pull_request",
    "head_sha": HEAD,
    "head_branch": "patch/1",
    "head_repository": {"owner": {"login": "stranger"}},
    "pull_requests": [],  # as of a fork
}


def called(folder: Path, toml: str = "", **run: Any) -> subprocess.CompletedProcess[str]:
    """Run the script as the workflow does, in a checkout with this convbench.toml."""
    script = folder / "checkout" / "ci" / "bench" / "comment.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(SCRIPT, script)
    (folder / "checkout" / "convbench.toml").write_text(toml)
    (folder / "event.json").write_text(json.dumps({"workflow_run": EVENT | run}))
    variables = {
        "GITHUB_API_URL": (folder / "address").read_text(),
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
    }
    words = [sys.executable, "-I", str(script)]
    return subprocess.run(words, env=variables, capture_output=True, text=True, timeout=60)


def test_the_first_result_is_a_comment_and_the_next_one_updates_it(
    tmp_path: Path, github: State
) -> None:
    first = called(tmp_path)

    assert (first.returncode, first.stdout) == (0, "commented on #7\n")
    (comment,) = github.comments
    assert comment["body"].startswith(f"{MARK}\n### Benchmarks: `bbbbbbbb` → `aaaaaaaa`")
    for words in (
        "The gate is closed: a confirmed regression beyond ×1.050. 1 cell: 1 slower.",
        "| SLOWER | ×1.250 (1.200 to 1.300) | <code>run&#46;time&#95;it(1)</code> |",
        "[this run](https://github.example/owner/project/actions/runs/99)",
    ):
        assert words in comment["body"]

    open_gate = document(cell("run.time_it(1)", "SAME", 1.0), gate={"exit_code": 0, "reason": ""})
    github.content = archive(gate_json=json.dumps(open_gate))
    second = called(tmp_path)

    assert (second.returncode, second.stdout) == (0, "updated the comment of #7\n")
    (comment,) = github.comments
    assert (
        "The gate is open: no confirmed regression beyond ×1.050. 1 cell: 1 same."
        in (comment["body"])
    )
    assert github.unauthorised == []


def judged(name: str, verdict: Verdict, ratio: float | None) -> Judgement:
    return Judgement(
        name=name,
        verdict=verdict,
        blocks=16,
        ratio=ratio,
        ratio_low=ratio and ratio - 0.1,
        ratio_high=ratio and ratio + 0.1,
        p_screen=0.001,
        p_confirm=0.001,
        minimum_detectable_ratio=None,
        reason="why",
    )


def test_what_convbench_gate_writes_is_what_it_reads(tmp_path: Path, github: State) -> None:
    cells = (
        judged("slower", Verdict.SLOWER, 1.5),
        judged("same", Verdict.SAME, 1.0),
        judged("broken", Verdict.FAILED, None),
    )
    settings = Settings(threshold=1.05)
    compared = Comparison(
        "main", "change", cells, settings, {"absent": "no"}, base_commit=BASE, head_commit=HEAD
    )
    github.content = archive(gate_json=as_json(compared))

    assert called(tmp_path).returncode == 0

    body = github.comments[0]["body"]
    assert "3 cells: 1 slower, 1 failed, 1 same; 1 not comparable." in body
    assert "| SLOWER | ×1.500 (1.400 to 1.600) | <code>slower</code> |" in body
    assert "| FAILED | – | <code>broken</code> |" in body


def test_the_token_stays_with_github(tmp_path: Path, github: State) -> None:
    called(tmp_path)

    (headers,) = github.storage_headers
    assert TOKEN not in str(headers)


def test_a_comment_of_somebody_else_is_left_alone(tmp_path: Path, github: State) -> None:
    """Also one that begins as ours does, on a further page, of an account that is gone."""
    others = [{"id": at, "user": {"login": "somebody"}, "body": MARK} for at in range(100)]
    github.comments = [*others, {"id": 200, "user": None, "body": None}]

    assert called(tmp_path).stdout == "commented on #7\n"
    assert called(tmp_path).stdout == "updated the comment of #7\n"

    assert [one["body"] for one in github.comments[:101]] == [MARK] * 100 + [None]
    assert len(github.comments) == 102


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [pull(head="c" * 40)],  # the branch has moved on
        [pull(branch="somebody:patch/1")],
    ],
)
def test_a_commit_that_is_no_open_pull_requests_newest_one_has_nobody_to_tell(
    tmp_path: Path, github: State, pulls: list[dict[str, Any]]
) -> None:
    github.pulls = pulls
    answer = called(tmp_path)

    assert (answer.returncode, github.comments) == (0, [])
    assert answer.stdout.startswith("no open pull request has aaaa")


def test_an_artifact_can_not_choose_the_pull_request(tmp_path: Path, github: State) -> None:
    """Its name says another number, which has another head."""
    github.pulls = [pull(), pull(3, head="c" * 40)]
    github.artifacts = [artifact(3)]

    answer = called(tmp_path)

    assert (answer.returncode, github.comments) == (0, [])
    assert answer.stdout == "the benchmarks of #7 left no result: nothing to say\n"


def test_of_two_pull_requests_of_one_branch_the_measured_one_is_told(
    tmp_path: Path, github: State
) -> None:
    github.pulls = [pull(3), pull()]

    assert called(tmp_path).stdout == "commented on #7\n"


def test_a_run_that_was_for_no_pull_request_is_refused(tmp_path: Path, github: State) -> None:
    answer = called(tmp_path, event="push")

    assert (answer.returncode, github.calls) == (2, [])


def test_the_link_to_compare_is_of_the_default_branchs_own_file(
    tmp_path: Path, github: State
) -> None:
    """What the artifact says of a site goes nowhere."""
    content = document(cell("a"), link="https://evil.example/", site_url="https://evil.example/")
    github.content = archive(gate_json=json.dumps(content), convbench_toml="")

    called(tmp_path, '[compare]\nsite_url = "https://owner.github.io/project/"')

    body = github.comments[0]["body"]
    assert f"(https://owner.github.io/project/#/compare?base={BASE}&head={HEAD})" in body
    assert "evil" not in body


HOSTILE = (
    "@everybody look",
    "fixes #1, GH-1, owner/project#1, " + "c" * 40,
    "![image](https://evil.example/x.png)",
    "[link](https://evil.example) <https://evil.example> www.evil.example a@evil.example",
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "</code></details><h1>",
    "a | b | c\n\n# heading\n- [ ] task",
    "`` ` ``` ~~~",
    "\u202eright to left\u200b \x00\x1b[31m",
    ":rocket: $math$ \\ &#64;",
    "\ud800",
    "",
    "x" * 5000,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_whatever_it_holds(tmp_path: Path, github: State, name: str) -> None:
    github.content = archive(gate_json=json.dumps(document(cell(name))))

    assert called(tmp_path).returncode == 0

    body = github.comments[0]["body"]
    (line,) = (one for one in body.splitlines() if one.startswith("| SLOWER"))
    found = re.fullmatch(r"\| SLOWER \| [^|]* \| <code>(.*)</code> \|", line)
    assert found
    # Nothing but letters, digits and a few signs stands for itself.
    assert re.fullmatch(r"(?:[A-Za-z0-9 ,;=+%^/()'-]|&#\d+;)+", found[1])
    assert "evil.example" not in body
    assert len(body) < 2500
    shown = unescape(found[1])
    assert shown.isprintable() or shown == "\u200b"
    if name.isprintable() and 0 < len(name) < 160:
        assert shown == name


def test_thousands_of_cells_fit_into_a_comment(tmp_path: Path, github: State) -> None:
    cells = [cell("\u202e" * 300 + str(at)) for at in range(5000)]
    github.content = archive(gate_json=json.dumps(document(*cells)))
    github.artifacts = [artifact(size=len(github.content))]

    assert called(tmp_path).returncode == 0

    body = github.comments[0]["body"]
    assert "and 4970 more, in the run's artifact" in body
    assert len(body) < 65_536


BOMB = archive(gate_json=b" " * 60_000_000)


def changed(**fields: Any) -> bytes:
    return archive(gate_json=json.dumps(document(cell("a")) | fields))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive(other_json="{}"), "has no gate.json"),
        (BOMB, "gate.json has more than"),
        (b"P" * 3_000_000, "the artifact has more than 2000000 bytes"),
        (b"no archive", "BadZipFile"),
        (archive(gate_json="{"), "JSONDecodeError"),
        (archive(gate_json="[" * 200_000), "RecursionError"),
        (archive(gate_json="[]"), "TypeError"),
        (archive(gate_json=b"\xff\xfe\x00"), "UnicodeDecodeError"),
        (changed(commits={"base": BASE, "head": "c" * 40}), "is of another commit"),
        (changed(commits={"base": "main](x)", "head": HEAD}), "names no commits"),
        (changed(cells={}), "no list of at most"),
        (changed(cells=[{"name": 1}]), "KeyError"),
        (changed(cells=[cell("a", "SLOWER](x)")]), "a cell without verdict or name"),
        (changed(cells=[cell("a") | {"name": ["a"]}]), "a cell without verdict or name"),
        (changed(cells=[cell("a") | {"ratio": "<b>"}]), "a ratio that is no number"),
        (changed(cells=[cell("a") | {"ratio": True}]), "a ratio that is no number"),
        (changed(cells=[cell("a") | {"ratio": float("nan")}]), "holds NaN"),
        (changed(gate={"exit_code": "1"}), "a count that is no whole number"),
        (changed(not_comparable=5), "TypeError"),
        (changed(settings={}), "KeyError"),
    ],
)
def test_what_has_not_the_form_of_a_comparison_is_refused_in_one_line(
    tmp_path: Path, github: State, content: bytes, message: str
) -> None:
    github.content = content

    answer = called(tmp_path)

    assert answer.returncode == 2
    assert message in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert github.comments == []


def test_a_large_artifact_is_not_even_asked_for(tmp_path: Path, github: State) -> None:
    github.artifacts = [artifact(size=50_000_000)]

    answer = called(tmp_path)

    assert answer.returncode == 2
    assert "the artifact has 50000000 bytes; 2000000 are allowed" in answer.stderr
    assert github.storage_headers == []


def test_of_several_attempts_the_newest_counts(tmp_path: Path, github: State) -> None:
    github.artifacts = [artifact(id=5), artifact(id=9), artifact(id=12, expired=True)]

    called(tmp_path)

    assert ("GET", "actions/artifacts/9/zip") in github.calls


def test_without_an_answer_of_github_it_says_so_in_one_line(tmp_path: Path, github: State) -> None:
    (tmp_path / "address").write_text("http://127.0.0.1:9")

    answer = called(tmp_path)

    assert answer.returncode == 2
    assert answer.stderr.startswith("comment.py: URLError: ")
    assert answer.stderr.count("\n") == 1
    assert github.calls == []
