"""The text of a triage file with one entry changed: comments, order and other entries stay.

TOML is cut into pieces that are TOML by themselves: as many lines as it takes. So no line of a
longer reason is taken for a key, and no `#` in it for a comment. What a cut can't tell is for the
caller to find out, who parses the outcome.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping

_HEADER = re.compile(r"""[ \t]*\[\[[ \t]*(event|"event"|'event')[ \t]*\]\]""")


def with_table(text: str, table: Mapping[str, str]) -> str:
    """Replace the table `[[event]]` with the same id in a document, or add one at the end.

    Parameters
    ----------
    text
        A triage file.
    table
        The keys of an entry, in the order in which they are to be written; `id` among them.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    pieces = list(_cut(text, lambda line: _HEADER.match(line) is not None))
    for place, piece in enumerate(pieces):
        if any(keys.get("id") == table["id"] for keys, _ in _statements(piece)):
            pieces[place] = _changed(piece, table, newline)
            return "".join(pieces)
    gap = newline if text.strip() else ""
    return _ended(text, newline) + gap + f"[[event]]{newline}{_written(table, newline)}"


def _cut(text: str, begins: Callable[[str], bool]) -> Iterator[str]:
    """Cut before each line that may begin a piece, where what stands before it is TOML."""
    piece = ""
    # Other signs that Python takes for the end of a line may stand in a comment.
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if piece and begins(line) and _parsed(piece) is not None:
            yield piece
            piece = ""
        piece += line
    yield piece


def _parsed(piece: str) -> dict[str, object] | None:
    """Parse a piece; None where it is no TOML by itself."""
    try:
        return tomllib.loads(piece)
    except (ValueError, RecursionError):
        return None


def _statements(piece: str) -> Iterator[tuple[dict[str, object], str]]:
    """Cut a table into its lines, with what each of them says: a comment says nothing."""
    for statement in _cut(piece, lambda _: True):
        yield _parsed(statement) or {}, statement


def _changed(piece: str, table: Mapping[str, str], newline: str) -> str:
    """Give a table other values: a line without change stays, a key without value goes."""
    missing = dict(table)
    lines: list[str] = []
    last = 0
    for keys, statement in _statements(piece):
        (key, old), *_ = keys.items() or [("", None)]
        if key in ("", "event"):  # a comment, an empty line, the header
            lines.append(statement)
        else:
            new = missing.pop(key, None)
            kept = statement if new == old else _line(statement, key, new, newline)
            lines.append(kept)
        last = len(lines) if key else last
    lines[last - 1] = _ended(lines[last - 1], newline)
    return "".join([*lines[:last], _written(missing, newline), *lines[last:]])


def _line(statement: str, key: str, value: str | None, newline: str) -> str:
    """Write a key in the place of a statement, and keep the comment behind it."""
    indent = statement[: len(statement) - len(statement.lstrip(" \t"))]
    comment = _comment(statement)
    if value is None:
        return f"{indent}{comment.lstrip()}{newline}" if comment else ""
    return f"{indent}{key} = {_quoted(value)}{comment}{newline}"


def _comment(statement: str) -> str:
    """Find the comment behind a value, with the blanks before it: what can be left out."""
    whole = _parsed(statement)
    for found in re.finditer(r"[ \t]*#", statement):
        if _parsed(statement[: found.start()]) == whole:
            return statement[found.start() :].rstrip("\r\n")
    return ""


def _written(table: Mapping[str, str], newline: str) -> str:
    return "".join(f"{key} = {_quoted(value)}{newline}" for key, value in table.items())


def _quoted(text: str) -> str:
    """Write a text as TOML does: JSON's escapes, and one for a sign that only JSON allows."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _ended(text: str, newline: str) -> str:
    """End a text with a line's end, unless it is empty or has one."""
    return text if not text or text.endswith("\n") else text + newline
