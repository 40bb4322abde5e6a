"""Numbers as people read them: three digits, a fitting unit, one way on every page."""

import math

SECONDS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
BYTES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("bytes", 1.0))
FLOPS_PER_SECOND = (("TFLOP/s", 1e12), ("GFLOP/s", 1e9), ("MFLOP/s", 1e6), ("flop/s", 1.0))
BYTES_PER_SECOND = (("TB/s", 1e12), ("GB/s", 1e9), ("MB/s", 1e6), ("byte/s", 1.0))
SCALES = {
    "seconds": SECONDS,
    "bytes": BYTES,
    "flop/s": FLOPS_PER_SECOND,
    "byte/s": BYTES_PER_SECOND,
}


def significant(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, thousands apart, as in 1,300 or 0.11."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    # Rounding first: 999.9 has three digits before the point only after it became 1000.
    rounded = float(f"{value:.{digits - 1}e}")
    magnitude = math.floor(math.log10(abs(rounded)))
    if not -3 <= magnitude <= 15:
        mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{rounded:,.{max(digits - 1 - magnitude, 0)}f}"


def scale_of(value: float, unit: str) -> tuple[str, float]:
    """Give the unit in which a value has one to three digits before the point, and its size."""
    scales = SCALES.get(unit, ((unit, 1.0),))
    for name, size in scales:
        # 0.9995 ms would be written 1,000 µs: a unit starts a little below its size.
        if abs(value) >= size * 0.9995:
            return name, size
    return scales[-1]


def quantity(value: float, unit: str, digits: int = 3) -> str:
    """Write a value with its unit: 13.8 ms, 41.2 MB, 3.1e-7 relative error."""
    name, size = scale_of(value, unit)
    return f"{significant(value / size, digits)} {name}".rstrip()


def distinct_quantities(one: float, other: float, unit: str) -> tuple[str, str]:
    """Write two values in as many digits as tell them apart: 146.1 µs, 146.4 µs."""
    for digits in (3, 4, 5):
        written = quantity(one, unit, digits), quantity(other, unit, digits)
        if one == other or written[0] != written[1]:
            break
    return written


def seconds(value: float) -> str:
    """Write a time."""
    return quantity(value, "seconds")


def times(ratio: float) -> str:
    """Write a factor: 1.04, 6.8, 124, 1,300; never more digits than a timing deserves."""
    if ratio < 1.095:
        return significant(ratio, 3 if ratio >= 1 else 2)
    return significant(ratio, 2 if ratio < 99.5 else 3)


def percent(ratio: float) -> str:
    """Write a ratio after ÷ before as a change: 1.21 is +21 %, 2.58 is +158 %, 3.4 is ×3.4."""
    if ratio >= 3:
        return f"×{times(ratio)}"
    change = (ratio - 1) * 100
    digits = 2 if abs(change) < 99.5 else 3
    return f"{'+' if change >= 0 else '−'}{significant(abs(change), digits)} %"


def operations(flops: float) -> str:
    """Write a number of operations with its thousands: 61,440; above ten million 1.85 G."""
    for name, size in (("G", 1e9), ("M", 1e7)):
        if flops >= size:
            return f"{significant(flops / {'G': 1e9, 'M': 1e6}[name])} {name}"
    return f"{flops:,.0f}"


def gflops_per_second(flops: float, value: float) -> float:
    """Give the rate of so many operations in so many seconds."""
    return flops / value / 1e9


def rate(gflops: float) -> str:
    """Write a rate in GFLOP/s, and below a tenth in MFLOP/s."""
    if gflops < 0.0995:
        return f"{significant(gflops * 1e3)} MFLOP/s"
    return f"{significant(gflops)} GFLOP/s"


def round_quantity(value: float, unit: str) -> str:
    """Write a round value, such as a tick, without the zeros that a measured one has."""
    name, size = scale_of(value, unit)
    return f"{value / size:,.10g} {name}".rstrip()


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun: 1 commit, 3 commits, 2 series."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
