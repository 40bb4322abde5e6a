"""What the blocks of a comparison say about each cell, in numbers.

A *block* is four fresh processes in order A B B A (the next one B A A B). Its *value* for a cell is
the mean log time of HEAD minus the mean log time of BASE. Blocks are the unit of evidence: what
repeats inside one process is not independent. The order cancels any linear drift within a block.

Evidence comes in two stages. *Stage 1* screens: its values are looked at only when their number is
one of `Settings.looks`. *Stage 2* confirms, on other processes, what stage 1 selected. Whatever is
measured between two looks sharpens the shown interval and decides nothing, so that the looks stay
as many as were paid for.

**Student's t.** Under the null hypothesis the arms are exchangeable, so a block value is symmetric
about zero whatever the noise; heavier tails than normal ones make the t test reject less often
(measured, both sides, one look at 10, 20 or 40 blocks at a level of 3.3e-4: normal 3.3e-4, 3.8e-4,
3.2e-4; Student's t with 3 degrees of freedom 1.3e-4, 1.6e-4, 0.8e-4; one block in ten displaced by
6 sd 0.8e-4, 0.4e-4, 0). A trimmed mean (Yuen 1974) finds more where tails are heavy, yet exceeds
its level at 10 normal blocks (5.0e-4) and finds less there (.77 instead of .93), so values are
neither clipped nor trimmed.

**Autocorrelation** does inflate the t test: 10 to 20 times at that level for a lag-1 correlation of
.3. The correlation ρ is therefore estimated from stage 1 of all cells together, one standard error
is subtracted so that white noise pays nothing, and every standard error grows by
√((1 + ρ) / (1 − ρ)), the limit for AR(1) noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from convbench.errors import BadResults, BadUsage

SPREAD_FLOOR = 1.5e-7
"""Least standard deviation of a block value: clocks tick in nanoseconds and a sample lasts 2 ms or
more, so rounding alone gives 1e-9 / 2e-3 / √12. Without it two equal values would be certainty."""

MOST_LOG_RATIO = 100.0
"""No two timings are so far apart: from a nanosecond to the age of the universe it is 61."""

MOST_CORRELATION = 0.8
"""Greatest lag-1 correlation that is corrected for; estimates above are as good as drift."""

INTERVAL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What counts as a difference, and how rarely chance may look like one.

    Parameters
    ----------
    margin
        Ratios within 1 / margin … margin are as good as equal (SAME).
    threshold
        Ratio above which a confirmed regression closes the gate.
    q
        False-discovery rate of stage 1 over all cells of the run (Benjamini and Hochberg 1995).
    screen_alpha
        Two-sided level of stage 1 per cell, over all its looks together.
    confirm_alpha
        One-sided level of stage 2.
    same_alpha
        Level of the two one-sided tests of equivalence, over all looks and stage 2 together.
    looks
        Numbers of stage 1 blocks at which a cell is judged. Each look may spend an equal share of
        `screen_alpha` (Bonferroni: exact whatever the dependence between looks).
    """

    margin: float = 1.02
    threshold: float = 1.05
    q: float = 0.05
    screen_alpha: float = 0.001
    confirm_alpha: float = 0.05
    same_alpha: float = 0.05
    looks: tuple[int, ...] = (10, 20, 40)

    def __post_init__(self) -> None:
        for name in ("margin", "threshold"):
            value = getattr(self, name)
            if not 1 < value < math.inf:
                raise BadUsage(f"the {name} is the ratio {value}; give one above 1, as 1.05")
        if self.margin > self.threshold:
            raise BadUsage(
                f"the margin {self.margin:g} lies above the threshold {self.threshold:g}: a"
                " regression between them would be called SAME and pass the gate; give a smaller"
                " margin or a higher threshold"
            )
        for name in ("q", "screen_alpha", "confirm_alpha", "same_alpha"):
            value = getattr(self, name)
            if not 0 < value < 0.5:
                raise BadUsage(f"{name} is {value}; give a probability between 0 and 0.5")
        rising = all(a < b for a, b in zip(self.looks, self.looks[1:], strict=False))
        if not self.looks or self.looks[0] < 2 or not rising:
            raise BadUsage(f"the looks are {self.looks}; give rising numbers of blocks from 2 up")

    @property
    def look_alpha(self) -> float:
        """Two-sided level of one look at stage 1."""
        return self.screen_alpha / len(self.looks)

    @property
    def equivalence_alpha(self) -> float:
        """Level of each one-sided test of equivalence: at every look and once after stage 2."""
        return self.same_alpha / (len(self.looks) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The block values of one cell.

    Parameters
    ----------
    name
        Full name of the cell; unique in a run.
    screen
        Block values of stage 1 in order of measurement: log time of HEAD − log time of BASE.
    confirm
        Block values of stage 2, from other processes; often none.
    failed
        Why an arm gave no value; empty where both did.
    """

    name: str
    screen: NDArray[np.float64]
    confirm: NDArray[np.float64]
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of some block values with its error.

    Parameters
    ----------
    blocks
        Number of values; one value has a mean and an infinite error.
    mean, error
        Mean log ratio and its standard error, widened for autocorrelation.
    """

    blocks: int
    mean: float
    error: float

    @property
    def spread(self) -> float:
        """Standard deviation of a block value, widened alike: what planning works with."""
        return self.error * math.sqrt(self.blocks)

    def p_above(self) -> float:
        """Return the one-sided p-value against a mean of zero or below."""
        if self.blocks < 2:
            return 1.0
        return float(special.stdtr(self.blocks - 1, -self.mean / self.error))

    def p_different(self) -> float:
        """Return the two-sided p-value against a mean of zero."""
        if self.blocks < 2:
            return 1.0
        return float(2 * special.stdtr(self.blocks - 1, -abs(self.mean) / self.error))

    def reach(self, alpha: float) -> float:
        """Return how far the one-sided bounds of level `alpha` lie from the mean."""
        if self.blocks < 2:
            return math.inf
        return self.error * float(special.stdtrit(self.blocks - 1, 1 - alpha))

    def within(self, margin: float, alpha: float) -> bool:
        """Tell whether two one-sided tests place the ratio inside 1 / margin … margin."""
        return abs(self.mean) + self.reach(alpha) < math.log(margin)


def estimate(values: NDArray[np.float64], correlation: float = 0.0) -> Estimate:
    """Estimate the mean of block values that are correlated with their neighbours so much."""
    blocks = len(values)
    if blocks < 2:
        return Estimate(blocks, float(values[0]) if blocks else 0.0, math.inf)
    spread = max(float(np.std(values, ddof=1)), SPREAD_FLOOR)
    inflation = math.sqrt((1 + correlation) / (1 - correlation))
    return Estimate(blocks, float(np.mean(values)), spread * inflation / math.sqrt(blocks))


def shared_correlation(cells: Sequence[NDArray[np.float64]]) -> float:
    """Estimate the lag-1 correlation that neighbouring blocks have in all cells of a run.

    The usual estimate r of n values falls short by about (1 + 4ρ) / n (Kendall 1954), which is
    undone per cell; the mean over cells, weighted by n, loses one standard error 1 / √Σn.

    Returns
    -------
    float
        Between 0 and `MOST_CORRELATION`; 0 without a cell of at least six blocks.
    """
    weighted, total = [], 0
    for values in cells:
        residuals = values - values.mean() if len(values) >= 6 else values[:0]
        square = float(residuals @ residuals)
        if square > len(values) * SPREAD_FLOOR**2:
            count = len(values)
            raw = float(residuals[1:] @ residuals[:-1]) / square
            weighted.append(count * (raw + 1 / count) / (1 - 4 / count))
            total += count
    if not total:
        return 0.0
    # fsum is exact: the order of the cells changes no bit.
    pooled = math.fsum(weighted) / total - 1 / math.sqrt(total)
    return min(max(pooled, 0.0), MOST_CORRELATION)


def checked(evidence: Sequence[Evidence]) -> None:
    """Refuse block values that no timing gives, and names that stand twice."""
    names: set[str] = set()
    for cell in evidence:
        if cell.name in names:
            raise BadResults(f"the cell {cell.name!r} stands twice; give each cell once")
        names.add(cell.name)
        for values in (cell.screen, cell.confirm):
            # NaN fails this as well.
            if not (np.abs(values) <= MOST_LOG_RATIO).all():
                raise BadResults(
                    f"the cell {cell.name!r} has block values that no timing gives: NaN, or beyond"
                    f" ±{MOST_LOG_RATIO:g}; drop such blocks or mark the cell as failed"
                )
