"""Draw the dashboard: static pages of a store, which need no server and no network.

The folder is replaced as a whole. Same store, same bytes. Beside the pages lie events.atom,
summary.json and badges.
"""

import argparse
import gc
import re
from collections.abc import Callable
from pathlib import Path

from convbench.errors import BadUsage
from convbench.report.links import is_site_url
from convbench.report.measurements import read_measurements
from convbench.report.site import is_site, write_site
from convbench.results.triage_file import read_triage

# Anything but a web address could run a script when clicked; a host that data name could be any.
_REPOSITORY = re.compile(r"https?://[^/\s{}]+[^\s{}]*")
_TEMPLATE = re.compile(r"https?://[^/?#\s{}]+[/?#][^\s{}]*\{commit\}(?:[^\s{}]|\{commit\})*")

EXAMPLES = r"""
convbench report store/
convbench report results/store --output public --title "Nightly" \
    --repo-url https://example.org/project

# for a web address, and a forge whose commits have other addresses
convbench report store/ --site-url https://example.org/bench \
    --link-template "https://example.org/project/-/commit/{commit}"
"""
SEE_ALSO = "docs/dashboards.md; reports/README.md; convbench open"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench report`."""
    parser.add_argument(
        "store", metavar="STORE", type=Path, help="the folder that `convbench collect` wrote"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("reports/site"),
        metavar="DIR",
        help="the site's folder, replaced as a whole (default: reports/site)",
    )
    parser.add_argument(
        "--project", help="which project to draw, when the store holds more than one"
    )
    parser.add_argument(
        "--triage",
        type=Path,
        metavar="FILE",
        help="what was decided about events (default: ./triage.toml, if it is there)",
    )
    parser.add_argument(
        "--repo-url",
        default="",
        metavar="URL",
        help="link commits to URL/commit/<hash> (default: no links)",
    )
    parser.add_argument(
        "--link-template",
        default="",
        metavar="URL",
        help="link commits to URL, in which {commit} stands for the hash",
    )
    parser.add_argument(
        "--title", default="", metavar="TEXT", help="title of the site (default: the project)"
    )
    parser.add_argument(
        "--site-url",
        default="",
        metavar="URL",
        help="the folder where the site will lie on the web, for absolute links in its feed "
        "(default: links relative to the feed)",
    )
    parser.add_argument(
        "--plotly-bundle",
        type=Path,
        metavar="FILE",
        help="a smaller Plotly bundle, such as plotly-basic (default: the installed plotly's own)",
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Write the site and say where it is."""
    _check(arguments)
    triage = read_triage(arguments.triage)
    # What a site is made of is held to its end, in few cycles: looking for some takes a tenth.
    gc.disable()
    try:
        measurements = read_measurements(arguments.store, project=arguments.project, triage=triage)
        index = write_site(
            measurements,
            arguments.output,
            plotly_bundle=arguments.plotly_bundle,
            repo_url=arguments.link_template or arguments.repo_url,
            title=arguments.title.strip(),
            site_url=arguments.site_url,
        )
    finally:
        gc.enable()
    say(str(index))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.store.is_dir():
        raise BadUsage(
            f"there is no store at {arguments.store}; `convbench collect RESULTS --store "
            f"{arguments.store}` makes one"
        )
    _check_links(arguments.repo_url, arguments.link_template)
    if arguments.site_url and not is_site_url(arguments.site_url):
        raise BadUsage(
            "--site-url must be the address of a folder, such as https://example.org/benchmarks/; "
            f"got {arguments.site_url!r}"
        )
    bundle = arguments.plotly_bundle
    if bundle is not None and not bundle.is_file():
        raise BadUsage(f"--plotly-bundle must be a JavaScript file; there is none at {bundle}")
    output = arguments.output
    if output.exists() and any(output.iterdir()) and not is_site(output):
        # The folder is replaced as a whole: never one that holds something else.
        raise BadUsage(f"--output {output} holds files that are no site; give another folder")


def _check_links(repo_url: str, link_template: str) -> None:
    if repo_url and link_template:
        raise BadUsage("give --repo-url or --link-template, not both: each says where commits are")
    if repo_url and not _REPOSITORY.fullmatch(repo_url):
        raise BadUsage(
            "--repo-url must start with https:// or http:// and have no spaces and no braces; "
            f"got {repo_url!r}"
        )
    if link_template and not _TEMPLATE.fullmatch(link_template):
        raise BadUsage(
            "--link-template must start with https:// or http://, name the host, and have "
            "{commit} after it, such as https://example.org/project/-/commit/{commit}; "
            f"got {link_template!r}"
        )
