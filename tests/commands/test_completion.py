"""Completion, by pressing Tab in real shells: what is typed becomes what the command would get."""

import argparse
import os
import pty
import re
import select
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from convbench import cli
from convbench.commands import completion

PRESSED = [
    ("colle\t", "collect"),
    ("bench-\t", "bench-detectors"),
    ("collect --sto\t", "collect --store"),
    ("report my_st\t", "report my_store"),
    ("collect results --store my_st\t", "collect results --store my_store"),
    ("collect my_fi\t", "collect my_file.toml"),
    ("compare --from my_fi\t", "compare --from my_file.toml"),
    ("export my_store --format par\t", "export my_store --format parquet"),
    ("completion zs\t", "completion zsh"),
]

STARTED = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        ["source ./script", 'convbench() { echo "<$*>"; }'],
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        [
            "unsetopt prompt_sp",
            "autoload -U compinit && compinit -D -u",
            "fpath=($PWD/functions $fpath) && autoload -U _convbench",
            "compdef _convbench convbench",
            'convbench() { print -r -- "<$*>" }',
        ],
    ),
    "tcsh": (
        ["tcsh", "-f", "-i"],
        ["source ./script", "set edit", "alias convbench 'echo \"<\\!*>\"'"],
    ),
}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(folder)
            environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"}
            os.execvpe(words[0], words, environment)

    def type(self, text: str, *, until: str, seconds: float = 10) -> re.Match[str]:
        """Type, and wait for an answer: a line that is the pattern."""
        os.write(self.terminal, text.encode())
        seen, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                seen += os.read(self.terminal, 65536).decode(errors="replace")
                if found := re.search(until, seen, re.MULTILINE):
                    return found
        raise AssertionError(f"no answer to {text!r} but {seen!r}")

    def close(self) -> None:
        """End the shell, whose terminal is gone."""
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


@pytest.fixture(scope="module", params=completion.SHELLS)
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp(name)
    (folder / "my_store").mkdir()
    (folder / "my_file.toml").touch()
    (folder / "functions").mkdir()
    script = script_of(name)
    (folder / "script").write_text(script)
    (folder / "functions" / "_convbench").write_text(script)
    words, lines = STARTED[name]
    opened = Shell(words, folder)
    for line in lines:
        opened.type(f"{line}\n", until=r"[$%#>] ")
    opened.type("echo ready\n", until=r"^ready\r?$")
    yield opened
    opened.close()


def script_of(shell: str) -> str:
    lines: list[str] = []
    assert completion.run(argparse.Namespace(shell=shell), lines.append) == 0
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("typed", "given"), PRESSED)
def test_tab_completes_commands_options_choices_and_files(
    shell: Shell, typed: str, given: str
) -> None:
    # A moment for the shell to complete before the line ends.
    os.write(shell.terminal, f"convbench {typed}".encode())
    time.sleep(0.3)

    assert shell.type("\n", until=r"^<(.*?)>\r?$")[1].rstrip(" /") == given


@pytest.mark.parametrize("shell_name", completion.SHELLS)
def test_the_script_knows_every_command(shell_name: str) -> None:
    assert [name for name in cli.COMMANDS if name not in script_of(shell_name)] == []


def test_every_argument_that_is_a_path_completes_files_or_folders() -> None:
    paths = {
        (action.dest, action.metavar)
        for action in completion._actions(cli.parser())
        if action.type is Path
    }

    assert {metavar for _, metavar in paths} <= completion.FOLDERS | completion.FILES
