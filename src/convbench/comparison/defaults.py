"""Defaults of a project: the table `[compare]` of its ``convbench.toml``.

    [compare]
    margin = "2%"            # as good as equal
    threshold = "5%"         # the gate closes beyond it
    bench = "^run[.]"
    threads = "1"
    environment = "numpy2.4"
    budget_minutes = 20
    blocks = 40
    site_url = "https://example.org/benchmarks/"    # where `convbench report`'s site is published

An option of the command line goes before it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convbench.errors import BadUsage

FILE = "convbench.toml"

_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("margin", "threshold", "bench", "threads", "environment", "site_url"), (str,)),
    "budget_minutes": (int, float),
    "blocks": (int,),
}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a project says of its comparisons.

    Attributes
    ----------
    options : mapping
        Options by the names of the command line, with underscores.
    strategy_parameters : tuple of str
        Names of the parameter that says the strategy, from the table `[parameters]`.
    """

    options: Mapping[str, Any]
    strategy_parameters: tuple[str, ...] = ("strategy",)


def read_defaults(root: Path) -> Defaults:
    """Read the project's file, if it has one.

    Raises
    ------
    BadUsage
        The file is no TOML, or has a key that there is not, or a value of another type.
    """
    path = root / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Defaults({})
    except (ValueError, RecursionError) as error:
        raise BadUsage(f"{path}: expected TOML: {' '.join(str(error).split())[:200]}") from None
    options = data.get("compare", {})
    if not isinstance(options, dict):
        raise BadUsage(f"{path}: [compare] must be a table")
    for name, value in options.items():
        if name not in _TYPES:
            raise BadUsage(f"{path}: [compare] has no key {name!r}; there are {', '.join(_TYPES)}")
        if isinstance(value, bool) or not isinstance(value, _TYPES[name]):
            wanted = "text in quotes" if _TYPES[name] == (str,) else "a number"
            raise BadUsage(f"{path}: [compare] {name} = {value!r}: give {wanted}")
    return Defaults(options, _strategy_parameters(data))


def _strategy_parameters(data: Mapping[str, Any]) -> tuple[str, ...]:
    table = data.get("parameters", {})
    names = table.get("strategy", "strategy") if isinstance(table, dict) else "strategy"
    return (names,) if isinstance(names, str) else tuple(map(str, names))
