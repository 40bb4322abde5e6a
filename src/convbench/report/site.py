"""Write the site: built whole in a folder beside, then put in place, unchanged files untouched."""

import filecmp
import shutil
import tempfile
from dataclasses import replace
from importlib import metadata, resources
from pathlib import Path

from convbench.report.compare_data import compare_files
from convbench.report.data_files import data_files
from convbench.report.event_files import event_files
from convbench.report.event_page import build_event_pages
from convbench.report.holes_file import holes_file
from convbench.report.measurements import Measurements
from convbench.report.newest_file import newest_file
from convbench.report.offers import offered_files
from convbench.report.pages import build_views, render_fragments, render_index
from convbench.report.scripts import ASSETS, script_files
from convbench.report.series import build_series

PLAIN = ("style.css", "icon.svg")
"""Assets that are copied as they are."""


def site_files(
    measurements: Measurements, repo_url: str = "", title: str = "", site_url: str = ""
) -> dict[str, str]:
    """Make the text of every generated file, by its path in the site; pure.

    `repo_url` is as in `links.link_template`; `title` is the site's, by default the project;
    `site_url` is where the site will lie, for links that leave it: those of the feed.
    """
    series = build_series(measurements)
    views = build_views(measurements, series, repo_url)
    titled = replace(measurements, project=title or measurements.project)
    index = render_index(
        titled,
        views,
        version=metadata.version("convbench"),
        plotly=metadata.version("plotly"),
    )
    files = data_files(titled, series, views.matrices, views.paradoxes, repo_url)
    name = titled.project or "convbench"
    rows = views.events.every if views.events else ()
    offers = offered_files(
        measurements, series, rows, views.overview, name, repo_url=repo_url, site_url=site_url
    )
    events = event_files(build_event_pages(measurements, series, rows, repo_url))
    return {
        "index.html": index,
        **render_fragments(views),
        **files,
        **newest_file(views.overview.newest),
        **holes_file(views.coverage),
        **compare_files(views.compared),
        **events,
        **offers,
    }


def write_site(
    measurements: Measurements,
    output: Path,
    *,
    plotly_bundle: Path | None = None,
    repo_url: str = "",
    title: str = "",
    site_url: str = "",
) -> Path:
    """Write the site and return the path of its index.

    A reader of the old site never sees half of the new one, and a file whose bytes did not change
    keeps its time, so that copying tools skip it.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
        fresh = Path(folder) / "site"
        (fresh / "assets").mkdir(parents=True)
        for name in PLAIN:
            shutil.copyfile(ASSETS / name, fresh / "assets" / name)
        generated = site_files(measurements, repo_url, title, site_url)
        for path, text in (script_files() | generated).items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_text(text, encoding="utf-8", newline="\n")
        shutil.copyfile(plotly_bundle or installed_bundle(), fresh / "plotly.min.js")
        _keep_unchanged(output, fresh)
        if output.exists():
            output.rename(Path(folder) / "old")
        fresh.rename(output)
    return output / "index.html"


def is_site(folder: Path) -> bool:
    """Tell whether a folder holds a site of ours, whole or without its index."""
    return (folder / "plotly.min.js").is_file() and (folder / "assets" / "app.js").is_file()


def installed_bundle() -> Path:
    """Give plotly.py's own copy of Plotly, which matches it by construction."""
    return Path(str(resources.files("plotly") / "package_data" / "plotly.min.js"))


def _keep_unchanged(old: Path, fresh: Path) -> None:
    """Give files that did not change their old times, but for the index: it tells when."""
    for path in fresh.rglob("*"):
        before = old / path.relative_to(fresh)
        if (
            path.name != "index.html"
            and path.is_file()
            and before.is_file()
            and filecmp.cmp(path, before, shallow=False)
        ):
            shutil.copystat(before, path)
