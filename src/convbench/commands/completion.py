"""Print a script by which a shell completes commands, options and names of files.

The script is static: completing starts no Python. Print it anew after an update.
"""

import argparse
from collections.abc import Callable, Iterator

import shtab

from convbench.command_line import parser

EXAMPLES = """
# bash: and `source ~/.convbench.bash` in ~/.bashrc
convbench completion bash > ~/.convbench.bash

# zsh: into a folder of $fpath
convbench completion zsh > ~/.zfunc/_convbench

# tcsh: and `source ~/.convbench.csh` in ~/.tcshrc
convbench completion tcsh > ~/.convbench.csh
"""
SEE_ALSO = 'README.md, "Install"'

SHELLS = ("bash", "zsh", "tcsh")
"""Those for which completion is tested; shtab may know more."""

FOLDERS = frozenset({"DIR", "STORE"})
FILES = frozenset({"FILE", "RESULTS"})
"""What an argument's metavar says of what it names; folders are offered on the way to a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the argument of `convbench completion`."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Print the script of a shell."""
    whole = parser()
    for action in _actions(whole):
        if action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    say(shtab.complete(whole, shell=arguments.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """List the arguments of a parser and of its commands."""
    for action in parser._actions:  # which argparse has no public name for
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
