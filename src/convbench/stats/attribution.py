"""What caused an event: the code, a machine, a BLAS build, an environment or the measurement.

The question is asked of the histories that could have shown the change (see `sightings`). Where it
was seen and where it was not separates the causes; the first rule that applies decides:

=================  ==========================================================================
`MEASUREMENT`      on one machine, and for most of its histories the level came back within
                   `BRIEF` commits, or the run of the first bad commit was disturbed
`BLAS`             on one build, while others of the same machines measured the same without it;
                   where another machine has this build and no change, only if the library's
                   identity or a package differs between the two points
`ENVIRONMENT`      the same of an environment, in a project without BLAS builds
`MACHINE`          on one machine, in at least `MACHINE_SHARE` of all its histories, while other
                   machines measured the same without it
`CODE`             on two machines or more, or on two builds or more of one
`UNDECIDED`        else: there is one machine and build only, or a machine's part of the benchmarks
=================  ==========================================================================

A change of everything (see `subjects`) on the only machine there is stays undecided also when two
builds show it: code and machine would look the same.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from convbench.stats.changes import FAILURES
from convbench.stats.sightings import Histories, Scene, distinct, is_most, scene_of, texts_of

__all__ = ["CAUSES", "Attribution", "Histories", "attribute"]

CODE, MACHINE, BLAS, ENVIRONMENT = "code", "machine", "BLAS", "environment"
MEASUREMENT, UNDECIDED = "measurement", "undecided"
CAUSES = (CODE, MACHINE, BLAS, ENVIRONMENT, MEASUREMENT, UNDECIDED)

BRIEF = 2
"""Commits within which a level that comes back was no level."""


class Attribution(NamedTuple):
    """The cause of an event, and the counts that it rests on as one sentence."""

    cause: str
    evidence: str


def attribute(event: pd.DataFrame, histories: Histories) -> Attribution:
    """Name the cause of one event.

    Parameters
    ----------
    event
        Its changes, as `grouping.group` returns them.
    histories
        All that were searched; those of the event among them.
    """
    scene = scene_of(event, histories)
    found = _measurement(scene) or _build(scene) or _machine(scene) or _code(scene)
    cause, evidence = found or (UNDECIDED, _why_undecided(scene))
    told = [evidence, *_unclear(scene), _count(scene), *_differences(scene)]
    return Attribution(cause, "; ".join(told))


def _measurement(scene: Scene) -> tuple[str, str] | None:
    """Blame the measurement when one machine saw what its own records explain."""
    if len(scene.machines) != 1 or scene.event["kind"].iloc[0] in FAILURES:
        return None
    changes = len(scene.event)
    (machine,) = scene.machines
    brief = int(np.sum(scene.event["recovered"].astype(bool) & (scene.event["lasted"] <= BRIEF)))
    if 2 * brief > changes:
        text = f"the old level came back within {BRIEF} commits in {_histories(brief, changes)}"
        return MEASUREMENT, f"seen on {machine} only, where {text}"
    disturbed = sum(text != "" for text in texts_of(scene.event["disturbed"]))
    if 2 * disturbed > changes:
        told = ", ".join(distinct(scene.event["disturbed"]))
        run = f"the run of the first bad commit was disturbed ({told})"
        return (
            MEASUREMENT,
            f"seen on {machine} only, where {run} in {_histories(disturbed, changes)}",
        )
    return None


def _build(scene: Scene) -> tuple[str, str] | None:
    """Blame the build when the same machines show no change on others."""
    if len(scene.builds) != 1 or not scene.other_builds:
        return None
    (build,) = scene.builds
    elsewhere = scene.unseen[scene.unseen["build"] == build]
    without = [one for one in distinct(elsewhere["machine"]) if one not in scene.machines]
    if without and not _differences(scene):
        return None
    on = f"on {_listed(scene.machines)} "
    others = f"{_listed(scene.other_builds)} measured the same there without the change"
    also = f" (as did {build} on {_listed(without)})" if without else ""
    return BLAS if scene.of_blas else ENVIRONMENT, f"seen {on}with {build} only; {others}{also}"


def _machine(scene: Scene) -> tuple[str, str] | None:
    """Blame the machine when it changed nearly throughout and others did not."""
    if len(scene.machines) != 1 or not scene.other_machines:
        return None
    (machine,) = scene.machines
    changed, measured = scene.shares[machine]
    if not is_most(changed, measured):
        return None
    others = f"{_listed(scene.other_machines)} measured the same without the change"
    return (
        MACHINE,
        f"seen on {machine} only, in {changed} of all its {measured} histories; {others}",
    )


def _code(scene: Scene) -> tuple[str, str] | None:
    """Blame the code when what two machines or builds have in common is the commit."""
    builds = _of_all(_noun(scene), scene.builds, distinct(scene.unseen["build"]))
    if len(scene.machines) > 1:
        measured = len(scene.machines) + len(scene.other_machines)
        which = (
            "both machines" if measured == 2 else f"{len(scene.machines)} of {measured} machines"
        )
        return CODE, f"seen on {which} that measured it" + (f" and on {builds}" if builds else "")
    alone = not scene.other_machines and scene.of_everything
    if len(scene.builds) > 1 and not alone:
        return CODE, f"seen on {builds} of {scene.machines[0]}{_not_on(scene.other_machines)}"
    return None


def _noun(scene: Scene) -> str:
    return "BLAS build" if scene.of_blas else "environment"


def _why_undecided(scene: Scene) -> str:
    """Say where a change was seen that these places can't explain."""
    machine = _listed(scene.machines)
    if len(scene.builds) > 1:
        return f"seen in benchmarks of all sorts on {machine}, the only machine that measured it"
    build = f" with {scene.builds[0]}" if scene.builds else ""
    if scene.other_machines:
        return f"seen on {machine}{build}{_not_on(scene.other_machines)}"
    place = "build" if scene.of_blas else "environment"
    return f"seen on {machine}{build}, and no other machine or {place} measured the same"


def _not_on(machines: Sequence[str]) -> str:
    """Name the machines without the change, if any."""
    return f", while {_listed(machines)} measured the same without the change" if machines else ""


def _unclear(scene: Scene) -> list[str]:
    """Say how many have no say."""
    if not scene.unclear:
        return []
    noun = "history" if scene.unclear == 1 else "histories"
    why = "too noisy to tell, or moved there too"
    return [f"{scene.unclear} more {noun} of the same may have it: {why}"]


def _count(scene: Scene) -> str:
    """Say how many of the histories that the event is about changed."""
    changed, measured = scene.about
    if scene.of_everything:
        return f"{_histories(changed, measured)} of any benchmark"
    kind = "strategy " if distinct(scene.event["strategy"]) else ""
    subject = scene.event["subject"].iloc[0]
    return f"{_histories(changed, measured)} of {kind}{subject}"


def _differences(scene: Scene) -> list[str]:
    """Say what else differs between the two points than the commit."""
    before, after = (texts_of(scene.event[name]) for name in ("identity_before", "identity_after"))
    pairs = sorted({pair for pair in zip(before, after, strict=True) if all(pair)})
    told = [f"the BLAS library went from {old} to {new}" for old, new in pairs if old != new]
    return told + [f"packages changed: {one}" for one in distinct(scene.event["packages_changed"])]


def _of_all(noun: str, some: Sequence[str], others: Iterable[str]) -> str:
    """Count the builds with the change among all: "both BLAS builds", "mkl only"."""
    every = len({*some, *others})
    if len(some) < 2:
        return f"{some[0]} only" if every > 1 and some else ""
    return f"both {noun}s" if every == 2 else f"{len(some)} of {every} {noun}s"


def _histories(some: int, every: int) -> str:
    return f"{some} of {every} {'history' if every == 1 else 'histories'}"


def _listed(names: Sequence[str]) -> str:
    """Write names as one would say them: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
