"""Numbers of JSON as doubles, bit for bit what `float` makes of them, without Python's objects.

A token is ``w × 10^q`` with a whole ``w`` of at most 19 digits. Two ways lead to its double:

- Both ``w`` (up to 2^53) and ``10^|q|`` (up to 10^22) are doubles: their product or quotient is
  rounded once, by the processor.
- Otherwise ``5^q = f × 2^e`` with f in [2^127, 2^128) is looked up. The table holds the whole part
  of f, in two words. Let W be w shifted to 64 bits. The upper word H of ``W × upper(f)`` and its
  lower word L are too small, by less than 2^64 + 1 units of L, so H is right or one too small.
  Rounding to 53 bits looks only at the bits of H below them, the *rest*, and asks whether the rest
  is below or above one half. It is certain unless the rest is one unit below half (what was left
  out may reach it) or exactly half with L = 0 (perhaps a tie). Then the other word of f is
  multiplied too, which leaves less than 2 units of L; what is still uncertain is left to `float`.

More digits, subnormal numbers and those beyond the greatest double are left to `float` as well.

References
----------
Clinger, "How to read floating point numbers accurately", PLDI 1990.
Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021).
"""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Integer = int | np.int64

# What a token says; the first three are the statuses of a result (`result_file.OK` and so on).
NUMBER, NULL, NOT_A_NUMBER, LEFT_TO_FLOAT, NOT_PLAIN = range(5)

LEAST_POWER, GREATEST_POWER = -330, 308

# Keeps the binary exponents of the table above zero, as words without a sign.
_BIAS = 1 << 16

# Longer integers are left to the exact reader: beyond the greatest double Python has no answer.
_LONGEST_INTEGER = 300

_WHOLE_POWERS = np.array([10**power for power in range(9)], np.uint64)
_EXACT_POWERS = np.array([10.0**power for power in range(23)])


def _powers_of_five() -> Words:
    """Return upper word, lower word and biased exponent of every power of five in reach."""
    rows = []
    for power in range(LEAST_POWER, GREATEST_POWER + 1):
        if power >= 0:
            exponent = (5**power).bit_length() - 128
            whole = 5**power >> exponent if exponent >= 0 else 5**power << -exponent
        else:
            # 5^-power lies strictly between two powers of two: the quotient has 128 bits.
            exponent = -127 - (5**-power).bit_length()
            whole = (1 << -exponent) // 5**-power
        rows.append((whole >> 64, whole & (1 << 64) - 1, exponent + _BIAS))
    return np.array(rows, dtype=np.uint64)


_POWERS_OF_FIVE = _powers_of_five()


def multiply(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the upper and the lower word of a product, put together from halves of words."""
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    a_high, a_low, b_high, b_low = a >> half, a & low, b >> half, b & low
    bottom, middle = a_low * b_low, a_high * b_low
    other = a_low * b_high + (bottom >> half) + (middle & low)  # at most 2^64 - 1
    upper = a_high * b_high + (middle >> half) + (other >> half)
    return upper, (other << half) | (bottom & low)


def nearest_double(digits: np.uint64, power: Integer) -> tuple[float, bool]:
    """Return the positive double nearest to ``digits × 10^power``, and whether that is certain."""
    if power < LEAST_POWER or power > GREATEST_POWER:
        return 0.0, False
    one = np.uint64(1)
    word = digits
    exponent = np.int64(power)
    for shift in (32, 16, 8, 4, 2, 1):
        if word >> np.uint64(64 - shift) == np.uint64(0):
            word <<= np.uint64(shift)
            exponent -= shift
    row = power - LEAST_POWER
    upper, lower = multiply(word, _POWERS_OF_FIVE[row, 0])
    dropped = np.uint64(10) + (upper >> np.uint64(63))
    half = one << (dropped - one)
    rest = upper & ((half << one) - one)
    if rest + one == half or (rest == half and lower == np.uint64(0)):
        more, _ = multiply(word, _POWERS_OF_FIVE[row, 1])
        lower += more
        if lower < more:  # it wrapped around
            upper += one
        dropped = np.uint64(10) + (upper >> np.uint64(63))
        half = one << (dropped - one)
        rest = upper & ((half << one) - one)
        nearly = lower >= np.uint64(0xFFFFFFFFFFFFFFFE)
        if (rest == half and lower == np.uint64(0)) or (rest + one == half and nearly):
            return 0.0, False
    mantissa = upper >> dropped
    if rest >= half:
        mantissa += one  # 2^53 is fine below: its upper bit is added to the exponent
    # The double is mantissa × 2^(exponent + dropped + 128 + that of the table).
    exponent += np.int64(_POWERS_OF_FIVE[row, 2]) - _BIAS + np.int64(dropped) + 128 + 1075
    if exponent < 1 or exponent > 2045:
        return 0.0, False
    bits = (np.uint64(exponent - 1) << np.uint64(52)) + mantissa
    return np.uint64(bits).view(np.float64), True


def byte_at(data: Bytes, at: Integer) -> np.uint8:
    """Return a byte: an index without a sign spares the question whether it counts from the end."""
    return np.uint8(data[np.uint64(at)])


def word_at(data: Bytes, at: Integer) -> np.uint64:
    """Return eight bytes, the first one lowest: the compiler makes one load of this."""
    place = np.uint64(at)
    word = np.uint64(0)
    for offset in (0, 1, 2, 3, 4, 5, 6, 7):
        word |= np.uint64(data[place + np.uint64(offset)]) << np.uint64(8 * offset)
    return word


def count_digits(word: np.uint64) -> Integer:
    """Return how many of eight bytes, from the lowest on, are digits before another byte.

    A byte without the bits of "0" is at most 9 for a digit: else adding 118 sets its upper bit. A
    byte so large that this is carried into its neighbour is itself no digit, and comes before it.
    """
    values = word ^ np.uint64(0x3030303030303030)
    others = (values + np.uint64(0x7676767676767676) | values) & np.uint64(0x8080808080808080)
    if others == np.uint64(0):
        return 8
    lowest = (others & (~others + np.uint64(1))) >> np.uint64(7)  # 2^(8 × the count)
    return np.int64(lowest * np.uint64(0x0001020304050607) >> np.uint64(56))


def number_of_digits(word: np.uint64, count: Integer) -> np.uint64:
    """Return the number that the lowest `count` bytes write, the first digit in the lowest byte.

    Neighbours are joined three times, all pairs at once: a multiplication by ``base << bits | 1``
    puts base × first + second into the upper part of each pair.
    """
    word = word << np.uint64(8) << np.uint64(56 - 8 * count) if count < 8 else word
    word = (word & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(10 << 8 | 1)
    word = (word >> np.uint64(8) & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(100 << 16 | 1)
    word = (word >> np.uint64(16) & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(10000 << 32 | 1)
    return word >> np.uint64(32)


def digits_end(data: Bytes, at: Integer, digits: np.uint64) -> tuple[Integer, np.uint64]:
    """Return where digits end, and the number that they make behind `digits`, modulo 2^64."""
    while True:
        word = word_at(data, at)
        count = count_digits(word)
        digits = digits * _WHOLE_POWERS[np.uint64(count)] + number_of_digits(word, count)
        at += count
        if count < 8:
            return at, digits


def exponent_end(data: Bytes, at: Integer) -> tuple[Integer, Integer]:
    """Return where an exponent ends that starts at `at`, and its value; `at` where there is none.

    Values beyond a million are all the same.
    """
    start = at
    below = byte_at(data, at) == 45
    if below or byte_at(data, at) == 43:  # +
        at += 1
    digit = np.int64(byte_at(data, at)) - 48
    if digit < 0 or digit > 9:
        return start, 0
    value = np.int64(0)
    while digit >= 0 and digit <= 9:
        value = min(value * 10 + digit, np.int64(1_000_000))
        at += 1
        digit = np.int64(byte_at(data, at)) - 48
    return at, -value if below else value


def count_significant(data: Bytes, first: Integer, digits: Integer) -> Integer:
    """Return how many of the digits that start at `first` are not zeros in front."""
    while data[first] == 48 or data[first] == 46:  # as in 0.000123
        if data[first] == 48:
            digits -= 1
        first += 1
    return digits


def number_at(data: Bytes, at: Integer) -> tuple[Integer, float, Integer]:
    """Read the number that starts at `at`: where it ends, its value, and what it says."""
    start = at
    negative = byte_at(data, at) == 45  # -
    if negative:
        at += 1
    first = at
    if byte_at(data, first + 1) == 46 and 48 <= byte_at(data, first) <= 57:
        # As most are written; a branch that is foreseen costs less than counting to one.
        digits = np.uint64(byte_at(data, first)) - np.uint64(48)
        at = first + 1
    else:
        at, digits = digits_end(data, first, np.uint64(0))
    length = at - first
    if length == 0 or (length > 1 and byte_at(data, first) == 48):
        return start, 0.0, NOT_PLAIN
    whole = True
    power: Integer = 0
    if byte_at(data, at) == 46:  # .
        whole = False
        point = at + 1
        at, digits = digits_end(data, point, digits)
        power = point - at
        length -= power
        if power == 0:
            return start, 0.0, NOT_PLAIN
    if byte_at(data, at) | 32 == 101:  # e or E
        whole = False
        end, exponent = exponent_end(data, at + 1)
        if end == at + 1:
            return start, 0.0, NOT_PLAIN
        power += exponent
        at = end
    if length > 19:
        if whole and length > _LONGEST_INTEGER:
            return start, 0.0, NOT_PLAIN
        if count_significant(data, first, length) > 19:
            return at, 0.0, LEFT_TO_FLOAT
    certain = True
    if digits == np.uint64(0):
        value = 0.0
        negative = negative and not whole  # Python's integers have no -0
    elif digits <= np.uint64(1 << 53) and power >= -22 and power <= 22:
        value = np.float64(np.int64(digits))
        if power < 0:
            value /= _EXACT_POWERS[np.uint64(-power)]
        else:
            value *= _EXACT_POWERS[np.uint64(power)]
    else:
        value, certain = nearest_double(digits, power)
    return at, -value if negative else value, NUMBER if certain else LEFT_TO_FLOAT


def infinity_end(data: Bytes, at: Integer) -> Integer:
    """Return where ``Infinity`` ends, or `at` when this is another word."""
    for offset, letter in enumerate((73, 110, 102, 105, 110, 105, 116, 121)):
        if data[at + offset] != letter:  # the zero behind the file is no letter
            return at
    return at + 8


def item_at(data: Bytes, at: Integer) -> tuple[Integer, float, Integer]:
    """Read a number, ``null``, ``NaN`` or an infinity; null has the value NaN."""
    first = byte_at(data, at)
    if first <= 57 and not (first == 45 and byte_at(data, at + 1) == 73):
        return number_at(data, at)
    end, value, kind = at, np.nan, NOT_PLAIN
    if first == 110:  # null
        if data[at + 1] == 117 and data[at + 2] == 108 and data[at + 3] == 108:
            end, kind = at + 4, NULL
    elif first == 78:  # NaN
        if data[at + 1] == 97 and data[at + 2] == 78:
            end, kind = at + 3, NOT_A_NUMBER
    else:
        sign = 1 if first == 45 else 0
        value = -np.inf if first == 45 else np.inf
        end = infinity_end(data, at + sign)
        kind = NUMBER if end > at + sign else NOT_PLAIN
    return end, value, kind


FUNCTIONS = (
    *(multiply, nearest_double, byte_at, word_at, count_digits, number_of_digits, digits_end),
    *(exponent_end, count_significant),
    *(number_at, infinity_end, item_at),
)
"""In the order in which they are compiled: each calls only earlier ones."""

INLINED = frozenset(FUNCTIONS) - {count_significant, infinity_end}
"""Those that most numbers need."""
