"""Draw the dashboard from a store."""

import argparse
from collections.abc import Callable
from pathlib import Path

from convbench.errors import BadUsage
from convbench.report.measurements import read_measurements
from convbench.report.site import is_site, write_site

SUMMARY = "draw the static dashboard from a store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench report`."""
    parser.add_argument("store", type=Path, help="the folder that `convbench collect` wrote")
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
        "--repo-url",
        default="",
        metavar="URL",
        help="link commits to URL/commit/<hash> (default: no links)",
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
    measurements = read_measurements(arguments.store, project=arguments.project)
    index = write_site(
        measurements,
        arguments.output,
        plotly_bundle=arguments.plotly_bundle,
        repo_url=arguments.repo_url,
    )
    say(str(index))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.store.is_dir():
        raise BadUsage(
            f"there is no store at {arguments.store}; `convbench collect RESULTS --store "
            f"{arguments.store}` makes one"
        )
    # Links come from data: anything but a web address could run a script when clicked.
    if arguments.repo_url and not arguments.repo_url.startswith(("https://", "http://")):
        raise BadUsage(
            f"--repo-url must start with https:// or http://; got {arguments.repo_url!r}"
        )
    bundle = arguments.plotly_bundle
    if bundle is not None and not bundle.is_file():
        raise BadUsage(f"--plotly-bundle must be a JavaScript file; there is none at {bundle}")
    output = arguments.output
    if output.exists() and any(output.iterdir()) and not is_site(output):
        # The folder is replaced as a whole: never one that holds something else.
        raise BadUsage(f"--output {output} holds files that are no site; give another folder")
