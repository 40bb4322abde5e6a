"""Numbers are read as `float` reads them, bit for bit; the machine code leaves it only few."""

import random
import struct
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convbench.results import _decimal
from convbench.results._compiled import compiled
from convbench.results._decimal import LEFT_TO_FLOAT, NOT_PLAIN, NUMBER, item_at

Read = Callable[[Iterable[str]], tuple[Any, Any]]


def read_items(data: Any, values: Any, kinds: Any) -> int:
    at = 0
    for index in range(len(values)):
        at, values[index], kinds[index] = item_at(data, at)
        at += 1  # the comma
    return at


@pytest.fixture(scope="module")
def read() -> Read:
    """Give a function that reads tokens with the kernel: their values, and what each says."""

    def arguments() -> tuple[Any, ...]:
        from numba import types

        raw = types.Array(types.uint8, 1, "C", readonly=True)
        return raw, types.float64[::1], types.int64[::1]

    kernel = compiled(read_items, _decimal.FUNCTIONS, arguments, _decimal.INLINED)
    assert kernel is not None

    def read(tokens: Iterable[str]) -> tuple[Any, Any]:
        listed = list(tokens)
        raw = ",".join(listed).encode()
        values, kinds = np.empty(len(listed)), np.empty(len(listed), np.int64)
        end = kernel(np.frombuffer(raw + bytes(8), np.uint8), values, kinds)
        assert end == len(raw) + 1
        return values, kinds

    return read


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20240229)


def wrong(read: Read, tokens: list[str]) -> list[str]:
    """Return the tokens that are read as another number than `float` makes of them."""
    values, kinds = read(tokens)
    truth = np.array(list(map(float, tokens)))
    differs = values.view(np.int64) != truth.view(np.int64)
    assert (kinds != NOT_PLAIN).all()
    return [tokens[index] for index in np.flatnonzero(differs & (kinds == NUMBER))]


def left_to_float(read: Read, tokens: list[str]) -> float:
    """Return the share of tokens that the kernel doesn't decide."""
    _, kinds = read(tokens)
    return float((kinds == LEFT_TO_FLOAT).mean())


def doubles(rng: random.Random, count: int) -> list[float]:
    """Draw normal doubles with random bits: every exponent is as likely."""
    bits = np.frombuffer(rng.randbytes(8 * count), np.float64)
    return bits[np.isfinite(bits) & (np.abs(bits) >= 2.0**-1022)].tolist()


def test_a_million_doubles_are_read_back(read: Read, rng: random.Random) -> None:
    tokens = list(map(repr, doubles(rng, 1_000_000)))

    assert not wrong(read, tokens)
    assert left_to_float(read, tokens) < 1e-3  # those beyond 2^1023 are


def test_short_and_measured_numbers_are_never_left_to_float(read: Read, rng: random.Random) -> None:
    short = [f"{10 ** rng.uniform(-12, 12):.5g}" for _ in range(200_000)]
    measured = [repr(rng.lognormvariate(-8, 4)) for _ in range(200_000)]

    assert not wrong(read, short + measured)
    assert left_to_float(read, short) == 0
    assert left_to_float(read, measured) < 1e-4


def test_any_digits_with_any_exponent_are_right_or_left_to_float(
    read: Read, rng: random.Random
) -> None:
    def token() -> str:
        digits = str(rng.randrange(10 ** rng.randrange(1, 25)))
        point = rng.choice(("", f".{rng.randrange(10 ** rng.randrange(1, 25))}"))
        zeros = rng.choice(("", "", ".000", ".0000000000000000000000"))
        mark = rng.choice(("e", "E")) + rng.choice(("", "+", "-")) + rng.choice(("", "0", "00"))
        return f"-{digits}{zeros + point[1:] if zeros else point}{mark}{rng.randrange(400)}"

    assert not wrong(read, [token() for _ in range(300_000)])


def halfway(low: float) -> Fraction:
    """Return the number between a double and the next one."""
    return (Fraction(low) + Fraction(float(np.nextafter(low, np.inf)))) / 2


def written(number: Fraction, digits: int) -> tuple[str, str]:
    """Write a positive number to so many digits: the nearest ones below and above, or itself."""
    exponent = len(str(number.numerator)) - len(str(number.denominator)) - digits
    scaled = number / Fraction(10) ** exponent
    below = scaled.numerator // scaled.denominator
    return f"{below}e{exponent}", f"{below + 1}e{exponent}"


@pytest.mark.parametrize("digits", [16, 17, 18])
def test_numbers_as_near_to_halfway_as_digits_allow(
    read: Read, rng: random.Random, digits: int
) -> None:
    positive = [abs(value) for value in doubles(rng, 20_000)]

    tokens = [one for value in positive for one in written(halfway(value), digits)]

    assert not wrong(read, tokens)


def test_exact_ties_are_right_or_left_to_float(read: Read, rng: random.Random) -> None:
    whole = [2**53 + 1 + 2 * rng.randrange(2**52) for _ in range(10_000)]
    halves = [f"{2**52 + rng.randrange(2**50)}.5" for _ in range(10_000)]
    scaled = [f"{(2 * rng.randrange(2**52) + 2**53 + 1) * 5**n}e{n}" for n in range(5)]

    assert not wrong(read, [*map(str, whole), *halves, *scaled])


def test_extremes(read: Read) -> None:
    tokens = ["5e-324", "4e-324", "2e-324", "2.2250738585072014e-308", "2.2250738585072011e-308"]
    tokens += ["2.225073858507201e-308", "1.7976931348623157e308", "1.7976931348623159e308"]
    tokens += ["1e308", "1e309", "1e400", "-1e400", "1e-400", "1e-330", "1e-331", "9e-331"]
    tokens += ["1e22", "1e23", "9007199254740992", "9007199254740993", "9007199254740993e22"]
    tokens += ["18446744073709551615", "9999999999999999999", "18446744073709551616"]
    tokens += ["1" + "0" * 299, "0." + "0" * 400 + "1", "0." + "1" * 400, "1e00000000000000000001"]
    tokens += ["0.0", "-0.0", "0", "0e5", "-0e-999999999999", "0.000e1", "1e-99999999999999999999"]

    assert not wrong(read, tokens)


def test_every_power_of_ten_and_of_two(read: Read) -> None:
    tens = [f"{digit}e{power}" for power in range(-345, 310) for digit in range(1, 10)]
    twos = [repr(2.0**power) for power in range(-1074, 1024)]
    neighbours = [repr(float(np.nextafter(float(token), 0))) for token in twos]

    assert not wrong(read, tens + twos + neighbours)


def test_all_lengths_of_whole_part_and_fraction(read: Read, rng: random.Random) -> None:
    def digits(length: int) -> str:
        return "".join(rng.choices("123456789", k=length))

    tokens = [f"{digits(a)}.{digits(b)}" for a in range(1, 26) for b in range(1, 26)]

    assert not wrong(read, [*tokens, *map(digits, range(1, 26))])
    assert left_to_float(read, [t for t in tokens if len(t) <= 20]) < 0.01


def test_an_integer_has_no_negative_zero(read: Read) -> None:
    values, _ = read(["-0", "-0.0", "-0e0"])

    assert [struct.pack("<d", value)[-1] for value in values] == [0, 0x80, 0x80]


def test_words_for_what_is_no_number(read: Read) -> None:
    values, kinds = read(["null", "NaN", "Infinity", "-Infinity"])

    assert kinds.tolist() == [_decimal.NULL, _decimal.NOT_A_NUMBER, NUMBER, NUMBER]
    assert np.isnan(values[:2]).all()
    assert values[2:].tolist() == [np.inf, -np.inf]
