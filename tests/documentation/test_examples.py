"""What pages show as code works: it is run here or by another test, or the page says why not."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from markdown_blocks import PAGES, ROOT, Block, blocks, every_block

from convbench import cli
from convbench.results import load_table

sys.path += [str(ROOT / "tests/dashboards"), str(ROOT / "tests/results")]
from synthetic_project import Size, write_project
from test_other_tools_collected import suite

# Blocks that another test runs one after the other: of a page, in a language ("": indented).
RUN_BY = {
    ("docs/tour.md", "bash"): "tests/documentation/test_tour.py",
    ("docs/adding.md", "python"): "tests/documentation/test_added_strategy.py",
    ("docs/results.md", ">>>"): "tests/results/test_documentation.py",
}
BLOCKS = every_block()


def runner(block: Block) -> str:
    """Name the test that runs a block; empty: this one."""
    kind = ">>>" if block.text.startswith(">>>") else block.language
    return RUN_BY.get((str(block.page.relative_to(ROOT)), kind), "")


RUN = [block for block in BLOCKS if not block.reason and not runner(block)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up asv project with a repository, results, and a store with events."""
    folder = tmp_path_factory.mktemp("examples") / "project"
    write_project(folder, Size(benchmarks=10, params=2, environments=2, commits=24))
    (folder / "bench.json").write_text(suite(1.0))
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    commit = ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet"]
    command = ["git", "-C", str(folder), *commit, "--allow-empty", "--message", "A commit"]
    subprocess.run(command, check=True)
    run("convbench collect results --store results/store && convbench detect results/store", folder)
    return folder


def run(commands: str, folder: Path) -> str:
    """Run lines of a shell as a reader would."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, (commands + answer.stdout + answer.stderr)[-3000:]
    return answer.stdout


@pytest.mark.parametrize("block", RUN, ids=[block.name for block in RUN])
def test_the_block_runs(block: Block, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    if block.text.startswith(">>>"):
        run("convbench collect results --store store && convbench detect store", project)
        run_session(block)
    elif block.language == "python":
        exec(compile(block.text, block.name, "exec"), {})
    else:
        event = load_table("results/store", "events")["event"].iloc[0]
        run("\n".join(without_pip(block.text)).replace("EVENT", event), project)


def without_pip(text: str) -> Iterator[str]:
    """Leave out what would install a package: the matrix of CI does that."""
    return (line for line in text.splitlines() if not line.startswith("pip install"))


def run_session(block: Block) -> None:
    """Run what stands behind prompts; what it prints is compared where the page says it."""
    names: dict[str, object] = {}
    for example in doctest.DocTestParser().get_examples(block.text):
        assert not example.want, f"{block.name}: a session with output needs a test of its own"
        exec(compile(example.source, block.name, "single"), names)


def test_what_is_not_run_is_counted_and_has_a_reason() -> None:
    reasons = [f"{block.name}: {block.reason}" for block in BLOCKS if block.reason]

    print("\n".join(reasons))  # pytest -s lists them
    assert all(len(block.reason) >= 15 for block in BLOCKS if block.reason)
    elsewhere = [block for block in BLOCKS if not block.reason and runner(block)]
    assert len(reasons) + len(elsewhere) + len(RUN) == len(BLOCKS)
    assert min(len(elsewhere), len(RUN)) >= 5
    assert all((ROOT / test).exists() for test in RUN_BY.values())


def test_a_comment_is_for_the_next_block_or_for_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- page not run: needs a cluster -->\n\n# A\n\n    convbench a\n\n"
        "<!-- not run: serves -->\n\n    convbench b\n\nText.\n\n```python\nc\n```\n"
    )

    assert [block.reason for block in blocks(page)] == [
        *("needs a cluster", "serves", "needs a cluster")
    ]


def commands_of(page: Path) -> Iterator[str]:
    """Give every call of convbench that a page shows, in a block or in a line of text."""
    text = re.sub(r"\\\n\s*", " ", page.read_text("utf-8"))
    yield from re.findall(r"^ {4}(?:\S+/)?convbench (.+?)(?: +#.*)?$", text, re.MULTILINE)
    yield from re.findall(r"`convbench ([^`]+)`", text)


def subparsers() -> Mapping[str, ArgumentParser]:
    (action,) = (one for one in cli.parser()._actions if one.dest == "command")
    assert action.choices is not None
    return action.choices  # type: ignore[return-value]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    known, wrong = subparsers(), []
    for shown in commands_of(page):
        name, *words = re.split(r"[\s|;&>]+", shown.replace("\\|", " "))
        if not re.fullmatch(r"[a-z][a-z-]+", name):
            continue  # COMMAND, --help
        options = [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
        if name not in known or not set(options) <= set(known[name]._option_string_actions):
            wrong.append(shown)

    assert wrong == []


def test_blocks_of_commands_parse() -> None:
    """Also those that are not run: a line of a block is a whole command."""
    parser, refused = cli.parser(), []
    for block in BLOCKS:
        if block.language or block.text.startswith(">>>"):
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            command = re.sub(r"> \S+", "", re.sub(r"\$\([^)]*\)", "COMMIT", line))
            if not command.startswith("convbench "):
                continue
            try:
                parser.parse_args(shlex.split(command, comments=True)[1:])
            except SystemExit:
                refused.append(f"{block.name}: {line}")

    assert refused == []
