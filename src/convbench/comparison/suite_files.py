"""Where in the repository a cell's benchmark is written."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from convbench import asv_config
from convbench.errors import BadUsage

_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def suite_files(config: Path) -> Callable[[str], str]:
    """Give what finds a cell's file, as a path from the repository's top; empty if it can't.

    asv names benchmarks after their modules. Names may be anybody's: what is no dotted name of
    Python, or leads to no file of the suite, has no file.
    """
    try:
        directory = str(asv_config.read(config).get("benchmark_dir", "benchmarks"))
    except BadUsage:  # kept values are judged where there is no suite
        return lambda _: ""
    suite = config.resolve().parent / directory
    top = next((each for each in suite.parents if (each / ".git").exists()), config.parent)

    def file_of(cell: str) -> str:
        found = _MODULE.match(cell)
        for file in _candidates(suite, found[0] if found else ""):
            if file.is_file() and file.resolve().is_relative_to(top.resolve()):
                return file.resolve().relative_to(top.resolve()).as_posix()
        return ""

    return file_of


def _candidates(suite: Path, name: str) -> Iterator[Path]:
    """List the files that may hold a benchmark: of its longest module name first."""
    parts = name.split(".")[:-1]
    for length in range(len(parts), 0, -1):
        module = suite.joinpath(*parts[:length])
        yield module.with_suffix(".py")
        yield module / "__init__.py"
