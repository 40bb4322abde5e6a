"""The table of commands; the only place that prints and exits.

Exit codes: 0 fine, 1 the answer is no, 2 wrong usage or bad input.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from convbench import __version__
from convbench.errors import ConvbenchError

COMMANDS = (
    *("doctor", "explain", "strategies", "calibrate", "peers"),
    *("measure", "collect", "combine", "detect", "triage", "report", "open", "reproduce"),
    *("compare", "gate", "bisect", "bench-detectors", "null-study"),
    *("export", "inventory", "diff-env"),
    *("push", "pull"),
)
"""Subcommands, in the order of a run; each is a module of `convbench.commands`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and turn what a user can cause into one line and an exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    _print_every_name()
    try:
        options = parse(words)
        module = _module(options.command)
        return int(module.run(options, say))
    except ConvbenchError as error:
        _complain(str(error))
        return 2
    except OSError as error:
        _complain(f"{error.strerror}: {error.filename or ''}".rstrip(": "))
        return 2
    except KeyboardInterrupt:
        _complain("interrupted; what was whole is kept, the same command goes on")
        return 130


def _print_every_name() -> None:
    """Let names of any alphabet be printed, escaped where the terminal's encoding lacks them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _complain(text: str) -> None:
    # Python has no stream for what was closed before it started; print would then take stdout.
    if sys.stderr is not None:
        # Here, because it takes half a second. What a suite prints may hold a terminal's commands.
        from convbench.results.raw_files import printable

        print(f"convbench: {printable(text)}", file=sys.stderr)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line, importing only the subcommand that it names."""
    parser = argparse.ArgumentParser(
        prog="convbench",
        description="Every 2-D convolution strategy on every BLAS build: measured and explained.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # Pandas and Plotly take a second to import: pay it only for the command that was asked for.
    asked = next((word for word in words if word in COMMANDS), None)
    for name in COMMANDS if asked is None else (asked,):
        module = _module(name)
        subparser = subparsers.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.add_arguments(subparser)
    return parser.parse_args(words)


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"convbench.commands.{command.replace('-', '_')}")


def say(line: str) -> None:
    """Print one line at once: long work is watched through pipes and logs."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; keep Python from complaining again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
