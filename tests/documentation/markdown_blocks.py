"""Blocks of code in the project's Markdown, and what a page says of those that are not run.

A block is run by a test, or a comment before it (of the page: in its first lines) says why not:
``<!-- not run: REASON -->``, ``<!-- page not run: REASON -->``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.glob("*.md"), *DOCS.glob("reference/*.md"), ROOT / "README.md"]
    + [page for page in (ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md") if page.exists()]
    + [ROOT / "reports/README.md"]
)
REASON = re.compile(r"<!-- (page )?not run: (.+?) -->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code: its language ("" of an indented one), its first line, why it isn't run."""

    page: Path
    line: int
    language: str
    text: str
    reason: str

    @property
    def name(self) -> str:
        """Where it stands."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_code(self) -> bool:
        """Whether it holds something to run: Python, or a command of ours."""
        if self.language in ("python", "bash", "console"):
            return True
        lines = self.text.splitlines()
        return not self.language and any(
            re.match(r"(>>> |(\S+/)?(convbench|pip|make|pytest|python3?|asv|snakemake) )", line)
            for line in lines
        )


def blocks(page: Path) -> Iterator[Block]:
    """Give the blocks of a page in order."""
    whole, reason = "", ""
    for token in MarkdownIt("commonmark").parse(page.read_text("utf-8")):
        if token.type == "html_block" and (found := REASON.search(token.content)):
            whole, reason = (found[2], reason) if found[1] else (whole, found[2])
        elif token.type in ("fence", "code_block"):
            assert token.map is not None
            language = token.info.split()[0] if token.info.strip() else ""
            yield Block(page, token.map[0] + 1, language, token.content, reason or whole)
            reason = ""
        elif token.type == "inline":
            reason = ""


def every_block() -> list[Block]:
    """Give all blocks that hold something to run."""
    return [block for page in PAGES for block in blocks(page) if block.is_code]
