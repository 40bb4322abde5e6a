"""Directives whose text is made from the code: commands, configuration, store, words.

Each makes Markdown, which the page's own parser reads, so that headings become link targets.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from convbench import cli
from convbench.report.glossary import GROUPS
from convbench.results import schema

CONFIGURATION = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"
TYPES = {
    **{schema.TEXT: "text", schema.NAME: "text", schema.TEXTS: "list of texts"},
    **{schema.PAIRS: "map of text to text", schema.TIME: "time in UTC, in milliseconds"},
    **{schema.COUNT: "whole number", schema.NUMBER: "number", schema.FLAG: "yes or no"},
}


class Generated(SphinxDirective):
    """A directive without arguments that stands for Markdown."""

    def run(self) -> list[nodes.Node]:
        """Parse what the directive stands for."""
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)

    def lines(self) -> Iterator[str]:
        """Write the lines of Markdown."""
        raise NotImplementedError


def code(text: object) -> str:
    """Write text as Markdown's code."""
    return f"`{text}`"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Write a Markdown table, in which a bar is no border of a cell."""
    heads = list(heads)
    for cells in (heads, ["---"] * len(heads), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


class Commands(Generated):
    """Every command with its arguments, as its own parser knows them."""

    def lines(self) -> Iterator[str]:
        """Write a section for each command."""
        for name, parser in parsers().items():
            yield from self._command(name, parser)

    def _command(self, name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
        yield from (f"## {name}", "", sentence(parser.description or ""), "")
        yield from fenced(parser.format_usage().removeprefix("usage: "))
        for group in parser._action_groups:
            yield from self._group(parser, group)
        if parser.epilog:
            # Formatted by whoever wrote it where the parser says so, else flowing text.
            kept = parser.formatter_class is not argparse.HelpFormatter
            yield from fenced(parser.epilog) if kept else (parser.epilog, "")

    def _group(
        self, parser: argparse.ArgumentParser, group: argparse._ArgumentGroup
    ) -> Iterator[str]:
        shown = [action for action in group._group_actions if action.help != argparse.SUPPRESS]
        shown = [action for action in shown if action.dest != "help"]
        if not shown:
            return
        if group.title not in ("positional arguments", "options"):
            yield from (f"{group.title}:", "")
        yield from table(
            ("argument", "what it does"),
            ((code(words_of(parser, action)), help_of(parser, action)) for action in shown),
        )


def sentence(text: str) -> str:
    """Write a summary as a sentence; a whole text stays as it is."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if "\n" not in text else text


def fenced(text: str) -> Iterator[str]:
    """Write text as it stands."""
    yield from ("```text", *text.strip("\n").splitlines(), "```", "")


def parsers() -> Mapping[str, argparse.ArgumentParser]:
    """Return each command's parser by the command's name."""
    whole = cli.parser()
    commands = next(
        action for action in whole._actions if isinstance(action, argparse._SubParsersAction)
    )
    return commands.choices


def words_of(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Write how an argument is given, like ``--store DIR``."""
    formatter = parser._get_formatter()
    value = formatter._format_args(action, formatter._get_default_metavar_for_optional(action))
    if not action.option_strings:
        return action.metavar if isinstance(action.metavar, str) else action.dest
    return " ".join(filter(None, (", ".join(action.option_strings), value)))


def help_of(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Write an argument's help with its default filled in."""
    return " ".join(parser._get_formatter()._expand_help(action).split()) if action.help else ""


class Configuration(Generated):
    """Every key of the workflow's configuration, from the schema that checks it."""

    def lines(self) -> Iterator[str]:
        """Write one table."""
        keys = yaml.safe_load(CONFIGURATION.read_text("utf-8"))["properties"]
        yield from table(
            ("key", "accepted", "default", "meaning"),
            (
                (code(name), accepted(key), code(plain(key.get("default"))), key["description"])
                for name, key in keys.items()
            ),
        )


def accepted(key: Mapping[str, Any]) -> str:
    """Say what values a key takes."""
    if "enum" in key:
        return ", ".join(code(choice) for choice in key["enum"])
    if key["type"] == "array":
        return f"list of {accepted(key['items'])}"
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "yes or no",
    }
    limits = {"minimum": "from {}", "exclusiveMinimum": "above {}", "pattern": "like `{}`"}
    said = (limits[name].format(key[name]) for name in limits if name in key)
    return ", ".join((words.get(key["type"], key["type"]), *said))


def plain(value: object) -> str:
    """Write a default as a configuration file has it."""
    written = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return str(written).removesuffix("...\n").strip()


class StoreTables(Generated):
    """Every table of the store: its key and its columns."""

    def lines(self) -> Iterator[str]:
        """Write a section for each table."""
        for name, columns in schema.SCHEMAS.items():
            yield from (f"## {name}", "", f"Key: {', '.join(map(code, schema.KEYS[name]))}.", "")
            maybe = schema.MAYBE_COUNTS.get(name, ())
            yield from table(
                ("column", "holds"), ((code(one.name), held(one, maybe)) for one in columns)
            )


def held(column: pa.Field, maybe: Iterable[str]) -> str:
    """Say what a column holds."""
    return TYPES[column.type] + (", or nothing" if column.name in maybe else "")


class Words(Generated):
    """The words of the site, as its page About defines them."""

    def lines(self) -> Iterator[str]:
        """Write a section for each group of words."""
        for group in GROUPS:
            yield from (f"## {group.title}", "")
            for term in group.terms:
                meaning = " ".join(filter(None, (term.means, term.reading)))
                yield from (f"### {term.word}", "", meaning, "")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("commands", Commands)
    app.add_directive("configuration", Configuration)
    app.add_directive("store-tables", StoreTables)
    app.add_directive("words", Words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
