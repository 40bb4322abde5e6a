"""The measured roofs above one build on one machine: peaks of arithmetic, bandwidth by level.

They are ordinary histories, of the benchmarks named here. A store without them has no roofs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from convbench.report.links import history_link
from convbench.report.readable import quantity
from convbench.report.series import Series

ARITHMETIC = "ceilings.Arithmetic.track_flops_per_second"
BANDWIDTH = "ceilings.Bandwidth.track_bytes_per_second"
NAMES = {"gemm": "GEMM", "fma": "FMA"}
ORDER = ("gemm", "fma", "L1", "L2", "L3", "DRAM")


@dataclass(frozen=True, slots=True)
class Roof:
    """A highest rate, in flop/s or byte/s, with a link to its history."""

    name: str
    rate: float
    unit: str
    link: str = ""

    @property
    def words(self) -> str:
        """The name with its rate."""
        return f"{self.name} {quantity(self.rate, self.unit)}"

    @property
    def is_peak(self) -> bool:
        """Whether it bounds operations, not bytes."""
        return self.unit == "flop/s"

    def seconds(self, flops: int, moved_bytes: int) -> float:
        """Give the least time for so many operations, or so many bytes."""
        return (flops if self.is_peak else moved_bytes) / self.rate


def roofs_of(series: Sequence[Series], machine: str, line: str, dtype: str) -> tuple[Roof, ...]:
    """Give the newest roofs of a line, peaks first; those of one dtype, where it matters."""
    found = {}
    for one in series:
        if one.benchmark not in (ARITHMETIC, BANDWIDTH) or one.dtype not in ("", dtype):
            continue
        params = dict(one.params)
        name = params.get("kernel") or params.get("level", "")
        if name in ORDER and (rate := _newest(one, machine, line)):
            link = history_link(one, machine)
            found[name] = Roof(NAMES.get(name, name), rate, one.unit, link)
    return tuple(found[name] for name in ORDER if name in found)


def _newest(one: Series, machine: str, line: str) -> float | None:
    values = [
        value
        for each in one.lines
        if (each.machine, each.name) == (machine, line)
        for value in each.values.tolist()
    ]
    return values[-1] if values else None
