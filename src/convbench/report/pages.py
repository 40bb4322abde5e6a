"""From measurements to the text of the one document; pure: equal input gives equal text."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from convbench.report.about import About, build_about
from convbench.report.builds_compared import BuildsCompared, build_comparisons
from convbench.report.compared import Compared, build_compared
from convbench.report.coverage import Coverage, build_coverage
from convbench.report.data_files import LINE_ENDS, script
from convbench.report.events import EventsView, build_events
from convbench.report.fragments import fragment_files, section_attributes
from convbench.report.history import History, build_history
from convbench.report.machines import Machines, build_machines
from convbench.report.matrix import Matrix, build_matrices, shown_measures
from convbench.report.measurements import Measurements
from convbench.report.overview import Overview, build_overview
from convbench.report.paradox import Paradox, build_paradoxes
from convbench.report.provenance import package_versions
from convbench.report.readable import quantity, seconds, significant, times
from convbench.report.roofline import Rooflines, build_rooflines
from convbench.report.scripts import early_script, needs_of
from convbench.report.series import Series
from convbench.report.trust import build_trust

TEMPLATES = Path(__file__).parent / "templates"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but for tab and newline: HTML allows none, and a terminal acts on them."""


@dataclass(frozen=True, slots=True)
class Views:
    """What the views show; a view without data is None or empty, and then not in the document."""

    overview: Overview
    events: EventsView | None
    history: History | None
    matrices: tuple[Matrix, ...]
    paradoxes: tuple[Paradox, ...]
    compared: Compared | None
    builds: BuildsCompared | None
    rooflines: Rooflines | None
    coverage: Coverage | None
    machines: Machines | None
    about: About | None = None


def build_views(measurements: Measurements, series: Sequence[Series], repo_url: str = "") -> Views:
    """Build all views."""
    matrices = build_matrices(measurements, series)
    events = build_events(measurements, series, repo_url)
    overview = build_overview(measurements, series, matrices, repo_url, events)
    trust = build_trust(measurements, overview.runs)
    views = Views(
        overview,
        events,
        build_history(measurements, series, matrices, repo_url),
        matrices,
        build_paradoxes(measurements, series),
        build_compared(measurements, series),
        build_comparisons(measurements, series),
        build_rooflines(measurements, series, matrices),
        build_coverage(measurements, overview.outcomes, trust),
        build_machines(measurements, series, overview.outcomes, overview.machines, trust, repo_url),
    )
    # A part of Coverage that needs runs or a null control, and has words of its own.
    parts = ("trust",) if trust and views.coverage else ()
    return replace(views, about=build_about(measurements, (*shown_views(views), *parts)))


VIEW_NAMES = {
    "events": "changes",
    "matrices": "matrix",
    "paradoxes": "why",
    "compared": "compare",
    "builds": "blas",
    "rooflines": "roofline",
}
"""Views whose address is not the name of their field."""


def shown_views(views: Views) -> tuple[str, ...]:
    """Give the addresses of the views that are in the document."""
    present = (field.name for field in fields(views) if getattr(views, field.name))
    return tuple(VIEW_NAMES.get(name, name) for name in present)


def _addresses(views: Views) -> tuple[str, ...]:
    """Give the views of the document, with that of one event, which has no link in the header."""
    return (*shown_views(views), *(["event"] if views.events else []))


def render_index(measurements: Measurements, views: Views, *, version: str, plotly: str) -> str:
    """Render the document; a control character in any name shows as U+FFFD."""
    newest = measurements.commits[-1] if measurements.commits else None
    document = (
        environment()
        .get_template("index.html.j2")
        .render(
            project=measurements.project,
            min_commits=measurements.min_commits,
            newest=newest,
            commits=len(measurements.commits),
            values=int((measurements.newest["status"] == "ok").sum()),
            packages=package_versions(measurements),
            version=version,
            plotly=plotly,
            views=views,
            early=early_script(),
            needs={view: needs_of(view) for view in _addresses(views)},
        )
    )
    return _printable(document)


def _printable(document: str) -> str:
    return _CONTROL.sub("\ufffd", document)


def render_fragments(views: Views) -> dict[str, str]:
    """Render the files of all variants and of the later events, by their path in the site."""
    variants: dict[str, Sequence[object]] = {
        "matrix": views.matrices,
        "why": views.paradoxes,
        "roofline": views.rooflines.variants if views.rooflines else (),
        "blas": views.builds.variants if views.builds else (),
        "machines": views.machines.comparisons if views.machines else (),
    }
    files = fragment_files(variants, environment(), _printable, views=views)
    if views.events and views.events.later_rows:
        template = environment().get_template("event_rows.html.j2")
        rows = _printable(template.render(rows=views.events.later_rows, views=views))
        # Names in it are escaped already, as in the fragments.
        files["data/changes.js"] = script("changes", rows, LINE_ENDS)
    return files


@functools.cache  # compiled templates are kept in it
def environment() -> jinja2.Environment:
    """Give the templates' environment: everything is escaped, nothing may be missing."""
    templates = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "seconds": seconds,
        "times": times,
        "significant": significant,
        "quantity": quantity,
        "breakable": breakable,
        "shown_measures": shown_measures,
    }
    templates.globals["section_attributes"] = section_attributes
    return templates


_LINE = re.compile(r"\A.{1,12}\Z|.{1,14}[._](?=.)|.+?[._](?=.)|.+\Z", re.DOTALL)
"""What of a name may stand on a line of its own: as much as a narrow column has room for."""


def breakable(name: str) -> Markup:
    """Let a long name wrap after dots and underscores, and stay one word when it is copied."""
    return Markup("<wbr>").join(map(escape, _LINE.findall(name)))
