"""Words: how a project says strategy, problem, dtype, threads and BLAS in its own results.

asv knows parameters and environments only by the names that a suite gives them. The columns
`strategy`, `problem`, `dtype`, `threads` and `blas` are filled from those that a small table
declares: ``convbench.toml``, or the default below. Elsewhere they are empty.

    [parameters]                     # column = the parameters that say it, first one wins
    strategy = ["implementation", "method"]
    problem = "shape"

    [environment]                    # column = variables or requirements of the environment
    blas = ["libblas", "BLAS_VENDOR"]
    threads = "OMP_NUM_THREADS"

    [machines]                       # names of machines that were renamed
    "old-name" = "new-name"

What a parameter says goes before what the environment says.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from convbench.errors import BadUsage
from convbench.results.result_file import utf8

COLUMNS = ("strategy", "problem", "dtype", "threads", "blas")

CONFIG = "convbench.toml"

Names = tuple[str, ...]

# Requirements whose version is a build: ``libblas=*=*mkl`` says mkl, in any of conda's spellings.
_BUILDS = ("libblas",)


def _default_parameters() -> dict[str, Names]:
    return {"strategy": ("strategy",), "problem": ("problem",), "dtype": ("dtype",)}


def _default_environment() -> dict[str, Names]:
    return {"blas": ("CONVBENCH_BLAS", "libblas"), "threads": ("CONVBENCH_THREADS",)}


@dataclass(frozen=True)
class Words:
    """Which parameters and which parts of an environment fill a column, and renamed machines."""

    parameters: Mapping[str, Names] = field(default_factory=_default_parameters)
    environment: Mapping[str, Names] = field(default_factory=_default_environment)
    machines: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A hash of the words: other words give other rows."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def machine(self, name: str) -> str:
        """Return the name that a machine has today."""
        return self.machines.get(name, name)

    def of_parameters(self, column: str, combination: Mapping[str, str]) -> str:
        """Return what a parameter combination says of a column; empty when it says nothing."""
        names = self.parameters.get(column, ())
        return next((combination[name] for name in names if combination.get(name)), "")

    def of_environment(
        self, column: str, variables: Mapping[str, str], requirements: Mapping[str, str]
    ) -> str:
        """Return what an environment says of a column; empty when it says nothing."""
        for name in self.environment.get(column, ()):
            if variables.get(name):
                return variables[name]
            for requirement, pin in requirements.items():
                if requirement.partition("[")[0] == name:
                    found = _build(f"{requirement}{pin}") if name in _BUILDS else pin
                    if found:
                        return found
        return ""


def _build(requirement: str) -> str:
    found = re.search(r"\*([a-z]\w*)", requirement)
    return found.group(1) if found else ""


def read_words(path: Path) -> Words:
    """Read ``convbench.toml``; tables that it leaves out are the default ones.

    Raises
    ------
    BadUsage
        The file is not there, is no TOML, or has a table or column that there is not.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadUsage(f"--config {path}: there is no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadUsage(f"{path}: expected TOML: {' '.join(str(error).split())[:200]}") from None
    # The last two are read by others: `compare` and `push`.
    known = ("parameters", "environment", "machines", "compare", "shared")
    if unknown := sorted(data.keys() - set(known)):
        raise BadUsage(f"{path}: no table [{unknown[0]}]; the tables are {', '.join(known)}")
    default = Words()
    return Words(
        parameters=_columns(path, data, "parameters") or default.parameters,
        environment=_columns(path, data, "environment") or default.environment,
        machines=_machines(path, data.get("machines", {})),
    )


def _columns(path: Path, data: Mapping[str, Any], table: str) -> dict[str, Names]:
    given = data.get(table, {})
    if not isinstance(given, dict):
        raise BadUsage(f"{path}: [{table}] must be a table")
    found: dict[str, Names] = {}
    for column, names in given.items():
        if column not in COLUMNS:
            raise BadUsage(
                f"{path}: [{table}] has no column {column!r}; the columns are {', '.join(COLUMNS)}"
            )
        listed = [names] if isinstance(names, str) else names
        if not isinstance(listed, list) or not all(isinstance(n, str) and n for n in listed):
            raise BadUsage(f"{path}: [{table}] {column}: expected a name or a list of names")
        found[column] = tuple(map(utf8, listed))
    return found


def _machines(path: Path, given: object) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(n, str) and n for n in given.values()):
        raise BadUsage(f'{path}: [machines] must have lines like "old-name" = "new-name"')
    if chained := sorted(set(given) & set(given.values())):
        raise BadUsage(f"{path}: [machines] renames {chained[0]!r} and renames others to it")
    return {utf8(old): utf8(new) for old, new in given.items()}
