"""The data that scripts draw from: small columnar files that a <script> element can load.

`fetch` fails on file://, a script does not. Each file is one call, ``CB.put(name, data)``.
"""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise

import numpy as np

from convbench.report.history import default_machine, first_series
from convbench.report.links import link_template, parameter_key
from convbench.report.matrix import Matrix
from convbench.report.measurements import Measurements
from convbench.report.naming import line_order, records
from convbench.report.packed_columns import DIGITS, pack_counts, pack_values
from convbench.report.paradox import Paradox
from convbench.report.points import Points, run_name
from convbench.report.rounding import short
from convbench.report.sample_files import STEP, SampleWriter
from convbench.report.series import Change, Line, PointColumns, Series
from convbench.report.tags import find_tags
from convbench.report.versions import families, version_order
from convbench.report.why_figure import WhyPicture
from convbench.report.winners import MEASURE

# Characters that, in old engines, end a line of JavaScript.
LINE_ENDS = {"\u2028": "\\u2028", "\u2029": "\\u2029"}
# The same, and what could end a script element.
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", **LINE_ENDS}


def script(name: str, data: object, unsafe: Mapping[str, str] = UNSAFE) -> str:
    """Write one data file; no name in it can leave its string."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in unsafe.items():
        text = text.replace(character, escape)
    return f'CB.put("{name}",{text});\n'


def data_files(
    measurements: Measurements,
    series: Sequence[Series],
    matrices: Sequence[Matrix],
    paradoxes: Sequence[Paradox],
    repo_url: str = "",
) -> dict[str, str]:
    """Make all data files of a site, by their path in it."""
    numbers: dict[tuple[str, ...], int] = {}
    groups: dict[int, list[object]] = {}
    sampled: dict[int, list[list[list[list[object]]]]] = {}
    places = []
    lines = LineWriter(measurements)
    for one in series:
        number = numbers.setdefault(_file_key(one), len(numbers))
        group = groups.setdefault(number, [])
        places.append((number, len(group)))
        group.append({"unit": one.unit, "lines": [lines.write(one, line) for line in one.lines]})
        samples = [lines.samples.write(one, line) for line in one.lines]
        sampled.setdefault(number, []).append(samples)
    files = {f"data/h/{n}.js": script(f"h/{n}", group) for n, group in groups.items()}
    files |= {
        f"data/s/{n}.js": script(f"s/{n}", group)
        for n, group in sampled.items()
        if any(chain.from_iterable(group))
    }
    files["data/sizes.js"] = script("sizes", [_size(one) for one in series])
    if measurements.commits and all(commit.minute is not None for commit in measurements.commits):
        files["data/times.js"] = script("times", _times(measurements))
    files["data/meta.js"] = script(
        "meta", _meta(measurements, series, matrices, places, repo_url) | lines.meta
    )
    if paradoxes:
        files["data/why.js"] = script("why", [_paradox_data(one) for one in paradoxes])
    return files


def _file_key(one: Series) -> tuple[str, ...]:
    """Keep together what a reader switches between: the measures of a strategy on a problem."""
    return (one.strategy, one.problem) if one.strategy else ("", "", one.measure)


def _meta(
    measurements: Measurements,
    series: Sequence[Series],
    matrices: Sequence[Matrix],
    places: Sequence[tuple[int, int]],
    repo_url: str,
) -> dict[str, object]:
    names = {"dtype": "Data type"}
    parameters = _parameters(series)
    measures = list(dict.fromkeys(one.measure for one in series))
    first = first_series(series, matrices)
    return {
        "project": measurements.project,
        "minCommits": measurements.min_commits,
        "unsearched": measurements.unsearched,
        "commitUrl": link_template(repo_url),
        "commits": [[c.commit, c.date, c.subject] for c in measurements.commits],
        "dated": all(commit.minute is not None for commit in measurements.commits),
        # Position and tag; the third where the first measured commit after it stands for it.
        "tags": [[at, tag, *([] if own else [1])] for at, tag, own in find_tags(measurements)],
        "parameters": [
            [name, parameter_key(name), names.get(name, name.capitalize())] for name in parameters
        ],
        "measures": [[m, next(one.unit for one in series if one.measure == m)] for m in measures],
        "lines": sorted({line.name for one in series for line in one.lines}, key=line_order),
        "machines": sorted({line.machine for one in series for line in one.lines}),
        "machine": default_machine(series, first) if first else "",
        "first": series.index(first) if first else -1,
        "series": [
            [
                measures.index(one.measure),
                *place,
                [dict(one.params).get(name) for name in parameters],
                *([1] if all(line.always_skipped for line in one.lines) else []),
            ]
            for one, place in zip(series, places, strict=True)
        ],
        "sampleStep": STEP,
        "rates": {
            "measure": MEASURE,
            "flops": sorted(
                [str(row["problem"]), int(row["flops"])]
                for row in records(measurements.tables["problems"])
            ),
        },
    }


def _size(one: Series) -> int | None:
    """Give the size of a series' newest value, in hundredths of a power of ten.

    That is enough to know the fastest few of many before their files are loaded.
    """
    for line in one.lines:
        if line.values.size:
            value = line.values[-1]
            return round(100 * math.log10(value)) if value > 0 else None
    return None


def _times(measurements: Measurements) -> list[int]:
    """Give the first commit's minute, and for each other those since the commit before it."""
    minutes = [commit.minute or 0 for commit in measurements.commits]
    return [minutes[0], *(now - before for before, now in pairwise(minutes))]


def _parameters(series: Sequence[Series]) -> list[str]:
    """Name all parameters, a convolution's own first."""
    names = dict.fromkeys(name for one in series for name, _ in one.params)
    own = [name for name in ("problem", "strategy", "dtype") if name in names]
    return own + [name for name in names if name not in own]


class LineWriter:
    """Writes lines in columns, with what all of them share: runs by number, BLAS families."""

    def __init__(self, measurements: Measurements) -> None:
        self._points = Points(measurements)
        self.samples = SampleWriter(measurements)
        self._families = families(measurements)
        self.meta: dict[str, object] = {
            "runs": [
                [run_name(run), *filter(None, [measurements.disturbed.get((machine, run))])]
                for machine, run in self._points.runs
            ],
            "versions": version_order(measurements),
        }

    def write(self, one: Series, line: Line) -> dict[str, object]:
        """Write one line; intervals only where there is one, statuses only where not ok."""
        columns = line.columns
        data: dict[str, object] = {
            "machine": line.machine,
            "name": line.name,
            "identity": line.identity,
            "x": pack_counts(columns.position),
            "runs": pack_counts([self._points.runs[line.machine, run] for run in columns.run]),
            **_value_columns(columns),
        }
        if any(columns.run):
            data["ofRun"] = self._points.after_run(one, line)
        if not all(columns.run):
            data["ofCommit"] = self._points.around_commit(one, line)
        if family := self._families[line.machine, line.name]:
            data["family"] = family
        bad = np.flatnonzero(np.isnan(columns.value)).tolist()
        if bad:
            data["bad"] = [[at, columns.status[at]] for at in bad]
        if sampled := self.samples.points(one, line):
            # Most often the newest points have some: then their first number says it all.
            newest = list(range(sampled[0], len(columns.position)))
            data["samples"] = sampled[0] if sampled == newest else sampled
        if line.searched != line.values.size:
            data["searched"] = line.searched
        if line.changes:
            data["changes"] = [_change_data(change) for change in line.changes]
        return data


def _value_columns(columns: PointColumns) -> dict[str, object]:
    if np.isnan(columns.low).all():
        return pack_values(columns.value)
    return pack_values(columns.value, columns.low, columns.high)


def _change_data(change: Change) -> list[object]:
    numbers = [_short(number) for number in (change.before, change.after, change.ratio)]
    data: list[object] = [change.position, *numbers, change.kind]
    if not change.event:
        return data
    bounds = [_short(change.low), _short(change.high)]
    return [*data, *bounds, change.event, change.cause, change.triage]


def _paradox_data(one: Paradox) -> Mapping[str, object]:
    """Write the points, and where the picture has them and their words, in parts of the plot."""
    picture = one.picture
    arrow = picture.arrow
    return {
        "machine": one.machine,
        "line": one.line,
        "dtype": one.dtype,
        "flops": one.question.flops,
        "asked": next((s.name for s in picture.spots if s.role == "asked"), None),
        "fastest": one.explanation.rows[0].name,
        "names": [timing.name for timing in one.timings],
        "seconds": [_short(timing.seconds) for timing in one.timings],
        "operations": [timing.flops or one.question.flops for timing in one.timings],
        "dense": [one.dense.name, _short(one.dense.seconds), one.dense.flops],
        "domains": [list(map(_short, picture.x_domain)), list(map(_short, picture.y_domain))],
        "height": picture.height,
        # A peak is a rate, a bandwidth the time that the question's bytes take.
        "roofs": [
            [
                line.roof.words,
                _short(line.roof.rate) if line.roof.is_peak else None,
                _short(line.seconds),
                *_parts(picture, line.label.x, line.label.y),
                line.label.anchor,
            ]
            for line in picture.roofs
        ],
        "labels": [
            [*_parts(picture, spot.label.x, spot.label.y), spot.label.anchor]
            for spot in picture.spots
        ],
        "arrow": arrow and [arrow.label, *_parts(picture, *arrow.at(arrow.part))],
    }


def _parts(picture: WhyPicture, x: float, y: float) -> tuple[float, float]:
    """Give a place as parts of the plot's width and height, from the lower left."""
    across = (x - picture.left) / (picture.right - picture.left)
    return round(across, 4), round((picture.bottom - y) / (picture.bottom - picture.top), 4)


def _short(value: float | None) -> float | None:
    """Keep six digits: half the bytes, and rounding again for display gives what the page says."""
    return None if value is None or not math.isfinite(value) else short(value, DIGITS)
