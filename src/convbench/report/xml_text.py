"""Texts in XML files: what XML may hold at all, and how much room words take without a browser."""

import re
import unicodedata

_FORBIDDEN = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""What XML 1.0 forbids, control characters that it allows, and Unicode's own ends of lines."""

NARROW = frozenset("iljtfrI.,:;|!()[]· ")

_WIDE = frozenset("WF")


def xml_text(text: str) -> str:
    """Replace by U+FFFD what no XML file may hold; nothing is escaped here."""
    return _FORBIDDEN.sub("\ufffd", text)


def text_width(text: str, size: float) -> float:
    """Estimate how wide words of a sans-serif font are: rather too wide, as fonts differ.

    Parameters
    ----------
    text
        Words of one line.
    size
        Of the font, in pixels.

    Returns
    -------
    float
        Pixels.
    """
    return size * sum(map(_em, text))


def fitted(text: str, size: float, room: float) -> str:
    """Shorten words to what fits into so many pixels; an ellipsis tells that something is gone."""
    if text_width(text, size) <= room:
        return text
    left = room - size * _em("…")
    kept = 0
    for character in text:
        left -= size * _em(character)
        if left < 0:
            break
        kept += 1
    return f"{text[:kept].rstrip()}…"


def wrapped(text: str, size: float, room: float, most: int) -> tuple[str, ...]:
    """Break words into lines of so many pixels; the last of at most `most` lines may be cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > room and len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = longer
    return tuple(fitted(line, size, room) for line in lines if line)


def _em(character: str) -> float:
    """Give the width of a character as a part of the font's size."""
    if character in NARROW:
        return 0.36
    if unicodedata.east_asian_width(character) in _WIDE:
        return 1.0
    return 0.8 if character.isupper() or character in "mw%…→▲▼✕@<>=+−×" else 0.6
