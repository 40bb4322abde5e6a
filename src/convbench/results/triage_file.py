"""`triage.toml`: what a team has decided about events, kept in the repository with the reasons.

    [[event]]
    id = "3f2a9c1b04"                # as `convbench detect` prints it
    state = "expected"               # acknowledged, expected or ignored
    reason = "float64 accumulators: slower, but right"
    until = "2026-12-01"             # optional: a date, or the commit that is to end it
    by = "ada"                       # optional

How entries find their events, and when they end, is said in `stats/triage.py`; how a text gets one
more, in `triage_text`.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from convbench.errors import BadUsage
from convbench.results.store import write_atomically
from convbench.results.triage_text import with_table
from convbench.stats.triage import STATES, Entry

TRIAGE = "triage.toml"
"""The file that is read where none is named, if it is there."""

_KEYS = ("id", "state", "reason", "until", "by")
_NEEDED = ("id", "state", "reason")
_ID = re.compile(r"[0-9a-f]{10}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_SHOWN = 80


def read_triage(path: Path | None) -> tuple[Entry, ...]:
    """Read the entries of a triage file; of `TRIAGE` in this folder, if it is there, for None.

    Raises
    ------
    BadUsage
        The named file is not there, is no TOML, or an entry of it can't be understood: the message
        has the entry's number, counted from 1.
    """
    if path is None:
        if not Path(TRIAGE).is_file():
            return ()
        path = Path(TRIAGE)
    try:
        return _entries(_text_of(path), path)
    except FileNotFoundError:
        raise BadUsage(f"--triage {path}: there is no such file") from None


def write_entry(path: Path, table: Mapping[str, str]) -> Entry | None:
    """Write an entry into a triage file, in the place of one for the same event or at the end.

    Comments, order and other entries stay. The file is replaced whole, and only by one that says
    what the old one said and the new entry besides.

    Parameters
    ----------
    path
        The file; made if it is not there.
    table
        The keys of the entry, as the file has them.

    Returns
    -------
    Entry or None
        The one that was replaced.

    Raises
    ------
    BadUsage
        The entry or the file can't be understood, or the file is none that can be changed so.
    """
    new = _entry(table, "the new entry")
    if strange := [name for name, value in table.items() if not _is_storable(value)]:
        raise BadUsage(f"the new entry: {strange[0]} has bytes that are no text in UTF-8")
    if not path.parent.is_dir():
        raise BadUsage(f"{path}: there is no folder {path.parent}; make it, or name another file")
    text = _text_of(path) if path.exists() else ""
    old = {entry.event: entry for entry in _entries(text, path)}
    made = with_table(text, {name: table[name] for name in _KEYS if name in table})
    if not _says(made, (old | {new.event: new}).values()):
        raise BadUsage(
            f"{path}: the entry of {new.event} can't be written without changing others, which are"
            " no tables that begin with [[event]]; write it by hand"
        )
    write_atomically(path.resolve(), made.encode())  # what a link names, not the link
    return old.get(new.event)


def _text_of(path: Path) -> str:
    """Read a file, line ends as they are."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise _no_toml(path, error) from None


def _entries(text: str, path: Path) -> tuple[Entry, ...]:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_toml(path, error) from None
    return parse_triage(data, str(path))


def _no_toml(path: Path, error: Exception) -> BadUsage:
    return BadUsage(f"{path}: expected TOML: {' '.join(str(error).split())[:200]}")


def _says(text: str, entries: Iterable[Entry]) -> bool:
    """Tell whether a text says these entries, in this order."""
    try:
        return _entries(text, Path(TRIAGE)) == tuple(entries)
    except BadUsage:
        return False


def _is_storable(text: str) -> bool:
    """Tell whether UTF-8 has a text: an argument of a command may be any bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def parse_triage(data: Mapping[str, Any], shown: str) -> tuple[Entry, ...]:
    """Turn a parsed document into entries; `shown` is how a message names the file."""
    if strange := sorted(data.keys() - {"event"}):
        raise BadUsage(f"{shown}: no key {_short(strange[0])}; every entry is a table [[event]]")
    given = data.get("event", [])
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise BadUsage(f"{shown}: event is no list of tables; begin every entry with [[event]]")
    numbers: dict[str, int] = {}
    entries = []
    for number, table in enumerate(given, start=1):
        entry = _entry(table, f"{shown}: entry {number}")
        first = numbers.setdefault(entry.event, number)
        if first != number:
            raise BadUsage(
                f"{shown}: entry {number}: event {entry.event} has entry {first} already; "
                "keep one of them"
            )
        entries.append(entry)
    return tuple(entries)


def _entry(table: Mapping[str, Any], where: str) -> Entry:
    if strange := sorted(table.keys() - set(_KEYS)):
        raise BadUsage(f"{where}: no key {_short(strange[0])}; the keys are {', '.join(_KEYS)}")
    if missing := [name for name in _NEEDED if name not in table]:
        raise BadUsage(f"{where} has no {missing[0]}; every entry needs {', '.join(_NEEDED)}")
    texts = {name: _text(table.get(name, ""), f"{where}: {name}") for name in (*_NEEDED, "by")}
    if not _ID.fullmatch(texts["id"]):
        raise BadUsage(
            f"{where}: id is {_short(texts['id'])}; expected the 10 hexadecimal digits that "
            "`convbench detect` prints"
        )
    if texts["state"] not in STATES:
        raise BadUsage(
            f"{where}: state is {_short(texts['state'])}; the states are {', '.join(STATES)}"
        )
    if not texts["reason"].strip():
        raise BadUsage(f"{where}: reason is empty; say why, for those who read it later")
    return Entry(
        event=texts["id"],
        state=texts["state"],
        reason=texts["reason"].strip(),
        until=_until(table.get("until"), where),
        by=texts["by"].strip(),
    )


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise BadUsage(f"{what} is {_short(value)}; expected a text in quotes")
    return value


def _until(value: Any, where: str) -> date | str | None:
    """Read the end of an entry: TOML's own date is as good as one in quotes."""
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # such as 2026-02-30
    elif isinstance(value, str) and _COMMIT.fullmatch(value):
        return value
    raise BadUsage(
        f"{where}: until is {_short(value)}; expected a date such as 2026-12-01, or at least 7 "
        "digits of a commit's hash"
    )


def _short(value: Any) -> str:
    try:
        return repr(value)[:_SHOWN]
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of thousands of digits"
