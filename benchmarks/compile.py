"""What a user waits for before the first convolution: imports, and Numba's machine code.

Every sample is a new interpreter, so that there is one call a sample.
"""

from functools import cache
from typing import Any

from asv_runner.benchmarks.mark import SkipNotImplemented

from convbench import STRATEGIES, ConvProblem

from . import _axes, _cells, _process

SIZES = {"height": 13, "width": 13, "in_channels": 4, "out_channels": 4}
PROBLEMS: tuple[dict[str, Any], ...] = (
    SIZES | {"kernel_height": 3, "kernel_width": 3},
    SIZES | {"kernel_height": 3, "kernel_width": 3, "stride": 2},
    SIZES | {"kernel_height": 5, "kernel_width": 5},
    SIZES | {"kernel_height": 3, "kernel_width": 3, "groups": 4},
)
"""Small ones, of which a strategy gets the first that it takes."""

FIRST_CALL = "strategy.run(x, strategy.prepare(weights, problem), problem)"

READY_TO_CALL = """
{empty_cache}
import numba
from convbench import STRATEGIES, ConvProblem
strategy = STRATEGIES[{strategy!r}]
problem = ConvProblem(**{arguments!r}, dtype="float32")
x, weights = problem.random_operands()
"""

# Numba reads the variable when it is imported.
EMPTY_CACHE = """
import atexit, os, tempfile
folder = tempfile.TemporaryDirectory()
atexit.register(folder.cleanup)
os.environ["NUMBA_CACHE_DIR"] = folder.name
"""


class Compile(_cells.Cells):
    """The first call of a process, on a small image, without the import of Numba.

    Cold, it compiles; warm, it loads what an earlier process compiled.
    """

    param_names = ("strategy", "cache")
    params = (_axes.STRATEGIES, ("cold", "warm"))
    rounds = 1
    number = 1
    repeat = 1  # seconds each
    warmup_time = 0

    def timeraw_first_call(self, strategy: str, cache: str) -> tuple[str, str]:
        _process.check_cell(brings=())
        if strategy not in STRATEGIES:
            raise SkipNotImplemented(f"this commit has no strategy {strategy}")
        if "numba" not in STRATEGIES[strategy].brings:
            raise SkipNotImplemented(f"{strategy} compiles nothing")
        arguments = small_problem(strategy)
        if cache == "warm":
            fill_cache(strategy)
        return FIRST_CALL, READY_TO_CALL.format(
            empty_cache=EMPTY_CACHE if cache == "cold" else "",
            strategy=strategy,
            arguments=arguments,
        )


class Import(_cells.Cells):
    """The first import of a process; Numba's is part of no other time."""

    param_names = ()
    params = ()
    number = 1
    repeat = (3, 10, 2.0)

    def timeraw_import_convbench(self) -> str:
        _process.check_cell(brings=())
        return "import convbench"

    def timeraw_import_numba(self) -> str:
        _process.check_cell(brings=())
        return "import numba"


def small_problem(strategy: str) -> dict[str, Any]:
    """Give the arguments of a problem that the strategy takes."""
    for arguments in PROBLEMS:
        if STRATEGIES[strategy].unsupported(ConvProblem(**arguments)) is None:
            return arguments
    raise SkipNotImplemented(f"{strategy} takes none of these problems")


@cache
def fill_cache(strategy: str) -> None:
    """Compile in this process, for those that come after it."""
    problem = ConvProblem(**small_problem(strategy), dtype="float32")
    x, weights = problem.random_operands()
    STRATEGIES[strategy].run(x, STRATEGIES[strategy].prepare(weights, problem), problem)
