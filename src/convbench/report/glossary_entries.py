"""What the glossary is made of: words, groups of them, and links to views."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the site: what it means, and how to read it where that is not plain.

    `view` is where it is met; `needs` is the view without which the word is not used at all.
    """

    word: str
    means: str
    reading: str = ""
    view: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Words that belong together."""

    title: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view of this site and the question that it answers."""

    view: str
    name: str
    answers: str
