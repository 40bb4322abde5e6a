"""Benchmarks that earlier files had: their texts, decoded once, in a table that the kernel reads.

A project's files repeat names, parameters and versions. The kernel finds a benchmark by its name
and compares the bytes of the rest: equal bytes need neither be parsed nor become Python's objects.
A benchmark is all three: a name whose parameters or version differ is another one.
"""

import json
from typing import TypeVar

import numpy as np

from convbench.results._asv_kernel import KNOWN_COLUMNS, MOST_SLOTS, Positions
from convbench.results._decimal import Words
from convbench.results.result_file import Axes, name

# A hundred times what a large project has; beyond, everything is forgotten.
_MOST_WORDS = 1 << 23
_MOST_BENCHMARKS = 1 << 18

_SLOTS = 1 << 16

Numbers = TypeVar("Numbers", Positions, Words)


class KnownBenchmarks:
    """The known benchmarks by number, as the kernel needs them and as Python does.

    What is learnt from a file is put into the arrays before the next one, all at once.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.names: list[str] = []
        self.axes: list[Axes] = []
        self.versions: list[str | None] = []
        self.slots: Positions = np.full(_SLOTS, -1)
        self.table: Positions = np.zeros((1, KNOWN_COLUMNS), np.int64)
        self.texts: Words = np.zeros(1, np.uint64)  # the word 0 stands for what is not said
        self._words = 1
        self._new_rows: list[tuple[int, ...]] = []
        self._new_texts: list[bytes] = []
        self._new_in_slots: dict[int, int] = {}
        self._numbers: dict[tuple[bytes, bytes, bytes], int] = {}
        self._newest: dict[bytes, int] = {}
        self._slot_of: dict[bytes, int] = {}
        self._taken: set[int] = set()
        self._places: dict[bytes, int] = {b"": 0}
        self._axes: dict[bytes, Axes] = {b"": ()}

    def settle(self) -> None:
        """Put what was learnt into the arrays, or forget everything when it is too much."""
        if self._words > _MOST_WORDS or len(self.names) > _MOST_BENCHMARKS:
            self._forget()
        if self._new_rows:
            rows = np.array(self._new_rows, np.int64)
            self.table = _with(self.table, rows, len(self.names))
            words = np.frombuffer(b"".join(self._new_texts), "<u8")
            self.texts = _with(self.texts, words, self._words)
            self.slots[list(self._new_in_slots)] = list(self._new_in_slots.values())
            self._new_rows, self._new_texts, self._new_in_slots = [], [], {}

    def learn(self, called: bytes, params: bytes, version: bytes, size: int, digest: int) -> int:
        """Return the number of a benchmark that the kernel didn't find.

        Parameters
        ----------
        called, params, version : bytes
            Its pieces of JSON; empty where the file says nothing.
        size : int
            Combinations of the parameters.
        digest : int
            The kernel's hash of the name.
        """
        key = (called, params, version)
        number = self._numbers.get(key)
        if number is None:
            name_text, axes, version_text = name(_text(called)), self._decoded(params), None
            if version:
                version_text = _text(version)
            number = self._numbers[key] = len(self.names)
            self.names.append(name_text)
            self.axes.append(axes)
            self.versions.append(version_text)
            places = (self._place(called), self._place(params), self._place(version))
            self._new_rows.append(
                (
                    *(places[0], len(called), places[1], len(params), places[2], len(version)),
                    *(size, self._newest.get(called, -1)),
                )
            )
            self._newest[called] = number
            self._put_into_slot(called, number, digest)
        return number

    def _decoded(self, params: bytes) -> Axes:
        axes = self._axes.get(params)
        if axes is None:
            axes = self._axes[params] = tuple(map(tuple, json.loads(params.decode())))
        return axes

    def _place(self, piece: bytes) -> int:
        place = self._places.get(piece)
        if place is None:
            place = self._places[piece] = self._words
            padded = piece + bytes(-len(piece) % 8)
            self._new_texts.append(padded)
            self._words += len(padded) // 8
        return place

    def _put_into_slot(self, called: bytes, number: int, digest: int) -> None:
        """Let a name's slot lead to its newest benchmark; without a slot it is never found."""
        slot = self._slot_of.get(called)
        if slot is None:
            near = ((digest + step) % _SLOTS for step in range(MOST_SLOTS))
            slot = next((one for one in near if one not in self._taken), -1)
            self._slot_of[called] = slot
            self._taken.add(slot)
        if slot >= 0:
            self._new_in_slots[slot] = number


def _with(array: Numbers, more: Numbers, end: int) -> Numbers:
    """Return the array with more items, up to `end`; one that is full is doubled."""
    while end > len(array):
        array = np.concatenate([array, np.zeros_like(array)])
    array[end - len(more) : end] = more
    return array


def _text(piece: bytes) -> str:
    """Return the text of a valid string of JSON; refuse bytes that are not UTF-8."""
    decoded = piece.decode()
    return str(json.loads(decoded)) if "\\" in decoded else decoded[1:-1]
