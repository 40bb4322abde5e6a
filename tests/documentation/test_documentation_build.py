"""The documentation builds without a warning, and nothing in it leads nowhere."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from documentation_build import Built, build
from markdown_blocks import DOCS, ROOT

from convbench import cli
from convbench.report.glossary import GROUPS, VIEWS

OPTIONAL = ("ci", "cluster", "sharing", "releasing")
# Of what lies outside docs/, what the documentation shows.
SHOWN = ("workflow/schemas", "src/convbench/report/assets", "reports/README.md", "CONTRIBUTING.md")


class Page(HTMLParser):
    """The links of a page and what they may lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.ids |= {value for value in (given.get("id"), given.get("name")) if value}
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        elif tag == "img":
            self.pictures.append(given)
        for name in ("src", "srcset", "data"):
            if given.get(name):
                self.loaded.append(str(given[name]))
        if tag == "link" and given.get("rel") != "canonical" and given.get("href"):
            self.loaded.append(str(given["href"]))


def test_the_build_has_no_warning(built: Built) -> None:
    assert (built.code, built.said) == (0, "")
    assert len(built.pages) >= 20


def test_every_internal_link_leads_to_a_file_and_an_anchor(built: Built) -> None:
    read = {page: Page(page) for page in built.pages}
    lost = []
    for page, content in read.items():
        for link in [*content.links, *content.loaded]:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchors = read[target].ids if target in read else None
            if not target.is_file() or (
                parts.fragment and anchors is not None and unquote(parts.fragment) not in anchors
            ):
                lost.append(f"{page.relative_to(built.folder)}: {link}")

    assert lost == []


def test_links_are_relative_and_nothing_is_loaded_from_elsewhere(built: Built) -> None:
    for page in built.pages:
        content = Page(page)

        assert [link for link in content.loaded if urlsplit(link).scheme not in ("", "data")] == []
        assert [link for link in content.links if link.startswith("/")] == []
    for style in built.folder.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text("utf-8")), style


def test_pages_that_others_bring_are_taken_up(tmp_path: Path) -> None:
    """A checkout may have them or not; with them they stand in the table of contents."""
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("_build"))
    for name in SHOWN:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, target)
    (tmp_path / "SECURITY.md").write_text("# Threats\n\n[How to help](CONTRIBUTING.md)\n")
    for name in OPTIONAL:
        (tmp_path / f"docs/{name}.md").write_text(
            f"# All about {name}\n\n[security](../SECURITY.md)\n"
        )

    built = build(tmp_path / "docs", tmp_path / "html")

    assert (built.code, built.said) == (0, "")  # without CHANGELOG.md, too
    index = (built.folder / "index.html").read_text()
    assert [name for name in OPTIONAL if f"All about {name}" not in index] == []
    assert "Threats" in index
    assert 'href="project/security.html"' in index
    assert 'href="contributing.html"' in (built.folder / "project/security.html").read_text()


def test_every_command_has_a_section_with_all_its_arguments(built: Built) -> None:
    page = (built.folder / "reference/commands.html").read_text()
    parser = cli.parser()
    (commands,) = (action.choices for action in parser._actions if action.dest == "command")
    assert commands is not None

    for name in cli.COMMANDS:
        assert f'id="{name}"' in page
        for action in commands[name]._actions:  # type: ignore[index]
            for option in action.option_strings:
                assert option in page


def test_every_table_key_and_word_is_in_the_reference(built: Built) -> None:
    from convbench.results.schema import SCHEMAS

    store = (built.folder / "reference/store.html").read_text()
    words = (built.folder / "reference/words.html").read_text()
    for name, columns in SCHEMAS.items():
        assert f'id="{name}"' in store
        assert all(f">{column}<" in store for column in columns.names)
    for group in GROUPS:
        assert all(f">{term.word}<" in words for term in group.terms)


def sections(page: Path) -> dict[str, str]:
    """Split a Markdown page at its headings of the second level."""
    parts = re.split(r"^## (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def views_of_the_site() -> dict[str, str]:
    """Name the views that templates draw, as the site's own menus name them."""
    templates = ROOT / "src/convbench/report/templates"
    drawn = {
        found[1]
        for template in templates.glob("*.j2")
        if (found := re.search(r'data-view="(\w+)"', template.read_text("utf-8")))
    }
    names = {view.view: view.name for view in VIEWS}
    return {view: names.get(view, view.capitalize()) for view in drawn}


def test_every_view_has_a_section_with_its_question_a_picture_and_what_to_do_next() -> None:
    views, found = views_of_the_site(), sections(DOCS / "pages.md")

    assert set(found) == set(views.values())
    assert len(views) >= 12
    for view, name in views.items():
        text = found[name]
        assert re.match(r"\s+\*\*[^*]+\?\*\*", text), f"{name} does not begin with a question"
        assert f"](pictures/views/{view}.webp)" in text
        assert "**Next:**" in text


def test_sections_use_the_words_of_the_glossary() -> None:
    """A word that About says is met in a view stands in its section; every word is one of them."""
    views, found = views_of_the_site(), sections(DOCS / "pages.md")
    terms = [term for group in GROUPS for term in group.terms]
    known = {term.word for term in terms}
    for view, name in views.items():
        lines = re.findall(r"^Words: (.+)$", found[name], flags=re.MULTILINE)
        said = set(re.findall(r"\*([^*]+)\*", " ".join(lines)))

        assert said <= known, name
        assert {term.word for term in terms if term.view == view} <= said, name


def test_every_picture_is_there_used_and_described() -> None:
    used = set()
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md"]:
        text = re.sub(r"\s+", " ", page.read_text("utf-8"))
        for words, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text):
            if not urlsplit(path).scheme:
                used.add((page.parent / path).resolve())
                assert len(words) >= 30, f"{page.name}: {path} needs words"
    drawn = {path for path in (DOCS / "pictures").rglob("*") if path.is_file()}

    assert drawn <= used
    assert all(path.is_file() for path in used)
    assert all(path.stat().st_size <= 100_000 for path in drawn)
