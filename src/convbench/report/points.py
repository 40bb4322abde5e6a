"""One stored value by its name, and the command that measures it again."""

import re
import shlex
from collections.abc import Mapping

from convbench.report.measurements import Measurements
from convbench.report.series import Line, Series
from convbench.results.points import point_of


class Points:
    """The names of all points of a project.

    `runs` numbers each machine's runs in the order of their commits, so that the runs of a history
    that misses no commit count up by one.
    """

    def __init__(self, measurements: Measurements) -> None:
        self._rows = measurements.rows_of_lines
        self._commits = measurements.commits
        order = ["machine", "position", "started_at", "run"]
        # Most rows repeat another one here; sorting all of them would take seconds.
        runs = measurements.newest[order].fillna({"run": ""}).drop_duplicates()
        listed = runs.sort_values(order, kind="stable")
        unique = dict.fromkeys(zip(listed["machine"], listed["run"], strict=True))
        self.runs: Mapping[tuple[str, str], int] = {key: at for at, key in enumerate(unique)}

    def name(self, one: Series, line: Line, run: str, position: int) -> str:
        """Name the point that a run measured at a commit; the run may be empty."""
        row = self._rows[line.machine, line.name]
        commit = self._commits[position].commit
        asked = {"benchmark": one.benchmark, "params": dict(one.params)}
        return str(point_of({**row, **asked, "run": run, "commit": commit}))

    def after_run(self, one: Series, line: Line) -> str:
        """Give what follows the run in the names of a line's points."""
        return f"/{self.name(one, line, 'any', 0).split('/', 1)[1]}"

    def around_commit(self, one: Series, line: Line) -> tuple[str, str]:
        """Give what stands before and after the commit where points belong to no run."""
        project, machine, _, rest = self.name(one, line, "", 0).split("/", 3)
        return f"{project}/{machine}/", f"/{rest}"


def run_name(run: str) -> str:
    """Write a run as it stands in the names of its points."""
    anything = {"run": run, "blas": "", "threads": "", "benchmark": "", "params": {}}
    return str(point_of(anything)).split("/", 1)[0] if run else ""


def command(point: str) -> str:
    """Write the command that measures a point again, safe to paste into a shell.

    Double quotes leave the single ones of the parameters as they are; a name that a shell would
    read something into is quoted character by character.
    """
    quoted = shlex.quote(point) if re.search(r'["$`\\!\n]', point) else f'"{point}"'
    option = "-- " if point.startswith("-") else ""
    return f"convbench reproduce {option}{quoted}"
