"""From measurements to the text of the one document; pure: equal input gives equal text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from convbench.report.history import History, build_history
from convbench.report.matrix import Matrix, build_matrices
from convbench.report.measurements import Measurements
from convbench.report.overview import Overview, build_overview
from convbench.report.paradox import Paradox, build_paradoxes
from convbench.report.provenance import package_versions
from convbench.report.readable import quantity, seconds, significant, times
from convbench.report.series import Series
from convbench.report.trust import Trust, build_trust

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Views:
    """What the views show; a view without data is None or empty, and then not in the document."""

    overview: Overview
    history: History | None
    matrices: tuple[Matrix, ...]
    paradoxes: tuple[Paradox, ...]
    trust: Trust | None


def build_views(measurements: Measurements, series: Sequence[Series], repo_url: str = "") -> Views:
    """Build all views."""
    matrices = build_matrices(measurements, series)
    overview = build_overview(measurements, series, matrices, repo_url)
    return Views(
        overview,
        build_history(measurements, series, matrices, repo_url),
        matrices,
        build_paradoxes(measurements, series),
        build_trust(measurements, overview.runs),
    )


def render_index(measurements: Measurements, views: Views, *, version: str, plotly: str) -> str:
    """Render the document."""
    newest = measurements.commits[-1] if measurements.commits else None
    return (
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
        )
    )


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
    }
    return templates


def breakable(name: str) -> Markup:
    """Let a long name wrap after its dots and underscores, and stay one word when it is copied."""
    escaped = str(escape(name))
    for sign in "._":
        escaped = escaped.replace(sign, f"{sign}<wbr>")
    return Markup(escaped)  # escaped above
