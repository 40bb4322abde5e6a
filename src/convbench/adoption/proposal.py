"""The `convbench.toml` that is proposed to a project: which of its words mean strategy or BLAS."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convbench.adoption.suite_parameters import Parameter

# Column -> names of parameters that usually mean it; the first one that a benchmark has wins.
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "strategy": (
        *("strategy", "method", "algorithm", "algo", "implementation", "impl"),
        *("backend", "engine", "solver"),
    ),
    "problem": ("problem", "case", "dataset", "shape", "size", "length", "n"),
    "dtype": ("dtype", "data_type", "precision"),
    "threads": ("threads", "n_threads", "num_threads", "nthreads", "n_jobs", "workers"),
}

# Column -> variables and requirements of asv's matrix that usually mean it.
ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "blas": ("CONVBENCH_BLAS", "libblas", "blas", "BLAS", "BLAS_VENDOR"),
    "threads": ("CONVBENCH_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
}

MOST_VALUES = 4
LONGEST = 60

HEAD = """\
# How convbench reads this project; `convbench init` proposed it, and you may change all of it.

[compare] # `convbench compare` and `convbench gate`; an option of the command line goes before it
# margin = "2%"                  # as good as equal
# threshold = "5%"               # the gate closes on a confirmed regression beyond it
# budget_minutes = 20            # ci/bench/settings.sh gives this one for pull requests
# bench = "time_"                # cells to compare, a regular expression of asv's names
"""

SHARED = """\
# Where machines bring their results together: a folder, git+https://HOST/PATH.git#BRANCH, or
# s3://BUCKET/PREFIX. Without it, $CONVBENCH_PLACE says so.
# [shared]
# place = "git+https://example.org/project.git#benchmark-results"
"""


def proposed(parameters: Sequence[Parameter], matrix: Mapping[str, Any], site_url: str = "") -> str:
    """Write the file.

    Parameters
    ----------
    parameters : sequence of Parameter
        Those of the suite, the most used first.
    matrix : mapping
        asv's matrix of environments.
    site_url : str
        Where the site will be published; empty if that is not known yet.
    """
    site = f"site_url = {_quoted(site_url)}" if site_url else '# site_url = "https://example.org/"'
    parts = [f"{HEAD}{site} # where `convbench report`'s site is published\n"]
    parts.append(_parameters(parameters))
    if told := _environment(_names(matrix)):
        parts.append(told)
    parts.append(SHARED)
    return "\n".join(parts)


def _parameters(parameters: Sequence[Parameter]) -> str:
    """Write the table with what is found; columns without a name are shown as examples."""
    known = {one.name: one for one in parameters}
    lines = ["# Which parameter says what; pages compare strategies where they know them."]
    if parameters:
        lines.append(f"# The suite has {_listed(parameters)}.")
    lines.append("[parameters]")
    for column, usual in PARAMETERS.items():
        names = [known[name] for name in usual if name in known]
        if names:
            values = f" # {_values(names[0])}" if names[0].values else ""
            lines.append(f"{column} = [{', '.join(_quoted(one.name) for one in names)}]{values}")
        else:
            lines.append(f"# {column} = {_quoted(column)}")
    return "\n".join(lines) + "\n"


def _environment(names: Iterable[str]) -> str:
    there = set(names)
    rows = {
        column: [_quoted(name) for name in usual if name in there]
        for column, usual in ENVIRONMENT.items()
    }
    lines = [f"{column} = [{', '.join(found)}]" for column, found in rows.items() if found]
    if not lines:
        return ""
    return "\n".join(["[environment] # which part of asv's matrix says what", *lines]) + "\n"


def _names(matrix: Mapping[str, Any]) -> list[str]:
    """List variables and requirements; an old matrix is requirements alone."""
    kinds = ("req", "env", "env_nobuild")
    if not any(kind in matrix for kind in kinds):
        return list(matrix)
    return [name for kind in kinds for name in matrix.get(kind) or ()]


def _listed(parameters: Sequence[Parameter]) -> str:
    told = [f"{_plain(one.name)} ({one.uses})" for one in parameters[:12]]
    return ", ".join([*told, "…"] if len(parameters) > len(told) else told)


def _values(parameter: Parameter) -> str:
    shown = ", ".join(map(_plain, parameter.values[:MOST_VALUES]))
    return f"{shown}, …" if len(parameter.values) > MOST_VALUES else shown


def _plain(text: str) -> str:
    """Keep a name within its comment."""
    shown = "".join(one if one.isprintable() else "?" for one in text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def _quoted(text: str) -> str:
    """Write a text of TOML; JSON's form is one."""
    return json.dumps(text)
