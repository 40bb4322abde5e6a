"""The ``results`` of an asv file from its bytes to arrays: one pass, no object per number.

The walk is a parser of JSON's grammar that knows what each place may hold. It gives up on whatever
it doesn't expect, in valid and invalid files alike, so it needs no errors: the exact reader has
them. Behind the bytes stand zeros, which no place may hold; so no step looks for the end.

A position below zero is such a surrender: `REFUSED`, or `CROWDED` when the arrays are too small.
"""

import numpy as np
import numpy.typing as npt

from convbench.results import _decimal
from convbench.results._decimal import (
    LEFT_TO_FLOAT,
    NOT_PLAIN,
    NULL,
    NUMBER,
    Bytes,
    Integer,
    Words,
    byte_at,
    item_at,
    word_at,
)

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

REFUSED, CROWDED = -1, -2

NO_TIME = -(2.0**63)  # the least integer of 64 bits

# What a cell of a row is, by its place among the result columns. Columns of numbers have the codes
# 0 to 6, which are their rows in `numbers`.
RESULT = 0
FIRST_COUNT, COLUMNS = 5, 7
PARAMS, VERSION, STARTED_AT, DURATION, SAMPLES, IGNORED = range(7, 13)

_DEEPEST = 64
_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_LIST, _CLOSE_LIST = 123, 125, 91, 93
_QUOTE, _BACKSLASH, _COMMA, _COLON = 34, 92, 44, 58


# Columns of `known`, a table of benchmarks that earlier files had (`KnownBenchmarks` fills it). Of
# each piece of JSON it has the first word among the texts and the length in bytes (0 and 0 where
# nothing is said), of the parameters also the number of combinations. The slot of a name's hash
# leads to the newest benchmark of that name, `OLDER` from each to the one before, at last to -1.
KNOWN_NAME, KNOWN_PARAMS, KNOWN_VERSION = 0, 2, 4
KNOWN_SIZE, OLDER, KNOWN_COLUMNS = 6, 7, 8

# Slots that are tried for a name, and benchmarks of one name that are compared.
MOST_SLOTS, MOST_OLDER = 8, 64


def hash_of(data: Bytes, start: Integer, length: Integer) -> Integer:
    """Return a hash of the bytes from `start` on, from 0 on."""
    mixed = np.uint64(length)
    for offset in range(0, length, 8):
        word = word_at(data, start + offset)
        if length - offset < 8:
            word &= (np.uint64(1) << np.uint64(8 * (length - offset))) - np.uint64(1)
        mixed = (mixed ^ word) * np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio
        mixed ^= mixed >> np.uint64(29)
    return np.int64(mixed >> np.uint64(1 + 8))  # room for the next slots


def is_piece(data: Bytes, start: Integer, texts: Words, first: Integer, length: Integer) -> bool:
    """Return whether the bytes from `start` on are a piece: words from `first` on, zeros behind."""
    whole = length // 8
    for index in range(whole):
        if word_at(data, start + 8 * index) != texts[first + index]:
            return False
    if length % 8 == 0:
        return True
    mask = (np.uint64(1) << np.uint64(8 * (length % 8))) - np.uint64(1)
    return bool(word_at(data, start + 8 * whole) & mask == texts[first + whole])


def first_known(
    data: Bytes, span: Positions, slots: Positions, known: Positions, texts: Words
) -> Integer:
    """Return the newest known benchmark of a name, or -1."""
    start, slot = span[0], span[6]
    length = span[1] - start
    for step in range(MOST_SLOTS):
        found = slots[(slot + step) % len(slots)]
        if found < 0:
            return -1
        if known[found, KNOWN_NAME + 1] == length and is_piece(
            data, start, texts, known[found, KNOWN_NAME], length
        ):
            return np.int64(found)
    return -1


def known_piece(
    data: Bytes, at: Integer, column: Integer, candidate: Integer, known: Positions, texts: Words
) -> Integer:
    """Return the first of the candidates whose piece of a column stands at `at`, or -1.

    A piece ends with the bracket or the quote that ends it in JSON: there is nothing to parse.
    """
    for _ in range(MOST_OLDER):
        if candidate < 0:
            break
        length = known[candidate, column + 1]
        if length > 0 and is_piece(data, at, texts, known[candidate, column], length):
            return candidate
        candidate = known[candidate, OLDER]
    return -1


def scalar_at(data: Bytes, at: Integer) -> tuple[Integer, float, Integer]:
    """Do as `item_at`, which is long, without becoming part of the caller."""
    return item_at(data, at)


def space_end(data: Bytes, at: Integer) -> Integer:
    """Return where white space ends."""
    letter = byte_at(data, at)
    while letter == 32 or letter == 10 or letter == 13 or letter == 9:
        at += 1
        letter = byte_at(data, at)
    return at


def is_ordinary(word: np.uint64) -> bool:
    """Return whether eight bytes are ASCII without quotes, backslashes and control characters.

    Subtracting from a byte below 128 sets its upper bit only if it borrows, and it borrows from
    its neighbour only then: so the lowest strange byte is always seen.
    """
    ones = np.uint64(0x0101010101010101)
    quotes, backslashes = word ^ ones * np.uint64(34), word ^ ones * np.uint64(92)
    strange = (word - ones * np.uint64(32)) | (quotes - ones) | (backslashes - ones) | word
    return bool(strange & ones * np.uint64(128) == np.uint64(0))


def string_end(data: Bytes, at: Integer) -> Integer:
    """Return where the string that starts at `at` ends; refuse surrogates, paired or not."""
    if data[at] != _QUOTE:
        return REFUSED
    at += 1
    while True:
        while is_ordinary(word_at(data, at)):
            at += 8
        while data[at] != _QUOTE and data[at] != _BACKSLASH and data[at] >= 32:
            at += 1
        if data[at] == _QUOTE:
            return at + 1
        if data[at] != _BACKSLASH:
            return REFUSED
        letter = data[at + 1]
        if letter == 117:  # u
            for place in range(at + 2, at + 6):
                digit, lower = data[place], data[place] | 32
                if not (48 <= digit <= 57 or 97 <= lower <= 102):
                    return REFUSED
            if data[at + 2] | 32 == 100 and data[at + 3] >= 56:  # d8 to df
                return REFUSED
            at += 6
        elif (
            letter == _QUOTE
            or letter == _BACKSLASH
            or letter == 47  # /
            or letter == 98
            or letter == 102
            or letter == 110  # b f n
            or letter == 114
            or letter == 116  # r t
        ):
            at += 2
        else:
            return REFUSED


def word_end(data: Bytes, at: Integer) -> Integer:
    """Return where ``true`` or ``false`` ends."""
    if data[at] == 116 and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return at + 4
    if data[at] == 102 and data[at + 1] == 97 and data[at + 2] == 108 and data[at + 3] == 115:
        return at + 5 if data[at + 4] == 101 else REFUSED
    return REFUSED


def scalar_end(data: Bytes, at: Integer) -> Integer:
    """Return where any value ends that is neither a list nor an object."""
    if data[at] == _QUOTE:
        return string_end(data, at)
    if data[at] == 116 or data[at] == 102:
        return word_end(data, at)
    end, _, kind = scalar_at(data, at)
    return REFUSED if kind == NOT_PLAIN else end


def key_end(data: Bytes, at: Integer) -> Integer:
    """Return where a key, its colon and the space around that end."""
    at = string_end(data, at)
    if at < 0:
        return at
    at = space_end(data, at)
    return space_end(data, at + 1) if data[at] == _COLON else REFUSED


def value_end(data: Bytes, at: Integer) -> Integer:
    """Return where any value ends, nested at most `_DEEPEST` deep."""
    if data[at] != _OPEN_LIST and data[at] != _OPEN_OBJECT:
        return scalar_end(data, at)
    one = np.uint64(1)
    objects = np.uint64(0)  # the last bit says whether the innermost is an object or a list
    depth = 0
    while True:
        # Here a value starts.
        if data[at] == _OPEN_LIST or data[at] == _OPEN_OBJECT:
            if depth == _DEEPEST:
                return REFUSED
            objects <<= one
            if data[at] == _OPEN_OBJECT:
                objects |= one
            depth += 1
            at = space_end(data, at + 1)
            if data[at] != (_CLOSE_OBJECT if objects & one else _CLOSE_LIST):
                if objects & one:
                    at = key_end(data, at)
                    if at < 0:
                        return at
                continue
        else:
            at = scalar_end(data, at)
            if at < 0:
                return at
            at = space_end(data, at)
        # Here a value has ended, or an empty list or object is about to.
        while data[at] == (_CLOSE_OBJECT if objects & one else _CLOSE_LIST):
            depth -= 1
            objects >>= one
            if depth == 0:
                return at + 1
            at = space_end(data, at + 1)
        if data[at] != _COMMA:
            return REFUSED
        at = space_end(data, at + 1)
        if objects & one:
            at = key_end(data, at)
            if at < 0:
                return at


def is_ascii(data: Bytes, start: Integer, end: Integer) -> bool:
    """Return whether there are only bytes below 128."""
    seen = 0
    for place in range(start, end):
        seen |= data[place]
    return seen < 128


def params_end(data: Bytes, at: Integer, most: Integer) -> tuple[Integer, Integer]:
    """Return where a list of axes ends, and the number of their combinations, at most `most`."""
    size = 1
    at = space_end(data, at + 1)
    if data[at] == _CLOSE_LIST:
        return at + 1, size
    while True:
        if data[at] != _OPEN_LIST:
            return REFUSED, 0
        length = 0
        at = space_end(data, at + 1)
        while data[at] != _CLOSE_LIST:
            at = string_end(data, at)
            if at < 0:
                return at, 0
            length += 1
            at = space_end(data, at)
            if data[at] == _COMMA:
                at = space_end(data, at + 1)
                if data[at] == _CLOSE_LIST:
                    return REFUSED, 0
            elif data[at] != _CLOSE_LIST:
                return REFUSED, 0
        size *= length
        if size > most:
            return REFUSED, 0
        at = space_end(data, at + 1)
        if data[at] == _CLOSE_LIST:
            return at + 1, size
        if data[at] != _COMMA:
            return REFUSED, 0
        at = space_end(data, at + 1)


def list_of_numbers(
    data: Bytes,
    at: Integer,
    column: Integer,
    first: Integer,
    values: Floats,
    statuses: Bytes,
    left: Positions,
) -> tuple[Integer, Integer]:
    """Read a list of numbers into `values` from `first` on: where the list ends, and the numbers.

    Statuses are kept of the results only. ``left[0, 0]`` counts the numbers left to `float`; the
    rows below it say column, index, start and end of each.
    """
    index = first
    at = space_end(data, at + 1)
    if data[at] == _CLOSE_LIST:
        return at + 1, index
    room = len(values)
    while True:
        end, value, kind = item_at(data, at)
        if kind >= LEFT_TO_FLOAT:
            if kind == NOT_PLAIN:
                return REFUSED, index
            if not leave(left, column, index, at, end):
                return CROWDED, index
            kind = NUMBER
        if index == room:
            return CROWDED, index
        values[index] = value
        if column == RESULT:
            statuses[index] = kind
        index += 1
        at = end
        if byte_at(data, at) == _COMMA and byte_at(data, at + 1) == 32:  # as json writes it
            at = space_end(data, at + 2)
            continue
        at = space_end(data, at)
        if data[at] == _CLOSE_LIST:
            return at + 1, index
        if data[at] != _COMMA:
            return REFUSED, index
        at = space_end(data, at + 1)


def leave(left: Positions, column: Integer, index: Integer, start: Integer, end: Integer) -> bool:
    """Note a number that is left to `float`, if there is room."""
    count = left[0, 0] + 1
    if count == len(left):
        return False
    left[0, 0] = count
    left[count, 0] = column
    left[count, 1] = index
    left[count, 2] = start
    left[count, 3] = end
    return True


def are_counts(values: Floats, first: Integer, end: Integer) -> bool:
    """Put -1 for no number; return whether all others are whole, not negative and below 2^53."""
    for index in range(first, end):
        value = values[index]
        if np.isnan(value):
            values[index] = -1.0
        elif not (0.0 <= value < 9007199254740992.0 and np.floor(value) == value):
            return False
    return True


def lists_of_samples(
    data: Bytes,
    at: Integer,
    row: Integer,
    recorded: Bytes,
    ends: Positions,
    values: Floats,
    left: Positions,
) -> tuple[Integer, Integer]:
    """Read the samples of rows from `row` on: where their list ends, and the rows."""
    filled = ends[row - 1] if row > 0 else 0
    at = space_end(data, at + 1)
    if data[at] == _CLOSE_LIST:
        return at + 1, row
    while True:
        if row == len(ends):
            return CROWDED, row
        recorded[row] = data[at] == _OPEN_LIST
        if recorded[row]:
            first = filled
            at, filled = list_of_numbers(data, at, np.int64(SAMPLES), first, values, recorded, left)
            for index in range(first, filled):
                if np.isnan(values[index]):
                    return REFUSED, row
        else:
            at, _, kind = scalar_at(data, at)
            if kind != NULL:
                return REFUSED, row
        if at < 0:
            return at, row
        ends[row] = filled
        row += 1
        at = space_end(data, at)
        if data[at] == _CLOSE_LIST:
            return at + 1, row
        if data[at] != _COMMA:
            return REFUSED, row
        at = space_end(data, at + 1)


def read_results(
    data: Bytes,
    at: Integer,
    roles: Positions,
    most: Integer,
    latest: Integer,
    slots: Positions,
    known: Positions,
    texts: Words,
    numbers: Floats,
    statuses: Bytes,
    recorded: Bytes,
    ends: Positions,
    samples: Floats,
    filled: Positions,
    times: Floats,
    spans: Positions,
    identities: Positions,
    sizes: Positions,
    left: Positions,
    totals: Positions,
) -> Integer:
    """Read ``results`` from its opening bracket on; return where it ends.

    Parameters
    ----------
    data : array of bytes
        The file, with eight zeros behind it.
    at : int
        The place of the opening bracket.
    roles : array
        What each cell of a row is.
    most : int
        Rows that a file may have.
    latest : int
        The last moment that a benchmark may have started at.
    slots, known, texts : arrays
        Benchmarks of earlier files, as above; each name's is in one of `MOST_SLOTS` slots from that
        of its hash on, an empty slot is -1.
    numbers : array, shape (COLUMNS, capacity)
        For the rows' numbers; -1 for a count that is none, NaN elsewhere.
    statuses, recorded, ends : arrays, shape (capacity,)
        For each row's status, whether it has samples, and where they end in `samples`.
    samples : array
        As long as there can be numbers in the file.
    filled : array, shape (COLUMNS,)
        For the length of each list of numbers of one benchmark.
    times : array, shape (2, capacity)
        For each benchmark's start in milliseconds (`NO_TIME` where not said) and its duration.
    spans : array, shape (capacity, 7)
        For each benchmark's name, parameters and version: start and end, equal where not said; and
        the hash of its name.
    identities, sizes : arrays, shape (capacity,)
        For each benchmark's row in `known`, -1 where it has none, and its number of rows.
    left : array, shape (capacity, 4)
        As in `list_of_numbers`.
    totals : array, shape (3,)
        For the numbers of benchmarks, rows and rows with samples.
    """
    capacity = len(statuses)
    left[0, 0] = 0
    # Typed: Numba would compile what it calls once more for "the integer 0".
    benchmark, rows, with_samples = np.int64(0), np.int64(0), np.int64(0)
    at = space_end(data, at + 1)
    done = data[at] == _CLOSE_OBJECT
    while not done:
        if benchmark == capacity:
            return CROWDED
        span = spans[benchmark]
        span[:] = 0
        span[0] = at
        at = string_end(data, at)
        if at < 0:
            return at
        span[1] = at
        span[6] = hash_of(data, span[0], at - span[0])
        newest = first_known(data, span, slots, known, texts)
        params, version = 0, 0  # first words of the known pieces, or -1
        at = space_end(data, at)
        if data[at] != _COLON:
            return REFUSED
        at = space_end(data, at + 1)
        if data[at] != _OPEN_LIST:
            return REFUSED
        at = space_end(data, at + 1)
        size: Integer = 1
        filled[:] = -1
        sampled: Integer = -1
        times[0, benchmark] = NO_TIME
        times[1, benchmark] = np.nan
        cell = 0
        ended = data[at] == _CLOSE_LIST
        while not ended:
            if cell == len(roles):
                return REFUSED
            role = roles[cell]
            cell += 1
            is_list = data[at] == _OPEN_LIST
            if role == IGNORED:
                start = at
                at = value_end(data, at)
                if at > 0 and not is_ascii(data, start, at):  # nobody decodes it
                    return REFUSED
            elif role < COLUMNS and is_list:
                at, end = list_of_numbers(data, at, role, rows, numbers[role], statuses, left)
                if at < 0:
                    return at
                filled[role] = end - rows
                if role >= FIRST_COUNT and not are_counts(numbers[role], rows, end):
                    return REFUSED
            elif role == PARAMS and is_list:
                span[2] = at
                like = known_piece(data, at, KNOWN_PARAMS, newest, known, texts)
                if like >= 0:
                    params = known[like, KNOWN_PARAMS]
                    size = known[like, KNOWN_SIZE]
                    at += known[like, KNOWN_PARAMS + 1]
                else:
                    params = -1
                    at, size = params_end(data, at, most)
                span[3] = at
            elif role == SAMPLES and is_list:
                at, end = lists_of_samples(data, at, rows, recorded, ends, samples, left)
                if at < 0:
                    return at
                sampled = end - rows
            elif role == VERSION and data[at] == _QUOTE:
                span[4] = at
                like = known_piece(data, at, KNOWN_VERSION, newest, known, texts)
                if like >= 0:
                    version = known[like, KNOWN_VERSION]
                    at += known[like, KNOWN_VERSION + 1]
                else:
                    version = -1
                    at = string_end(data, at)
                span[5] = at
            else:
                end, value, kind = scalar_at(data, at)
                if kind == NOT_PLAIN:
                    return REFUSED
                if kind != NULL:
                    if role == STARTED_AT and kind == NUMBER:
                        if not (0.0 <= value <= latest and np.floor(value) == value):
                            return REFUSED
                        times[0, benchmark] = value
                    elif role == DURATION:
                        if kind == LEFT_TO_FLOAT and not leave(left, role, benchmark, at, end):
                            return CROWDED
                        times[1, benchmark] = value
                    else:
                        return REFUSED
                at = end
            if at < 0:
                return at
            at = space_end(data, at)
            if data[at] == _COMMA:
                at = space_end(data, at + 1)
                if data[at] == _CLOSE_LIST:
                    return REFUSED
            elif data[at] == _CLOSE_LIST:
                ended = True
            else:
                return REFUSED
        if rows + size > most:
            return REFUSED
        if rows + size > capacity:
            return CROWDED
        for column in range(COLUMNS):
            if filled[column] == -1:
                numbers[column, rows : rows + size] = -1.0 if column >= FIRST_COUNT else np.nan
                if column == RESULT:
                    statuses[rows : rows + size] = NULL
            elif filled[column] != size:
                return REFUSED
        if sampled == -1:
            recorded[rows : rows + size] = 0
            ends[rows : rows + size] = ends[rows - 1] if rows > 0 else 0
        elif sampled != size:
            return REFUSED
        else:
            for row in range(rows, rows + size):
                with_samples += recorded[row]
        for _ in range(MOST_OLDER):
            if newest < 0 or (
                known[newest, KNOWN_PARAMS] == params and known[newest, KNOWN_VERSION] == version
            ):
                break
            newest = known[newest, OLDER]
        else:
            newest = -1
        identities[benchmark] = newest
        sizes[benchmark] = size
        rows += size
        benchmark += 1
        at = space_end(data, at + 1)
        if data[at] == _COMMA:
            at = space_end(data, at + 1)
            if data[at] == _CLOSE_OBJECT:
                return REFUSED
        elif data[at] == _CLOSE_OBJECT:
            done = True
        else:
            return REFUSED
    totals[0] = benchmark
    totals[1] = rows
    totals[2] = with_samples
    return at + 1


FUNCTIONS = (
    *_decimal.FUNCTIONS,
    scalar_at,
    hash_of,
    is_piece,
    first_known,
    known_piece,
    space_end,
    is_ordinary,
    string_end,
    word_end,
    scalar_end,
    key_end,
    value_end,
    is_ascii,
    params_end,
    leave,
    list_of_numbers,
    are_counts,
    lists_of_samples,
)
"""What `read_results` calls, in the order in which it is compiled."""

# What is called for every number or text.
INLINED = _decimal.INLINED | {space_end, is_ordinary, is_piece, leave}
