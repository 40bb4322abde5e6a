"""What an asv suite calls its parameters, read from its text: nothing of it is run.

Names and values that a suite computes stay unknown; where there are results, `benchmarks.json`
knows more names.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_FILES = 5000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a suite.

    Attributes
    ----------
    name : str
        As the suite calls it.
    uses : int
        Classes and functions that have it.
    values : tuple of str
        Those that stand in the text as literals, in their order.
    """

    name: str
    uses: int
    values: tuple[str, ...] = ()


def read_parameters(suite: Path, more: Iterable[tuple[str, ...]] = ()) -> list[Parameter]:
    """List the parameters of a suite's files, the most used ones first.

    Parameters
    ----------
    suite : Path
        Folder of the benchmarks.
    more : iterable of tuple of str
        Names of the parameters of further benchmarks.
    """
    uses: dict[str, int] = {}
    values: dict[str, dict[str, None]] = {}
    for name, given in _all(suite, more):
        uses[name] = uses.get(name, 0) + 1
        values.setdefault(name, {}).update(dict.fromkeys(given))
    found = [Parameter(name, count, tuple(values[name])) for name, count in uses.items()]
    return sorted(found, key=lambda one: (-one.uses, one.name))


def _all(suite: Path, more: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for file in sorted(suite.rglob("*.py"))[:MOST_FILES]:
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue  # asv will say it
        yield from _of_tree(tree)
    yield from ((name, ()) for names in more for name in names)


def _of_tree(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Find `param_names` with the `params` beside it: of a class, or set on a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _named(dict(_assigned(node.body)))
    functions: dict[str, dict[str, ast.expr]] = {}
    for name, value in _assigned(tree.body):
        owner, _, attribute = name.rpartition(".")
        functions.setdefault(owner, {})[attribute] = value
    for owner, attributes in functions.items():
        if owner:
            yield from _named(attributes)


def _assigned(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                yield ast.unparse(target), statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            yield ast.unparse(statement.target), statement.value


def _named(attributes: Mapping[str, ast.expr]) -> Iterator[tuple[str, tuple[str, ...]]]:
    names = _literal(attributes.get("param_names"))
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        return
    lists = _lists(attributes.get("params"), len(names))
    yield from zip(names, lists, strict=True)


def _lists(params: ast.expr | None, number: int) -> list[tuple[str, ...]]:
    """Read a list of values per parameter; a single one's may stand without the outer list."""
    unknown: list[tuple[str, ...]] = [()] * number
    if not isinstance(params, ast.List | ast.Tuple):
        return unknown
    if number == 1 and not all(isinstance(one, ast.List | ast.Tuple) for one in params.elts):
        return [_texts(params)]
    if len(params.elts) != number:
        return unknown
    return [_texts(one) for one in params.elts]


def _texts(values: ast.expr) -> tuple[str, ...]:
    found = _literal(values)
    return tuple(str(one) for one in found) if isinstance(found, list | tuple) else ()


def _literal(node: ast.expr | None) -> Any:
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None
