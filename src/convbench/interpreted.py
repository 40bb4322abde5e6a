"""Count what a call makes the interpreter do: lines of Python, and calls into compiled code.

Counted, not timed: the numbers are the same on every machine, so a time predicted from them owes
nothing to the time that was measured.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

_PROJECT = str(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Interpreted:
    """What one call made the interpreter do.

    Attributes
    ----------
    lines : int
        Executed lines of Python, those in libraries included.
    calls : int
        Calls into compiled code; operators and ufuncs are not among them, their lines are.
    frequent : str
        The function outside this project that this project called most often, or nothing.
    frequent_calls : int
        How often.
    """

    lines: int = 0
    calls: int = 0
    frequent: str = ""
    frequent_calls: int = 0


def count(call: Callable[[], object]) -> Interpreted:
    """Run a call once, slowly, and count; threads that it starts are not seen."""
    events: Counter[str] = Counter()
    asked: Counter[str] = Counter()

    def trace(_: FrameType, event: str, __: Any) -> Any:
        events[event] += 1
        return trace

    def profile(frame: FrameType, event: str, callee: Any) -> None:
        if event == "c_call":
            events["c_call"] += 1
            if _is_ours(frame):
                asked[_name(callee.__module__, callee.__qualname__)] += 1
        elif event == "call" and _leaves_ours(frame):
            asked[_name(frame.f_globals.get("__name__"), frame.f_code.co_name)] += 1

    _under(trace, profile, call)
    ((frequent, times),) = asked.most_common(1) or (("", 0),)
    return Interpreted(events["line"], events["c_call"], frequent, times)


def _under(trace: Any, profile: Any, call: Callable[[], object]) -> None:
    """Call under these hooks; a debugger or a measurement of coverage gets its own ones back."""
    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before[1])
        sys.settrace(before[0])


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_PROJECT)


def _leaves_ours(frame: FrameType) -> bool:
    """Tell whether a function of a library was called by this project."""
    # NumPy looks for overrides in a function of this ending, then calls the one meant.
    meant = not frame.f_code.co_name.endswith("_dispatcher")
    return meant and frame.f_back is not None and _is_ours(frame.f_back) and not _is_ours(frame)


def _name(module: str | None, name: str) -> str:
    """Write a function as people do: np.sum, scipy.correlate2d, ndarray.ravel."""
    library = (module or "").partition(".")[0]
    if library in ("", "builtins"):
        return name
    return f"{'np' if library == 'numpy' else library}.{name}"
