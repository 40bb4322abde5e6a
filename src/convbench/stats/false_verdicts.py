"""What repeated comparisons of arms with a known difference say about the comparison itself.

Runs are independent: other processes, other minutes. Cells of one run share processes, so what
disturbs one may disturb others; bounds are therefore given both per cell, as if cells were
independent, and per run, which need not assume it.

References
----------
Clopper & Pearson, "The use of confidence or fiducial limits illustrated in the case of the
binomial", Biometrika 26, 1934.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from convbench.stats.block_comparison import Judgement, Verdict
from convbench.stats.null_control import upper_bound


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseVerdicts:
    """Counts over several runs.

    Parameters
    ----------
    runs, cells
        How many; cells over all runs, without failed ones.
    slower, faster, same, ambiguous
        Verdicts. Of equal arms SLOWER and FASTER are false.
    cells_below, runs_below
        Shares of cells, and of runs with any, called SLOWER or FASTER: the true ones lie below
        these with 95 % confidence (Clopper and Pearson).
    screened
        Cells whose stage 1 alone was significant at its level.
    symmetry
        Two-sided binomial p-value that stage 1 leans to neither side: of the signs of all cells.
    uniformity
        Kolmogorov and Smirnov's p-value that p-values of stage 1 are uniform; None unless all are
        of one look, which alone are uniform under the null hypothesis.
    median_ratio
        Median of the cells' ratios.
    """

    runs: int
    cells: int
    slower: int
    faster: int
    same: int
    ambiguous: int
    cells_below: float
    runs_below: float
    screened: int
    symmetry: float
    uniformity: float | None
    median_ratio: float


def false_verdicts(
    runs: Sequence[Sequence[Judgement]], *, alpha: float, one_look: bool
) -> FalseVerdicts:
    """Count verdicts over runs.

    Parameters
    ----------
    runs
        The judgements of each run.
    alpha
        Two-sided level of stage 1.
    one_look
        Whether stage 1 was looked at once only.
    """
    judged = [[one for one in run if one.verdict is not Verdict.FAILED] for run in runs]
    cells = [one for run in judged for one in run]
    directed = (Verdict.SLOWER, Verdict.FASTER)
    counts = {verdict: sum(one.verdict is verdict for one in cells) for verdict in Verdict}
    affected = sum(any(one.verdict in directed for one in run) for run in judged)
    p_values = [one.p_screen for one in cells if one.p_screen is not None]
    ratios = [one.ratio for one in cells if one.ratio is not None]
    above = sum(ratio > 1 for ratio in ratios)
    return FalseVerdicts(
        runs=len(runs),
        cells=len(cells),
        slower=counts[Verdict.SLOWER],
        faster=counts[Verdict.FASTER],
        same=counts[Verdict.SAME],
        ambiguous=counts[Verdict.AMBIGUOUS],
        cells_below=upper_bound(sum(counts[verdict] for verdict in directed), len(cells)),
        runs_below=upper_bound(affected, len(runs)),
        screened=sum(p <= alpha for p in p_values),
        symmetry=float(stats.binomtest(above, len(ratios)).pvalue) if ratios else 1.0,
        uniformity=float(stats.kstest(p_values, "uniform").pvalue)
        if one_look and p_values
        else None,
        median_ratio=float(np.median(ratios)) if ratios else float("nan"),
    )
