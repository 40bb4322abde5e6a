"""Addresses within the site: every view's state is in the part after the #."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from convbench.report.series import Series

# Query keys that a view uses itself; a benchmark's parameter of that name gets a prefix.
RESERVED = frozenset(
    {"measure", "machine", "blas", "by", "along", "at", "values", "scale", "hidden", "from", "to"}
    | {"run", "line", "of", "run2", "line2", "of2", "samples"}
)


def parameter_key(name: str) -> str:
    """Give the query key of a benchmark's parameter."""
    return f"param.{name}" if name in RESERVED else name


def view_link(view: str, state: Mapping[str, str]) -> str:
    """Link to a view in a state; empty values are left out."""
    query = urlencode({key: value for key, value in state.items() if value}, quote_via=quote)
    return f"#/{view}?{query}" if query else f"#/{view}"


def history_link(series: Series, machine: str = "") -> str:
    """Link to the history of one series, on one machine or as the page chooses."""
    params = {parameter_key(name): value for name, value in series.params}
    return view_link("history", {"measure": series.measure, **params, "machine": machine})


COMMIT = "{commit}"
"""What stands for a commit's hash in a template of addresses."""


def link_template(repo_url: str) -> str:
    """Give the template of commits' addresses: as it was given, or as most hosts have it.

    `repo_url` is a template that has `COMMIT` in it, or the address of a repository; empty gives
    empty.
    """
    if not repo_url or COMMIT in repo_url:
        return repo_url
    return f"{repo_url.rstrip('/')}/commit/{COMMIT}"


def commit_link(repo_url: str, commit: str) -> str:
    """Link to a commit at its host (see `link_template`); empty without one."""
    return link_template(repo_url).replace(COMMIT, quote(commit, safe=""))


# A folder: with a query or a fragment, nothing could be added to it.
_SITE = re.compile(r"https?://[^/?#\s{}]+(?:/[^?#\s{}]*)?")


def is_site_url(address: str) -> bool:
    """Tell whether this is the address of a folder that a view's part after the # can follow."""
    return bool(_SITE.fullmatch(address))


def compare_link(site_url: str, base: str, head: str) -> str:
    """Give the address of a published site's Compare with two commits; empty without any of them.

    The view finds commits by any beginning of their hashes. Brackets are quoted, so that the
    address can stand in Markdown.
    """
    if not (site_url and base and head):
        return ""
    folder = quote(site_url.rstrip("/"), safe=":/%~@!$&'*+,;=-._")
    return f"{folder}/{view_link('compare', {'base': base, 'head': head})}"
