"""What differs between two environments, as far as the store knows.

An environment is named by its own name or with its machine or its run before it:

    ENVIRONMENT   MACHINE/ENVIRONMENT   RUN/ENVIRONMENT

What a run found in an environment may change from run to run; a name that leaves several runs
means the newest.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from convbench.errors import BadUsage
from convbench.results.inventory import PLACE
from convbench.results.loading import load_table
from convbench.results.raw_files import printable

_TABLES = ("environments", "machines", "runs", "commits")

# Columns of `environments` that are facts as they stand; the hash is told by each library.
_FACTS = ("blas", "identity", "lapack", "threads", "threads_claimed", "cpus", "guard")
_OF_RUN = ("environment_type", "asv_version", "lock_sha256", "environments_sha256")
_OF_MACHINE = (*("os", "arch", "cpu", "num_cpu", "ram", "cores", "ram_bytes"), "governor")

# What a moment's load was is no property of a machine.
_MOMENTARY = ("load_average",)

# First words of facts, in the order of the comparison; single facts go before.
_KINDS = ("library", "machine", "package")

_NEAR = 5
_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One environment as one run found it, with every fact that the store has of it.

    Parameters
    ----------
    project, machine, environment, run, commit : str
        Which one it is; `run` is empty where `asv run` measured.
    runs : int
        How many runs or commits the name left to choose from.
    facts : mapping of str to str
        By name: ``package numpy``, ``blas``, ``library openblas sha256``, ...
    machine_facts : mapping of str to str
        Of its machine, as its newest run found it.
    """

    project: str
    machine: str
    environment: str
    run: str
    commit: str
    runs: int
    facts: Mapping[str, str]
    machine_facts: Mapping[str, str]


def environment_diff(
    store: Path | str, a: str, b: str, *, commit: str | None = None
) -> pd.DataFrame:
    """Compare two environments of a store fact by fact.

    Parameters
    ----------
    store : path
        A folder that `convbench collect` wrote.
    a, b : str
        Names of environments: ENVIRONMENT, MACHINE/ENVIRONMENT or RUN/ENVIRONMENT.
    commit : str, optional
        First digits of a commit: how the environments were when it was measured.

    Returns
    -------
    DataFrame
        One row per `fact`, with its value in `a` and in `b` (None where it is not known) and
        whether they are the `same`. Facts of the machines are there when these are two.

    Raises
    ------
    BadResults
        `store` is no store.
    BadUsage
        A name fits no environment, several, or none that was measured at the commit.
    """
    return compare(*find(store, (a, b), commit=commit))


def compare(a: Environment, b: Environment) -> pd.DataFrame:
    """Compare two environments that `find` found; the frame is that of `environment_diff`."""
    of_a, of_b = dict(a.facts), dict(b.facts)
    if (a.project, a.machine) != (b.project, b.machine):
        of_a, of_b = of_a | dict(a.machine_facts), of_b | dict(b.machine_facts)
    # What only `b` has stands beside what is like it in `a`.
    names = sorted(of_a | of_b, key=_kind)
    rows = [(name, of_a.get(name), of_b.get(name)) for name in names]
    frame = pd.DataFrame(rows, columns=["fact", "a", "b"], dtype=object)
    return frame.assign(same=np.array([one == other for _, one, other in rows], dtype=bool))


def _kind(fact: str) -> int:
    word = fact.partition(" ")[0]
    return _KINDS.index(word) if word in _KINDS else -1


def find(
    store: Path | str, names: tuple[str, ...], *, commit: str | None = None
) -> tuple[Environment, ...]:
    """Look environments up by name; parameters and errors are those of `environment_diff`."""
    tables = {name: load_table(store, name) for name in _TABLES}
    environments = tables["environments"].fillna({"run": "", "commit": ""})
    if commit is not None and not environments["commit"].str.startswith(commit).any():
        raise BadUsage(f"--commit {printable(commit)}: no environment was measured at it")
    started = tables["runs"][["project", "machine", "run", "started_at"]]
    order = tables["commits"][["project", "commit", "position"]]
    dated = environments.merge(started, on=["project", "machine", "run"], how="left")
    dated = dated.merge(order, on=["project", "commit"], how="left")
    return tuple(_environment(_rows_of(dated, name, commit), tables) for name in names)


def _rows_of(environments: pd.DataFrame, name: str, commit: str | None) -> pd.DataFrame:
    """Choose the rows that a name fits: all of one environment on one machine, at a commit."""
    rows = _fitting(environments, name)
    if commit is not None:
        rows = _at(rows, name, commit)
    if len(rows[PLACE].drop_duplicates()) > 1:
        raise BadUsage(
            f"environment {printable(name)} could be several; {_listed('say', _telling(rows))}"
        )
    return rows


def _at(rows: pd.DataFrame, name: str, commit: str) -> pd.DataFrame:
    then = rows[rows["commit"].str.startswith(commit)]
    if then.empty:
        newest_first = rows.sort_values("position", ascending=False, kind="stable")["commit"]
        others = [other[:_DIGITS] for other in newest_first.unique()]
        raise BadUsage(
            f"environment {printable(name)} was not measured at commit {printable(commit)}; "
            f"{_listed('it was at', others)}"
        )
    return then


def _fitting(environments: pd.DataFrame, name: str) -> pd.DataFrame:
    """Choose the rows that a name fits in one of its spellings."""
    spelled = _spellings(environments)
    fits = pd.Series(False, index=environments.index)
    for spelling in spelled.values():
        fits |= spelling == name
    rows = environments[fits]
    if rows.empty:
        known = sorted(set(spelled["environment"]) | set(spelled["machine"]))
        raise BadUsage(
            f"the store knows no environment {printable(name) or repr(name)}; "
            f"{_listed('near', difflib.get_close_matches(name, known, _NEAR, 0.3) or known)}"
        )
    return rows


def _spellings(rows: pd.DataFrame) -> dict[str, "pd.Series[str]"]:
    name = rows["environment"]
    by_run = (rows["run"] + "/" + name).where(rows["run"] != "")
    return {"environment": name, "machine": rows["machine"] + "/" + name, "run": by_run}


def _telling(rows: pd.DataFrame) -> list[str]:
    """Spell each of several environments in the shortest way that fits no other."""
    spelled, places = _spellings(rows), rows.groupby(PLACE).ngroup()
    for kind in ("machine", "run"):
        fitting = places.groupby(spelled[kind]).nunique()
        if len(fitting) and fitting.max() == 1:
            return sorted(fitting.index)
    return sorted(set(spelled["machine"]) | set(spelled["run"].dropna()))


def _listed(word: str, names: list[str]) -> str:
    shown = ", ".join(map(printable, names[:_NEAR]))
    more = f" and {len(names) - _NEAR:,} more" if len(names) > _NEAR else ""
    return f"{word}: {shown or 'nothing, it has none'}{more}"


def _environment(rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> Environment:
    order = rows.sort_values(["started_at", "position", "run"], na_position="first", kind="stable")
    row = order.iloc[-1]
    of_run = _row(tables["runs"], row, ("project", "machine", "run"))
    of_machine = _row(tables["machines"], row, ("project", "machine"))
    facts = {name: row[name] for name in _FACTS} | {name: of_run.get(name) for name in _OF_RUN}
    packages = dict(row["packages"] or {})
    facts["python"] = packages.pop("python", None)
    facts |= dict(_libraries(row["libraries_json"]))
    # A package without a version is one that nobody pinned: its presence is a fact, too.
    versions = {f"package {name}": text for name, text in sorted(packages.items())}
    return Environment(
        **{name: row[name] for name in (*PLACE, "run", "commit")},
        runs=len(rows),
        facts=_known(facts) | versions,
        machine_facts=_known(dict(_machine_facts(of_machine))),
    )


def _row(table: pd.DataFrame, wanted: "pd.Series[Any]", key: tuple[str, ...]) -> dict[str, Any]:
    rows = table[(table[list(key)] == wanted[list(key)]).all(axis=1)]
    return {str(name): value for row in rows.to_dict("records") for name, value in row.items()}


def _known(facts: Mapping[str, Any]) -> dict[str, str]:
    """Drop what is not known; an empty text is what a result says where there is nothing."""
    texts = {name: _text(value) for name, value in facts.items()}
    return {name: text for name, text in texts.items() if text}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a count that other rows lack
    return json.dumps(value, sort_keys=True)


def _libraries(libraries_json: Any) -> Iterator[tuple[str, Any]]:
    """Give every property of every loaded library; of one family's libraries the second is 2."""
    libraries = json.loads(libraries_json) if isinstance(libraries_json, str) else []
    seen: dict[str, int] = {}
    for library in sorted(libraries, key=lambda library: json.dumps(library, sort_keys=True)):
        family = str(library.get("family"))
        seen[family] = seen.get(family, 0) + 1
        name = f"library {family}" + (f" {seen[family]}" if seen[family] > 1 else "")
        for key, value in sorted(library.items()):
            if key != "family":
                yield f"{name} {key}", value


def _machine_facts(machine: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give what asv and what convbench found of a machine; the latter knows more of the same."""
    for name in (*_OF_MACHINE, "virtualised"):
        yield f"machine {name}", machine.get(name)
    host = machine.get("host_json")
    for name, value in sorted(json.loads(host).items()) if isinstance(host, str) else ():
        if name not in _MOMENTARY:
            yield f"machine {name}", value
