"""Accuracy against speed: what is both slower and less accurate than another strategy is beaten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convbench.report.cells import Cell
from convbench.report.front_figure import FrontPicture, front_picture
from convbench.report.readable import counted, times
from convbench.report.regret import AUTO, Regret, Rows
from convbench.report.series import OK

MOST_PROBLEMS = 3
"""Pictures of so many single problems, those of the most strategies."""

COLOURS = 8


@dataclass(frozen=True, slots=True)
class Contender:
    """A strategy's times slower than the fastest, and its error."""

    strategy: str
    family: str
    colour: int
    slower: float
    error: float
    on_front: bool


@dataclass(frozen=True, slots=True)
class Front:
    """One picture: of a problem, or of all with `problem` empty; the fastest strategy first.

    `left_out` counts strategies with an error that did not do every problem.
    """

    problem: str
    title: str
    sentence: str
    picture: FrontPicture
    contenders: tuple[Contender, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Fronts:
    """All pictures of one table; `problems` are those whose errors were measured.

    `rows` has a place for each picture, None where a strategy is not in it.
    """

    fronts: tuple[Front, ...]
    problems: tuple[str, ...]
    families: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, str, tuple[Contender | None, ...]], ...]


def find_fronts(
    rows: Rows,
    problems: Sequence[str],
    regret: Regret | None,
    families: Mapping[str, str],
) -> Fronts | None:
    """Set the errors of one table's strategies against their speed; None without errors.

    `families` are those of strategies.
    """
    colours = {name: index % COLOURS for index, name in enumerate(sorted(set(families.values())))}
    errors = {
        problem: [
            (strategy, cells[column])
            for strategy, cells in rows
            if cells[column].status == OK and cells[column].error is not None
        ]
        for column, problem in enumerate(problems)
    }
    measured = [problem for problem in problems if len(errors[problem]) > 1]
    if not measured:
        return None
    known = {
        name: (families.get(name, ""), colours.get(families.get(name, ""), COLOURS - 1))
        for name, _ in rows
    }
    shown = sorted(measured, key=lambda name: (-len(errors[name]), problems.index(name)))
    single = [
        _front(name, f"on {name}", [_on(one, known) for one in errors[name]], 0)
        for name in shown[:MOST_PROBLEMS]
    ]
    overall = _overall(regret, {name: errors[name] for name in measured}, known)
    # A mean that few strategies have is no first picture.
    is_first = overall is not None and overall.left_out <= len(overall.contenders)
    all_problems = [overall] if overall else []
    fronts = (*all_problems, *single) if is_first else (*single, *all_problems)
    drawn = {one.family for front in fronts for one in front.contenders}
    return Fronts(
        fronts,
        tuple(measured),
        tuple((name, colour) for name, colour in colours.items() if name in drawn),
        _rows(fronts),
    )


def _rows(
    fronts: Sequence[Front],
) -> tuple[tuple[str, str, tuple[Contender | None, ...]], ...]:
    """List every strategy once: those of the first picture in its order, then the others."""
    places = [{one.strategy: one for one in front.contenders} for front in fronts]
    families = {one.strategy: one.family for front in fronts for one in front.contenders}
    return tuple(
        (name, family, tuple(place.get(name) for place in places))
        for name, family in families.items()
    )


def _on(one: tuple[str, Cell], known: Mapping[str, tuple[str, int]]) -> Contender:
    strategy, cell = one
    return Contender(strategy, *known[strategy], cell.factor, cell.error or 0.0, on_front=False)


def _overall(
    regret: Regret | None,
    errors: Mapping[str, Sequence[tuple[str, Cell]]],
    known: Mapping[str, tuple[str, int]],
) -> Front | None:
    """Set the largest error measured against the mean over all problems."""
    if regret is None:
        return None
    largest: dict[str, Cell] = {}
    for strategy, cell in (one for ones in errors.values() for one in ones):
        before = largest.get(strategy)
        if before is None or (cell.error or 0.0) > (before.error or 0.0):
            largest[strategy] = cell
    means = {cost.strategy: cost.mean for cost in regret.costs if not cost.undone}
    contenders = [
        Contender(*(name, *known[name], means[name], cell.error or 0.0), on_front=False)
        for name, cell in largest.items()
        if name in means
    ]
    if len(contenders) < 2:
        return None
    title = f"over all {counted(regret.problems, 'problem')}"
    return _front("", title, contenders, len(largest) - len(contenders))


def on_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Tell which points no other one beats: none is at least as low in both, and lower in one."""
    return [
        not any(other[0] <= one[0] and other[1] <= one[1] and other != one for other in points)
        for one in points
    ]


def _front(problem: str, title: str, found: Sequence[Contender], left_out: int) -> Front:
    ordered = sorted(found, key=lambda one: (one.slower, one.error, one.strategy))
    kept = on_front([(one.slower, one.error) for one in ordered])
    contenders = tuple(
        Contender(
            *(one.strategy, one.family, one.colour, one.slower, one.error),
            on_front=front,
        )
        for one, front in zip(ordered, kept, strict=True)
    )
    picture = front_picture(
        [(one.strategy, one.slower, one.error, one.on_front) for one in contenders], first=AUTO
    )
    return Front(problem, title, _sentence(contenders), picture, contenders, left_out)


def _sentence(contenders: Sequence[Contender]) -> str:
    """Walk along the front from the fastest to the most accurate."""
    front = [one for one in contenders if one.on_front]
    first, last = front[0], front[-1]
    if len(front) == 1 or first.error <= last.error:
        return f"{first.strategy} is both the fastest and the most accurate."
    smaller = f"×{times(last.error / first.error)} the error" if last.error else "no error"
    return (
        f"{counted(len(front), 'strategy', 'strategies')} of {len(contenders)} are not beaten: "
        f"from {first.strategy}, the fastest, to {last.strategy} with {smaller} in "
        f"×{times(last.slower / first.slower)} the time."
    )
