"""What the words and figures of the site mean and how to read them, and what made it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from convbench.report.builds import SHORT_SHA
from convbench.report.glossary import GROUPS, VIEWS
from convbench.report.glossary_entries import Group, Term, ViewLink
from convbench.report.measurements import Measurements, text
from convbench.report.naming import records
from convbench.report.provenance import Fact


@dataclass(frozen=True, slots=True)
class About:
    """The view: the other views of this site, the words they use, and what made the numbers."""

    views: tuple[ViewLink, ...]
    groups: tuple[Group, ...]
    origins: tuple[Fact, ...]


def build_about(measurements: Measurements, shown: Collection[str]) -> About:
    """Build the view for a site with these views; words of others are left out."""
    groups = (replace(group, terms=tuple(_known(group.terms, shown))) for group in GROUPS)
    return About(
        tuple(link for link in VIEWS if link.view in shown),
        tuple(group for group in groups if group.terms),
        tuple(_origins(measurements)),
    )


def _known(terms: Collection[Term], shown: Collection[str]) -> Iterator[Term]:
    for term in terms:
        if not term.needs or term.needs in shown:
            yield term if term.view in shown else replace(term, view="")


def _origins(measurements: Measurements) -> Iterator[Fact]:
    """Tell what the newest run of each machine was made with; each once."""
    runs = measurements.tables["runs"].sort_values(["machine", "started_at", "run"], kind="stable")
    newest = records(runs.drop_duplicates("machine", keep="last"))
    for name, column in (
        ("asv", "asv_version"),
        ("Python of convbench measure", "python"),
        ("Lock file, SHA-256", "lock_sha256"),
    ):
        machines: dict[str, list[str]] = {}
        for run in newest:
            if said := text(run[column]):
                machines.setdefault(said, []).append(text(run["machine"]))
        for said, on in machines.items():
            where = f" ({', '.join(on)})" if len(machines) > 1 else ""
            shown = said[:SHORT_SHA] if column == "lock_sha256" else said
            yield Fact(name + where, shown, said)
