"""The highest rates measured on each machine, whichever BLAS build reached them."""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.links import history_link
from convbench.report.measurements import Measurements, text
from convbench.report.readable import quantity
from convbench.report.roofs import ARITHMETIC, BANDWIDTH, NAMES, ORDER
from convbench.report.series import Series

FLOPS_PER_SECOND = "flop/s"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest newest rate of one kind on a machine, and the BLAS build that reached it.

    `kind` is one of `roofs.ORDER`; `threads` is the environments' word for their number of threads.
    """

    machine: str
    kind: str
    dtype: str
    threads: str
    rate: float
    unit: str
    blas: str
    link: str

    @property
    def name(self) -> str:
        """The kind as it is written: GEMM, FMA, L1."""
        return NAMES.get(self.kind, self.kind)

    @property
    def words(self) -> str:
        """The rate with its unit."""
        return quantity(self.rate, self.unit)


def ceilings(measurements: Measurements, series: Sequence[Series]) -> tuple[Ceiling, ...]:
    """Find the ceilings of all machines: peaks first, then bandwidths from the nearest memory."""
    best: dict[tuple[str, ...], Ceiling] = {}
    for one in series:
        params = dict(one.params)
        kind = params.get("kernel") or params.get("level", "")
        if one.benchmark not in (ARITHMETIC, BANDWIDTH) or kind not in ORDER:
            continue
        for line in one.lines:
            row = measurements.rows_of_lines[line.machine, line.name]
            key = (line.machine, kind, one.dtype, text(row["threads"]))
            rate = float(line.values[-1]) if line.values.size else 0.0
            if rate > 0 and (key not in best or rate > best[key].rate):
                link = history_link(one, line.machine)
                best[key] = Ceiling(*key, rate, one.unit, text(row["blas"]), link)
    return tuple(
        sorted(
            best.values(),
            key=lambda one: (ORDER.index(one.kind), one.dtype, one.threads != "1", one.machine),
        )
    )


def measured_peak(
    found: Sequence[Ceiling], machine: str, dtype: str, threads: str
) -> Ceiling | None:
    """Give a machine's peak for a data type and number of threads: its fastest GEMM or FMA."""
    peaks = [
        one
        for one in found
        if one.unit == FLOPS_PER_SECOND
        and (one.machine, one.dtype, one.threads) == (machine, dtype, threads)
    ]
    return max(peaks, key=lambda one: one.rate, default=None)
