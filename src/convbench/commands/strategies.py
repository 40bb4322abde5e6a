"""List every strategy with its family and what it does, or write the page docs/strategies.md.

The page has of each its identity, source, executed operations, workspace, what it can do, and its
error bound.
"""

import argparse
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from convbench import reference, strategies, threads
from convbench.problem import ConvProblem
from convbench.report import readable
from convbench.strategies import STRATEGIES, Strategy
from convbench.workloads import WORKLOADS

EXAMPLES = """\
convbench strategies
convbench strategies --markdown > docs/strategies.md
"""
SEE_ALSO = "docs/strategies.md; convbench explain"

COSTED = ("question", "resnet50_conv2_3x3")
"""The named problems whose executed operations and workspace stand on the page, in float32."""

INSTALLED = frozenset({"numba"})
"""Native runtimes that every installation has; what needs another is described without figures,
because the page must be the same on every machine."""

IMAGE = {"in_channels": 4, "height": 12, "width": 12, "out_channels": 6}


@dataclass(frozen=True, slots=True)
class Feature:
    """What a problem may have, and a small problem that has it and little else."""

    name: str
    problem: ConvProblem


def _feature(name: str, kernel: tuple[int, int], **arguments: Any) -> Feature:
    kernel_height, kernel_width = kernel
    sizes = IMAGE | {"kernel_height": kernel_height, "kernel_width": kernel_width} | arguments
    return Feature(name, ConvProblem(**sizes))


FEATURES = (
    _feature("1×1 filters", (1, 1)),
    _feature("3×3 filters", (3, 3)),
    _feature("5×5 filters", (5, 5)),
    _feature("2×3 filters", (2, 3)),
    _feature("stride", (3, 3), stride=(2, 2)),
    _feature("padding", (3, 3), padding=(1, 1)),
    _feature("dilation", (3, 3), dilation=(2, 2)),
    _feature("groups", (3, 3), groups=2),
    _feature("depthwise", (3, 3), groups=4, out_channels=4),
    _feature("several images", (3, 3), batch=2),
    _feature("one channel", (3, 3), in_channels=1, out_channels=1),
    _feature("float64", (3, 3), dtype="float64"),
    _feature("NHWC", (3, 3), layout="NHWC"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench strategies`."""
    parser.add_argument(
        "--markdown", action="store_true", help="print the page docs/strategies.md instead"
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Print the table, or the page."""
    if arguments.markdown:
        for line in page():
            say(line)
        return 0
    widths = [
        max(len(getattr(one, key)) for one in STRATEGIES.values()) for key in ("name", "family")
    ]
    for one in STRATEGIES.values():
        say(f"{one.name:{widths[0]}}  {one.family:{widths[1]}}  {one.summary}")
    return 0


def page() -> Iterator[str]:
    """Write docs/strategies.md, line by line; nothing in it depends on the machine."""
    yield from (
        "# The strategies",
        "",
        "Written by `convbench strategies --markdown`; change the strategies, not this page.",
        "",
        f"{len(STRATEGIES)} ways to compute one convolution. Names are permanent: results carry "
        "them. Operations count a multiply-add as two. Workspace is memory beyond input, filters "
        "and output on one thread, with what `prepare` keeps. Times depend on the machine: "
        "`convbench explain` measures them.",
        "",
    )
    yield from overview()
    for strategy in STRATEGIES.values():
        yield from ("", *section(strategy))
    yield from ("", *error_bounds())


def overview() -> Iterator[str]:
    """List every strategy in one line, with a link to its section."""
    yield "| strategy | family | what it does |"
    yield "|---|---|---|"
    for one in STRATEGIES.values():
        yield f"| [`{one.name}`](#{one.name}) | {one.family} | {one.summary} |"


def section(strategy: Strategy) -> Iterator[str]:
    """Describe one strategy: where it comes from, what it costs, what it can do."""
    method, source = method_and_source(strategy)
    facts = (
        ("Source", source),
        ("Reference", strategy.reference),
        ("Prepares", first_sentence(strategy.prepare)),
        ("Executed operations", first_sentence(strategy.flops)),
        *cost_facts(strategy),
        ("Workspace", first_sentence(strategy.workspace_bytes)),
        ("Supports", supported(strategy)),
        ("Error bound", f"`{bound_name(strategy)}`"),
        ("NaN and infinity", spreading(strategy)),
        ("Native runtimes", ", ".join(strategy.brings) or "those of NumPy and SciPy"),
    )
    yield from (f"## {strategy.name}", "", f"> {strategy.summary}", "", method, "")
    for title, text in facts:
        if text:
            yield f"- **{title}:** {text}"


def method_and_source(strategy: Strategy) -> tuple[str, str]:
    """Split the docstring of a strategy's module into its identity and its source."""
    text = " ".join((inspect.getdoc(module_of(strategy)) or "").split())
    method, _, source = text.partition("Source:")
    return method.replace("``", "`").strip(), source.strip()


def module_of(strategy: Strategy) -> Any:
    """Find the file that holds a strategy's record."""
    return next(
        module for module in _modules() if any(value is strategy for value in vars(module).values())
    )


@cache
def _modules() -> tuple[Any, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(strategies.__path__))
    return tuple(
        importlib.import_module(f"convbench.strategies.{name}")
        for name in names
        if not name.startswith("_")
    )


def first_sentence(function: Callable[..., Any]) -> str:
    """Give the first line of the docstring of what may be a partial function."""
    documented = getattr(function, "func", function)
    return (inspect.getdoc(documented) or "").partition("\n")[0].rstrip(".")


def is_portable(strategy: Strategy) -> bool:
    """Tell whether every installation can answer for this strategy, and alike."""
    return not strategy.external and not set(strategy.brings) - INSTALLED


def cost_facts(strategy: Strategy) -> Iterator[tuple[str, str]]:
    """Count the operations and the workspace of the problems that stand on the page."""
    if strategy.name == "auto" or not is_portable(strategy):
        return
    for name in COSTED:
        problem = ConvProblem(**WORKLOADS[name])
        with threads.limit(1):  # a workspace may be one for each thread
            reason = strategy.unsupported(problem)
            yield f"`{name}`", reason or costs(strategy, problem)


def costs(strategy: Strategy, problem: ConvProblem) -> str:
    """Write the operations and the workspace of a problem."""
    flops = strategy.flops(problem)
    ratio = readable.times(flops / problem.flops)
    operations = f"{flops:,} operations, {ratio}× the direct ones"
    if "numba" in strategy.brings:  # filters are packed to the width of this processor's vectors
        return operations
    workspace = readable.quantity(strategy.workspace_bytes(problem), "bytes")
    return f"{operations}; workspace {workspace}"


def supported(strategy: Strategy) -> str:
    """Say in words what a strategy can do, as `unsupported` answers for small problems."""
    if strategy.external:
        return "what the library does; it is an optional dependency"
    if not is_portable(strategy):
        return f"needs {' and '.join(sorted(set(strategy.brings) - INSTALLED))}, optional"
    refused = {
        feature.name: reason
        for feature in FEATURES
        if (reason := strategy.unsupported(feature.problem))
    }
    if not refused:
        return "everything: any filter, stride, padding, dilation, groups, batch, dtype and layout"
    taken = ", ".join(feature.name for feature in FEATURES if feature.name not in refused)
    return f"{taken or 'none of the small problems'}; not {refusals(refused)}"


def refusals(refused: dict[str, str]) -> str:
    """Join what is refused by its reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in refused.items():
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())


def spreading(strategy: Strategy) -> str:
    """Say where NaN and infinity in the input end up."""
    if strategy.local:
        return "reach exactly the outputs whose patch holds them"
    return "may spread beyond the outputs that the definition names"


def bound_name(strategy: Strategy) -> str:
    """Name the error bound; one that is specialised to a strategy has the name of its family."""
    bound = strategy.error_bound
    return str(getattr(getattr(bound, "func", bound), "__name__", "error_bound"))


def error_bounds() -> Iterator[str]:
    """Explain the bounds, in the words of `convbench.reference`."""
    yield from (
        "## Error bounds",
        "",
        "How far an output may lie from the float64 reference, element by element; derived, not "
        "fitted. Tests hold every strategy to its own bound. u is the unit roundoff, 2⁻²⁴ or 2⁻⁵³.",
    )
    for name, bound in inspect.getmembers(reference, inspect.isfunction):
        if name.endswith("_error_bound") and bound.__module__ == reference.__name__:
            text = (inspect.getdoc(bound) or "").split("\nParameters\n")[0].split("\nReturns\n")[0]
            yield from ("", f"### {name}", "", *text.strip().splitlines())
