"""Pages of the checkout that lie outside docs/, and those that a checkout may lack.

``project/NAME.md`` stands for a file of another folder: here it has the file's text, and links to
that file lead to the page. A table of contents passes over pages that are not there.
"""

import os
import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.directives.other import TocTree

ROOT = Path(__file__).parents[2]
PAGES = {
    "CONTRIBUTING.md": "project/contributing",
    "SECURITY.md": "project/security",
    "CHANGELOG.md": "project/changelog",
    "reports/README.md": "project/publishing",
}
"""The page that shows a file."""

BEGIN = {"README.md": "index"}
"""Another page for the same reader: links to the file lead there."""

LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)[^)\s]+")  # relative, in Markdown's ](...)


class Contents(TocTree):
    """A `toctree` without the pages that this checkout lacks."""

    def run(self) -> list[nodes.Node]:
        """Keep what is found."""
        self.content = [name for name in self.content if name.strip() in self.env.found_docs]
        return super().run()


def exclude_absent(_: Sphinx, config: Config) -> None:
    """Leave out the pages whose file is not there."""
    absent = [page for file, page in PAGES.items() if not (ROOT / file).exists()]
    config.exclude_patterns += [f"{page}.md" for page in absent]


def show_file(app: Sphinx, page: str, source: list[str]) -> None:
    """Give a page the text of the file that it stands for."""
    file = next((ROOT / file for file, shown in PAGES.items() if shown == page), None)
    if file is None:
        return
    folder = (Path(app.srcdir) / page).parent

    def from_page(link: re.Match[str]) -> str:
        return os.path.relpath(file.parent / link[0], folder)

    source[0] = LINK.sub(from_page, file.read_text("utf-8"))
    app.env.note_dependency(str(file), docname=page)


def lead_to_pages(app: Sphinx, document: nodes.document) -> None:
    """Let links to a file lead to its page."""
    pages = {str(ROOT / file).removesuffix(".md"): page for file, page in (PAGES | BEGIN).items()}
    for link in document.findall(pending_xref):
        if link.get("refdomain") == "doc":
            target = (Path(app.srcdir) / link["reftarget"]).resolve()
            link["reftarget"] = pages.get(str(target), link["reftarget"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all of it."""
    app.add_directive("contents", Contents)
    app.connect("config-inited", exclude_absent)
    app.connect("source-read", show_file)
    app.connect("doctree-read", lead_to_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
