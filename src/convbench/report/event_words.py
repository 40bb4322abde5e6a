"""The words and numbers of one event or change, from its row in the store's table."""

import math
from collections.abc import Mapping
from typing import Any

from convbench.report.measurements import text
from convbench.report.readable import distinct_quantities, percent
from convbench.stats.changes import STARTS_FAILING

_FAILING = {STARTS_FAILING: "✕ starts failing"}

_BEYOND = 1e9
"""Size of what has no ratio, or an infinite one: larger than any other."""


def change_of(event: Mapping[str, Any]) -> str:
    """Write how an event or a change went: ▲ +20 %, or a failure's words."""
    ratio = event["ratio"]
    if not is_level(event):
        return _FAILING.get(event["kind"], f"✓ {event['kind']}")
    return f"{'▲' if ratio > 1 else '▼'} {percent(ratio) if math.isfinite(ratio) else 'from 0'}"


def is_level(event: Mapping[str, Any]) -> bool:
    """Tell whether a level changed: what failed or works again has no ratio."""
    ratio = event["ratio"]
    return ratio is not None and not math.isnan(ratio)


def interval_of(event: Mapping[str, Any]) -> str:
    """Write the interval of its ratio; empty without a finite one."""
    low, high = event["ratio_low"], event["ratio_high"]
    if not (is_level(event) and math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{percent(low)} to {percent(high)}"


def clearest_of(event: Mapping[str, Any]) -> str:
    """Write the effect of the clearest change, whose levels are told, where it is another.

    An event of several histories has the median of their effects.
    """
    if not is_level(event) or int(event["changes"]) == 1 or not event["before"]:
        return ""
    own = percent(event["after"] / event["before"])
    return "" if own == percent(event["ratio"]) else own


def levels_of(event: Mapping[str, Any]) -> str:
    """Write the levels before and after; empty for failures."""
    if not is_level(event):
        return ""
    return " → ".join(distinct_quantities(event["before"], event["after"], text(event["unit"])))


def size_of(event: Mapping[str, Any]) -> float:
    """Give how large an event is, whichever way it went; to fail is the largest."""
    ratio = float(event["ratio"]) if is_level(event) else 0.0
    return max(ratio, 1 / ratio) if 0 < ratio < math.inf else _BEYOND
