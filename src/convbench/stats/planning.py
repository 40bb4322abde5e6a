"""How many blocks a difference needs, and which difference so many blocks can show.

A one-sided Student test on n block values of standard deviation s and true mean μ has a statistic
that follows the non-central t distribution with n − 1 degrees of freedom and non-centrality
√n·μ/s, exactly, for normal values. Nothing here uses the normal approximation, which promises too
much for few blocks: 6 instead of 11 at s = 1 %, μ = 2 %, α = .001 and 95 % power.

Effects are ratios (time of HEAD ÷ time of BASE); μ = |log ratio|, so that 1.05 and 1 / 1.05 are
the same effect. `spread` is s: the standard deviation of the logarithmic block values.
"""

import math

from scipy import special

from convbench.errors import BadUsage

MOST_BLOCKS = 1_000_000
"""More blocks than anyone can measure: beyond, an effect counts as out of reach."""


def detection_power(spread: float, ratio: float, blocks: int, *, alpha: float) -> float:
    """Return the chance that a one-sided t test at `alpha` finds this ratio with so many blocks.

    Examples
    --------
    >>> round(detection_power(0.01, 1.02, 10, alpha=0.001), 2)
    0.93
    """
    _check(spread, alpha)
    if blocks < 2:
        return 0.0
    critical = special.stdtrit(blocks - 1, 1 - alpha)
    noncentrality = math.sqrt(blocks) * abs(math.log(ratio)) / spread
    if noncentrality > 2 * critical + 40:
        return 1.0  # beyond what the distribution function can be asked, and certain
    return float(1 - special.nctdtr(blocks - 1, noncentrality, critical))


def blocks_needed(spread: float, ratio: float, *, alpha: float, power: float) -> int | None:
    """Return the fewest blocks with which a one-sided t test at `alpha` has this power.

    Returns
    -------
    int or None
        None for a ratio of one, and where more than `MOST_BLOCKS` would be needed.

    Examples
    --------
    >>> blocks_needed(0.01, 1.02, alpha=0.001, power=0.95)
    11
    """
    _check(spread, alpha)

    def enough(blocks: int) -> bool:
        return detection_power(spread, ratio, blocks, alpha=alpha) >= power

    high = 2
    while not enough(high):
        high *= 2
        if high > MOST_BLOCKS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def minimum_detectable_ratio(spread: float, blocks: int, *, alpha: float, power: float) -> float:
    """Return the least ratio above one that so many blocks find with this power.

    Its reciprocal is the least speed-up that they find. Infinite with fewer than two blocks.

    Examples
    --------
    >>> round(minimum_detectable_ratio(0.01, 11, alpha=0.001, power=0.95), 3)
    1.019
    """
    _check(spread, alpha)
    if blocks < 2:
        return math.inf
    critical = special.stdtrit(blocks - 1, 1 - alpha)
    # The non-centrality at which the statistic stays below the critical value as rarely as asked.
    noncentrality = float(special.nctdtrinc(blocks - 1, 1 - power, critical))
    exponent = noncentrality * spread / math.sqrt(blocks)
    return math.exp(exponent) if exponent < 700 else math.inf


def _check(spread: float, alpha: float) -> None:
    if not 0 < spread < math.inf:
        raise BadUsage(f"the spread of block values is {spread}; give a positive number")
    if not 0 < alpha < 0.5:
        raise BadUsage(f"the significance level is {alpha}; give a number between 0 and 0.5")
