"""The command line: the table of commands, and the parser of what is typed."""

import argparse
import difflib
import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType

from convbench import __version__, manual
from convbench.errors import BadUsage

GROUPS: Mapping[str, Mapping[str, str]] = {
    "look at a machine and at convolutions": {
        "doctor": "say what this machine is, and what makes its timings noisy",
        "explain": "measure one convolution with every strategy and say why",
        "strategies": "list every strategy: method, source, costs",
        "peers": "compare with PyTorch, ONNX Runtime, OpenVINO and OpenCV",
        "calibrate": "fit the cost model by which auto chooses to this machine",
    },
    "measure": {
        "measure": "measure one commit in all its environments on this machine",
        "reproduce": "print the command that measures a point again, or run it",
        "compare": "compare two commits, BLAS builds, environments or strategies",
        "gate": "the same, and exit 1 on a confirmed regression",
    },
    "keep results": {
        "collect": "read asv results into the store, only what changed",
        "combine": "make one store of several that have different machines",
        "inventory": "list what the store has, and what it lacks",
        "diff-env": "say what differs between two environments",
        "export": "write rows of the store as CSV, JSON, Parquet or SQLite",
    },
    "share results between machines": {
        "push": "give a shared folder, git branch or S3 what it lacks",
        "pull": "bring what others pushed, whole and checked",
    },
    "find changes": {
        "detect": "find the commits that changed benchmarks, and what caused it",
        "triage": "write a decision about an event, or list decisions",
        "bisect": "find the first bad commit of an event by measuring",
    },
    "show": {
        "report": "draw the static dashboard from a store",
        "open": "serve the site on this machine alone, and open it",
    },
    "question the statistics": {
        "bench-detectors": "compare change-point detectors on known histories",
        "null-study": "count how often equal things are called different",
    },
    "set up": {
        "init": "put convbench into another asv project, with files for CI",
        "completion": "print what lets a shell complete commands and options",
    },
}
"""Subcommands by purpose, in the order of a run, with what each does; each is a module of
`convbench.commands`. It stands here, so that no help waits for pandas and Plotly."""

COMMANDS = tuple(name for group in GROUPS.values() for name in group)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line, importing only the subcommand that it names."""
    words = ("--help",) if list(words) == ["help"] else words
    if words and words[0] == "help":  # `convbench help collect`, as of other tools
        words = (*words[1:], "--help")
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        raise BadUsage(_unknown(words[0]))
    # Pandas and Plotly take a second to import: pay it only for the command that was asked for.
    return parser(words[:1] if words and words[0] in COMMANDS else ()).parse_args(words)


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Make the parser of the command line, with these subcommands."""
    whole = _WholeParser(
        prog="convbench",
        description="Any asv project's results as tables, verdicts and static pages; and every "
        "2-D convolution strategy on every BLAS build, measured and explained.",
        epilog="`convbench COMMAND --help`, or `convbench help COMMAND`, says the rest.",
        formatter_class=manual.Formatter,
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = whole.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND",
        parser_class=argparse.ArgumentParser,
    )
    summaries = {name: summary for group in GROUPS.values() for name, summary in group.items()}
    for name in names:
        module = module_of(name)
        subparser = subparsers.add_parser(name, help=summaries[name])
        module.add_arguments(subparser)
        manual.describe(subparser, module)
    return whole


class _WholeParser(argparse.ArgumentParser):
    """Its help lists the commands by purpose: argparse knows only one list of them."""

    def format_help(self) -> str:
        formatter = manual.Formatter(self.prog)
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        for purpose, commands in GROUPS.items():
            listed = "\n".join(f"  {name:16} {summary}" for name, summary in commands.items())
            formatter.add_text(f"{purpose}:\n{listed}")
        formatter.start_section("options")
        formatter.add_arguments(action for action in self._actions if action.option_strings)
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()


def _unknown(word: str) -> str:
    """Say what may have been meant by a word that is no command."""
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    meant = f"did you mean {near[0]}? All" if near else "the"
    return f"there is no command {word!r}; {meant} commands: {', '.join(COMMANDS)}"


def module_of(command: str) -> ModuleType:
    """Import the module of a command."""
    return importlib.import_module(f"convbench.commands.{command.replace('-', '_')}")
