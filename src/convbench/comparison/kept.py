"""A comparison's data as a file: block values, from which the same verdicts follow at any time."""

import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from convbench.comparison.blocks import Values
from convbench.errors import BadResults

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was measured, and what it was asked for.

    Attributes
    ----------
    base, head : str
        Labels of the arms.
    margin, threshold : float
        Ratios that were asked for.
    blocks : int
        Most blocks of the first stage of a cell.
    measured_at : str
        UTC, when it ended.
    seconds : float
        How long it took.
    values : mapping of str to Values
        By name of the cell, in the suite's order.
    base_commit, head_commit : str
        Full hashes, where commits were compared.
    """

    base: str
    head: str
    margin: float
    threshold: float
    blocks: int
    measured_at: str = ""
    seconds: float = 0.0
    values: Mapping[str, Values] = field(default_factory=dict)
    base_commit: str = ""
    head_commit: str = ""


def measured(asked: Kept, values: Mapping[str, Values], seconds: float) -> Kept:
    """Add what was measured just now to what was asked for."""
    now = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    return replace(asked, values=values, seconds=round(seconds, 3), measured_at=now)


def write(path: Path, kept: Kept) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"format": FORMAT, **asdict(kept)}
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="ascii")
    partial.replace(path)


def read(path: Path) -> Kept:
    """Read what `write` wrote.

    Raises
    ------
    BadResults
        The file is not there, or is no such file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT:
            raise BadResults(f"{path} has another format than {FORMAT}; measure again")
        values = {name: _values(each) for name, each in document.pop("values").items()}
        return _checked(Kept(**document, values=values))
    except FileNotFoundError:
        raise BadResults(f"--from {path}: there is no such file") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise BadResults(f"{path} holds no comparison that `--keep` wrote") from None


def _values(given: dict[str, Any]) -> Values:
    values = Values(**given)
    for stage in ("screen", "confirm"):
        if not isinstance(getattr(values, stage), list):
            raise TypeError
        setattr(values, stage, [_number(value) for value in getattr(values, stage)])
    if not isinstance(values.failed, str) or not isinstance(values.skipped, str):
        raise TypeError
    return values


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError
    if not math.isfinite(given):
        raise ValueError
    return float(given)


def _checked(kept: Kept) -> Kept:
    texts = (kept.base, kept.head, kept.measured_at, kept.base_commit, kept.head_commit)
    if not all(isinstance(one, str) for one in texts):
        raise TypeError
    if isinstance(kept.blocks, bool) or not isinstance(kept.blocks, int) or kept.blocks < 2:
        raise TypeError
    margin, threshold, seconds = map(_number, (kept.margin, kept.threshold, kept.seconds))
    if margin <= 1 or threshold <= 1:
        raise ValueError
    return replace(kept, margin=margin, threshold=threshold, seconds=seconds)
