"""What help says of every command: examples that can be typed, and every argument explained."""

import argparse
import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from convbench import cli, command_line, manual
from convbench.command_line import module_of

ROOT = Path(__file__).resolve().parents[1]


def arguments_of(command: str) -> list[argparse.Action]:
    (commands,) = (
        action
        for action in cli.parser((command,))._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return commands.choices[command]._actions


def typed(line: str) -> list[str]:
    """The words that the command gets of a line for a shell."""
    words = shlex.split(line, comments=True)
    return list(itertools.takewhile(lambda word: word != ">", words[1:]))


def help_of(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 0
    return capsys.readouterr().out


EXAMPLES = [line for name in cli.COMMANDS for line in manual.examples(module_of(name))]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_has_examples_exit_codes_and_where_to_read_on_in_80_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    text = help_of(command, "--help", capsys=capsys)

    assert re.search(rf"^examples:$(\n.*)*^  convbench {command}\b", text, re.MULTILINE)
    assert "\nexit codes:\n  0    fine\n" in text
    assert "\nsee also:\n  " in text
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_can_be_typed(line: str) -> None:
    assert cli.parse(typed(line)).command == line.split()[1]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_argument_is_explained(command: str) -> None:
    unexplained = [action.dest for action in arguments_of(command) if not action.help]

    assert unexplained == []


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_what_help_refers_to_is_there(command: str) -> None:
    text = module_of(command).SEE_ALSO

    for page in re.findall(r"[\w/]+\.md", text):
        assert (ROOT / page).is_file()
    for other in re.findall(r"convbench ([\w-]+)", text):
        assert other in cli.COMMANDS


def test_the_whole_help_lists_every_command_by_purpose_and_imports_none() -> None:
    program = (
        "import sys\n"
        "from convbench import cli\n"
        "try: cli.main(['--help'])\n"
        "finally: print(["
        "name for name in sys.modules if name in ('pandas', 'numba', 'plotly')])\n"
    )

    env = os.environ | {"COLUMNS": "80"}
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env
    )

    assert answer.stdout.splitlines()[-1] == "[]"
    assert [line for line in answer.stdout.splitlines() if len(line) > 80] == []
    for purpose, commands in command_line.GROUPS.items():
        listed = "".join(rf"  {name} +{re.escape(text)}\n" for name, text in commands.items())
        assert re.search(f"^{purpose}:\n{listed}", answer.stdout, re.MULTILINE)


def test_without_a_command_help_is_short_and_the_call_was_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = cli.main([])

    out, error = capsys.readouterr()
    lines = [line for line in error.splitlines() if line.startswith("  convbench ")]
    assert (code, out) == (2, "")
    assert len(error.splitlines()) < 12
    assert [cli.parse(typed(line)).command for line in lines] == [
        *("doctor", "explain", "collect", "report")
    ]


def test_help_of_a_command_is_a_command_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert help_of("help", "collect", capsys=capsys) == help_of("collect", "--help", capsys=capsys)
    assert help_of("help", capsys=capsys) == help_of("--help", capsys=capsys)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("colect", "collect"), ("bisekt", "bisect"), ("diffenv", "diff-env"), ("serve", None)],
)
def test_what_is_nearly_a_command_is_answered_with_it(
    typed: str, meant: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main([typed, "--store", "x"])

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"convbench: there is no command {typed!r}; ")
    assert (f"did you mean {meant}?" in error) == (meant is not None)
    assert ("did you mean" in error) == (meant is not None)
    assert error.count("\n") == 1


def test_paragraphs_are_filled_and_what_is_laid_out_stays() -> None:
    formatter = manual.Formatter("convbench")

    text = formatter._fill_text("one\ntwo\n\nexamples:\n  a   b\n  c", 80, "")

    assert text == "one two\n\nexamples:\n  a   b\n  c"
