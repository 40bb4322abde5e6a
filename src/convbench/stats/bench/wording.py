"""Numbers of the bench in words: rates, shares and their bounds."""

import math

NONE = "–"


def number(value: float) -> str:
    """Write a rate of so many per thousands: one digit after the point below ten, none above."""
    if not math.isfinite(value):
        return NONE
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value else "0"


def share(value: float, digits: int = 2) -> str:
    """Write a share between 0 and 1."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NONE


def percent(value: float, digits: int = 0) -> str:
    """Write a share as a percentage: 0.05 is 5 %."""
    return f"{100 * value:.{digits}f} %"


def commits(value: float) -> str:
    """Write a delay; one that never ends has no number."""
    return f"{value:.0f}" if math.isfinite(value) else NONE
