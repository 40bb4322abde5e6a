"""`convbench gate`: 1 on a confirmed regression beyond the threshold and on nothing else."""

import argparse
import random
from pathlib import Path

import pytest

from convbench.commands import gate
from convbench.comparison import kept
from convbench.comparison.blocks import Values
from convbench.comparison.kept import Kept
from convbench.errors import BadUsage


def values(log_ratio: float, *, confirm: int = 40, seed: int = 0) -> Values:
    """Block values around a log ratio with a spread of 0.5 %."""
    draw = random.Random(seed)
    return Values(
        [draw.gauss(log_ratio, 0.005) for _ in range(10)],
        [draw.gauss(log_ratio, 0.005) for _ in range(confirm)],
    )


def called(folder: Path, cells: dict[str, Values], *words: str) -> tuple[int, list[str]]:
    path = folder / "kept.json"
    data = Kept(base="old", head="new", margin=1.02, threshold=1.05, blocks=40, values=cells)
    kept.write(path, data)
    parser = argparse.ArgumentParser()
    gate.add_arguments(parser)
    said: list[str] = []
    return gate.run(parser.parse_args(["--from", str(path), *words]), said.append), said


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"a": values(0.10)}, 1),
        ({"a": values(0.0), "b": values(0.10)}, 1),
        # Slower beyond doubt, by less than 5 %.
        ({"a": values(0.03)}, 0),
        # A tenth slower, but not confirmed by fresh processes.
        ({"a": values(0.10, confirm=0)}, 0),
        ({"a": values(-0.10)}, 0),
        ({"a": values(0.0)}, 0),
        ({"a": Values(failed="HEAD (new): ValueError: no")}, 0),
        ({"a": Values(skipped="BASE (old): no")}, 0),
        ({}, 0),
    ],
)
def test_the_gate_closes_on_a_confirmed_regression_alone(
    tmp_path: Path, cells: dict[str, Values], code: int
) -> None:
    given, said = called(tmp_path, cells)

    assert given == code
    assert said[-1].startswith("gate closed: " if code else "gate open: ")
    assert "\n" not in said[-1]


@pytest.mark.parametrize(
    ("cells", "aside"),
    [
        ({}, "in 0 cells"),
        ({"a": Values(failed="no"), "b": Values(failed="no")}, "in 2 cells (2 failed)"),
        ({"a": Values([0.1] * 9)}, "in 1 cell (1 with too few blocks)"),
        ({"a": Values(), "b": Values(failed="no")}, "(1 with too few blocks, 1 failed)"),
        ({"a": Values(skipped="no")}, "in 0 cells (1 not comparable)"),
    ],
)
def test_a_gate_that_judged_nothing_says_so(
    tmp_path: Path, cells: dict[str, Values], aside: str
) -> None:
    code, said = called(tmp_path, cells)

    assert code == 0
    assert said[-1].startswith("gate open: nothing was judged, neither good nor bad, ")
    assert said[-1].endswith(aside)


def test_a_gate_that_judged_something_says_what_it_did_not(tmp_path: Path) -> None:
    cells = {"a": values(0.0), "b": Values(failed="no"), "c": Values(skipped="no")}

    _, said = called(tmp_path, cells)

    assert said[-1] == (
        "gate open: no confirmed regression beyond ×1.050 in 2 cells (1 failed, 1 not comparable)"
    )


def test_an_error_of_the_program_is_no_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("convbench.commands.compare.judge", broken)

    code, _ = called(tmp_path, {"a": values(0.0)})

    # Python's own exit code for a traceback is 1, which would read as a regression.
    assert code == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(("threshold", "code"), [("5%", 1), ("20%", 0)])
def test_the_threshold_can_be_given(tmp_path: Path, threshold: str, code: int) -> None:
    given, _ = called(tmp_path, {"a": values(0.10)}, "--threshold", threshold)

    assert given == code


def test_a_document_on_stdout_holds_the_reason_itself(tmp_path: Path) -> None:
    code, said = called(tmp_path, {"a": values(0.10)}, "--json", "-")

    assert code == 1
    assert '"reason": "gate closed: ' in said[0]
    assert said[0].endswith("}")
    assert len(said) == 1


COMMITS = {"base_commit": "1234abcd" * 5, "head_commit": "5678beef" * 5}


def linked(folder: Path, *words: str, **more: str) -> str:
    """Give the Markdown of a comparison of two commits."""
    path = folder / "kept.json"
    asked = {"base": "old", "head": "new", "margin": 1.02, "threshold": 1.05, "blocks": 40}
    kept.write(path, Kept(**asked, values={"a": values(0.10)}, **more))  # type: ignore[arg-type]
    parser = argparse.ArgumentParser()
    gate.add_arguments(parser)
    markdown = folder / "gate.md"
    config = ["--config", str(folder / "asv.conf.json"), "--markdown", str(markdown)]
    gate.run(parser.parse_args(["--from", str(path), *config, *words]), lambda _: None)
    return markdown.read_text()


def test_markdown_leads_to_the_two_commits_on_the_site(tmp_path: Path) -> None:
    text = linked(tmp_path, "--site-url", "https://example.org/a(b)", **COMMITS)

    link = "https://example.org/a%28b%29/#/compare?base={base_commit}&head={head_commit}"
    assert f"[Compare on the site]({link.format(**COMMITS)})" in text


def test_the_site_may_stand_in_the_projects_file(tmp_path: Path) -> None:
    site = 'site_url = "https://example.org/bench/"'
    (tmp_path / "convbench.toml").write_text(f"[compare]\n{site}\n")

    assert "(https://example.org/bench/#/compare?base=1234abcd" in linked(tmp_path, **COMMITS)
    assert "(https://other.org/#/compare?" in linked(
        tmp_path, "--site-url", "https://other.org", **COMMITS
    )


def test_without_a_site_or_of_builds_there_is_no_link(tmp_path: Path) -> None:
    assert "](" not in linked(tmp_path, **COMMITS)
    assert "](" not in linked(tmp_path, "--site-url", "https://example.org")


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://example.org/?a", "example.org"]
)
def test_a_site_that_is_no_folders_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(BadUsage, match="--site-url must be the address of a folder"):
        linked(tmp_path, "--site-url", address, **COMMITS)


def test_annotations_are_errors_of_the_cells_that_close_the_gate(tmp_path: Path) -> None:
    (tmp_path / "asv.conf.json").write_text("{}")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "a.py").touch()

    linked(tmp_path, "--annotations", str(tmp_path / "out"))

    # The cell's name is no module of the suite.
    assert (tmp_path / "out").read_text().startswith("::error title=slower%3A a::slower: a, ×1.1")
