"""Real collections of other projects, whole, against plain `json` and nothing of convbench."""

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from asv_tree import source_in

from convbench.results import collect, load, load_table

DATA = Path(__file__).parents[3] / "shared" / "data"

COLLECTIONS = ("asv-blas-benchmarks", "asv-numpy-bench", "asv-poliastro-v1")

NUMBERS = ("value", "ci_low", "ci_high", "q25", "q75", "number", "repeat")
COLUMNS = ("result", "ci_99_a", "ci_99_b", "q_25", "q_75", "number", "repeat")

Cells = dict[str, list[Any]]


def cells_of(data: dict[str, Any]) -> Iterator[Cells]:
    """Yield each benchmark's lists, one item per combination, from a file of either format."""
    for entry in data["results"].values():
        said = _format_2(data, entry) if data["version"] == 2 else _format_1(entry)
        size = math.prod(len(axis) for axis in said.pop("params") or ())
        yield {name: [None] * size if cell is None else cell for name, cell in said.items()}


def _format_2(data: dict[str, Any], entry: list[Any]) -> dict[str, Any]:
    found = dict(zip(data["result_columns"], entry, strict=False))
    names = ("params", "result", *(f"stats_{name}" for name in COLUMNS[1:]))
    return {name.removeprefix("stats_"): found.get(name) for name in names}


def _format_1(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        entry = {"result": [entry]}
    every = entry.get("stats") or [None] * len(entry["result"])
    stats = [one or {"ci_99": [None, None]} for one in every]
    return {
        "params": entry.get("params"),
        "result": entry["result"],
        "ci_99_a": [one["ci_99"][0] for one in stats],
        "ci_99_b": [one["ci_99"][1] for one in stats],
        **{name: [one.get(name) for one in stats] for name in COLUMNS[3:]},
    }


def bits(numbers: Sequence[float]) -> list[int]:
    """Every number as the integer that its eight bytes are, sorted."""
    return sorted(np.array(numbers, np.float64).view(np.int64).tolist())


def tally(path: Path) -> dict[str, Any]:
    """What one file says: how often each outcome, and every number that it has, bit for bit."""
    statuses: Counter[str] = Counter()
    numbers: dict[str, list[float]] = {name: [] for name in NUMBERS}
    for cells in cells_of(json.loads(path.read_text())):
        for value in cells["result"]:
            skipped = isinstance(value, float) and math.isnan(value)
            statuses["failed" if value is None else "skipped" if skipped else "ok"] += 1
        for ours, theirs in zip(NUMBERS, COLUMNS, strict=True):
            told = [float(cell) for cell in cells[theirs] if cell is not None]
            numbers[ours] += [cell for cell in told if not math.isnan(cell)]
    return {"statuses": dict(statuses)} | {name: bits(found) for name, found in numbers.items()}


def tally_of_rows(rows: pd.DataFrame) -> dict[str, Any]:
    """The same of the rows of one source in the store."""
    return {"statuses": rows["status"].value_counts().to_dict()} | {
        name: bits(rows[name].dropna().to_numpy()) for name in NUMBERS
    }


@pytest.fixture(scope="module", params=COLLECTIONS)
def collected(request, tmp_path_factory) -> tuple[Path, Path, pd.DataFrame]:
    results = DATA / request.param / "results"
    if not results.is_dir():
        pytest.skip(f"needs the shared data: {results} is not there")
    store = tmp_path_factory.mktemp("store") / "store"
    summary = collect(results.parent, store)
    assert summary.damaged == ()
    return results, store, load(store)


def files_of(results: Path) -> list[Path]:
    return [path for path in sorted(results.glob("*/*.json")) if path.name != "machine.json"]


def test_every_file_has_the_outcomes_and_the_very_numbers_that_json_finds(collected):
    results, store, values = collected
    expected = {source_in(store, path): tally(path) for path in files_of(results)}

    found = {source: tally_of_rows(rows) for source, rows in values.groupby("source")}

    assert found.keys() == expected.keys()
    assert [source for source in expected if found[source] != expected[source]] == []


def test_every_row_names_what_its_file_names(collected):
    results, store, values = collected
    expected = {}
    for path in files_of(results):
        data = json.loads(path.read_text())
        place = (results.parent.name, path.parent.name, data["env_name"], data["commit_hash"])
        expected[source_in(store, path)] = (*place, data["date"])

    values["date"] = values["commit_date"].astype("int64")
    columns = ["project", "machine", "environment", "commit", "date"]
    places = values[["source", *columns]].drop_duplicates().set_index("source")

    assert dict(zip(places.index, places.itertuples(index=False, name=None), strict=True)) == (
        expected
    )
    assert values["value"].notna().equals(values["status"] == "ok")


def test_a_benchmark_has_a_row_for_each_combination_of_its_axes(collected):
    results, store, values = collected
    expected = Counter()
    for path in files_of(results):
        data = json.loads(path.read_text())
        for name, entry in data["results"].items():
            axes = (
                dict(zip(data.get("result_columns", ()), entry, strict=False)).get("params") or ()
            )
            expected[source_in(store, path), name] = math.prod(map(len, axes))

    assert Counter(zip(values["source"], values["benchmark"], strict=True)) == expected
    newest = values[values["source"] == values.loc[values["commit_date"].idxmax(), "source"]]
    assert not newest[["benchmark", "params"]].astype(str).duplicated().any()


def test_commits_are_numbered_by_date(collected):
    _, store, values = collected

    commits = load_table(store, "commits").sort_values("position")

    assert commits["position"].tolist() == list(range(values["commit"].nunique()))
    assert commits["commit_date"].is_monotonic_increasing


def test_a_parameter_has_the_name_of_the_axis_and_plain_text(collected):
    results, _, values = collected
    known = json.loads((results / "benchmarks.json").read_text())
    described = values[values["benchmark"].isin(known)]

    names = {
        (benchmark, tuple(params))
        for benchmark, params in zip(described["benchmark"], described["params"], strict=True)
    }

    assert all(list(params) == known[benchmark]["param_names"] for benchmark, params in names)
    quoted = [text for params in described["params"] for text in params.values() if text[:1] == "'"]
    assert quoted == []


def test_the_second_collection_reads_nothing(collected):
    results, store, values = collected

    summary = collect(results.parent, store)

    assert (summary.files_read, summary.files_unchanged) == (0, len(files_of(results)))
    assert (summary.ok, summary.failed, summary.skipped) == tuple(
        int((values["status"] == status).sum()) for status in ("ok", "failed", "skipped")
    )


def test_24_mb_of_numpys_results_take_3_mb(tmp_path):
    if not (DATA / "asv-numpy-bench").is_dir():
        pytest.skip(f"needs the shared data: {DATA / 'asv-numpy-bench'} is not there")
    beside = shutil.copytree(DATA / "asv-numpy-bench/results", tmp_path / "results")
    collect(beside, tmp_path / "store")

    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3_000_000
