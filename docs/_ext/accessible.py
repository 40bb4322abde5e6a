"""What Sphinx and the theme leave out of their HTML for those who don't see it or have no mouse.

Done on the finished pages: the theme has no other place for it. A second time changes nothing.
"""

from pathlib import Path

from sphinx.application import Sphinx

REPLACED = {
    # A heading has a level; two asides are told apart.
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside aria-label="Pages" class="sidebar-drawer">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
    # What may scroll sideways is reached by the keyboard.
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    # An empty corner of a table heads nothing.
    '<th class="head"><p></p></th>': "<td></td>",
    '<div id="search-results"></div>': '<h1>Search</h1>\n<div id="search-results" ></div>',
}


def mend(app: Sphinx, exception: Exception | None) -> None:
    """Mend every page."""
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text("utf-8")
        for faulty, good in REPLACED.items():
            text = text.replace(faulty, good)
        page.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Mend pages when all are written."""
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
