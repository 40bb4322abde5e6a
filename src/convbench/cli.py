"""The command `convbench`; the only place that prints and exits.

Exit codes: 0 fine, 1 the answer is no, 2 wrong usage or bad input.
"""

import io
import os
import sys
from collections.abc import Sequence

from convbench.command_line import COMMANDS, module_of, parse, parser
from convbench.errors import ConvbenchError

__all__ = ["COMMANDS", "main", "parse", "parser", "say"]

SHORT_HELP = """\
usage: convbench COMMAND ...

  convbench doctor                            # this machine, and how noisy it is
  convbench explain --problem question        # every strategy, measured and explained
  convbench collect results/ --store store/   # any asv project's results
  convbench report store/                     # static pages of them

`convbench --help` lists every command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and turn what a user can cause into one line and an exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    _print_every_name()
    if not words:
        if sys.stderr is not None:
            print(SHORT_HELP, file=sys.stderr)
        return 2
    try:
        options = parse(words)
        module = module_of(options.command)
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


def say(line: str) -> None:
    """Print one line at once: long work is watched through pipes and logs."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; keep Python from complaining again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
