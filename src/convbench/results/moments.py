"""Moments that a user writes: ``2026-03-01``, ``2026-03-01T10:00``, ``2026-03-01T10:00+02:00``.

A day is its first moment; where no zone is said it is UTC.
"""

from datetime import UTC, datetime
from typing import Any

from convbench.errors import BadUsage

Moment = str | datetime


def moment(given: Moment, asked: str) -> datetime:
    """Read a moment, in UTC.

    Parameters
    ----------
    given : str or datetime
        ISO 8601, as a text or already read.
    asked : str
        The option or argument that it was given to, for the message.

    Returns
    -------
    datetime

    Raises
    ------
    BadUsage
        It is no moment, or lies outside of the years 1 to 9999.
    """
    try:
        read: Any = datetime.fromisoformat(given) if isinstance(given, str) else given
        # Pandas' missing time is a datetime by its class alone: it is not even equal to itself.
        if isinstance(read, datetime) and read == read:
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # a zone may lead out of the calendar
        pass
    raise BadUsage(f"{asked}: expected a date like 2026-03-01, got {given!r}")
