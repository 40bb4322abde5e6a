"""What `--help` says of a command: what it does, examples, exit codes, where to read on.

A command's module has it: the docstring, EXAMPLES, SEE_ALSO, and NO where it can exit with 1.
"""

import argparse
import inspect
import shutil
from types import ModuleType

WIDEST = 100
"""Columns beyond which lines are no longer pleasant to read, however wide the terminal is."""


class Formatter(argparse.HelpFormatter):
    """Fills paragraphs, and leaves alone those that are laid out by indented lines."""

    def __init__(self, prog: str) -> None:
        columns = min(shutil.get_terminal_size().columns, WIDEST)
        super().__init__(prog, max_help_position=28, width=columns - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n\n".join(
            block if "\n  " in block else fill(block, width, indent) for block in text.split("\n\n")
        )


def describe(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    """Give a command's parser what its module says of the command."""
    parser.formatter_class = Formatter
    parser.description = inspect.getdoc(module)
    parser.epilog = "\n\n".join(
        (
            _section("examples", module.EXAMPLES),
            _section("exit codes", _exit_codes(getattr(module, "NO", None))),
            _section("see also", module.SEE_ALSO),
        )
    )


def examples(module: ModuleType) -> list[str]:
    """List a command's examples, each as one line for a shell."""
    lines = module.EXAMPLES.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("convbench ")]


def _section(title: str, text: str) -> str:
    return f"{title}:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


def _exit_codes(no: str | None) -> str:
    return "\n".join(
        (
            "0    fine",
            *([] if no is None else [f"1    {no}"]),
            "2    wrong usage or bad input, told in one line",
            "130  interrupted",
        )
    )
