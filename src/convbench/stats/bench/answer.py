"""Everything that a run of the bench found, as text, Markdown and JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from convbench.stats.bench import table
from convbench.stats.bench.detectors import Detector
from convbench.stats.bench.figures import Figure
from convbench.stats.bench.goals import Goal
from convbench.stats.bench.injection import DETECT


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that a run found; times and what depends on them apart."""

    made_by: str
    seed: int
    share: float
    detectors: tuple[Detector, ...]
    left_out: tuple[str, ...]
    figures: tuple[Figure, ...]
    timed: tuple[Figure, ...]
    goals: tuple[Goal, ...]
    time_goals: tuple[Goal, ...]

    def as_json(self) -> str:
        """Write one JSON document; the same seed gives the same bytes but for the key `cost`."""
        document: dict[str, Any] = {
            "made_by": self.made_by,
            "seed": self.seed,
            "share_of_series": self.share,
            "detectors": [
                {"name": one.name, "rule": one.rule, "package": one.distribution}
                | {"version": one.version}
                for one in self.detectors
            ],
            "left_out": self.left_out,
            "figures": table.as_rows(self.figures),
            "goals": [asdict(goal) for goal in self.goals],
            "cost": {
                "figures": table.as_rows(self.timed),
                "goals": [asdict(goal) for goal in self.time_goals],
            },
        }
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def lines(self, *, markdown: bool) -> Iterator[str]:
        """Write tables, goals and what was left out."""
        bullet = "- " if markdown else "  "
        render = table.in_markdown if markdown else table.in_text
        for figures, judged in ((self.figures, self.goals), (self.timed, self.time_goals)):
            for sheet in table.sheets(figures):
                yield from render(sheet)
            if judged:
                yield from ("", "Goals:", "")
                yield from (f"{bullet}{_told(goal)}" for goal in judged)
                yield ""
        yield from ("", f"Made by {self.made_by}. The detectors:", "")
        if any(one.detector == DETECT for one in self.figures):
            yield (
                f"{bullet}{DETECT}: ours, after what the benchmarks of an environment share at a "
                "commit is taken out, as `convbench detect` does"
            )
        for one in self.detectors:
            version = f", {one.distribution} {one.version}" if one.distribution else ""
            yield f"{bullet}{one.name}: {one.rule}{version}"
        yield from (f"{bullet}{text}" for text in self.left_out)


def _told(goal: Goal) -> str:
    return f"{goal.verdict}: {goal.text}: {goal.measured}"
