"""Real collections of other projects, against plain `json` and nothing of convbench."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from convbench.results import collect, load, load_table

DATA = Path(__file__).parents[3] / "shared" / "data"

COLLECTIONS = {"asv-blas-benchmarks": None, "asv-numpy-bench": 12}  # how many files; None: all


def tally(path: Path) -> dict[str, float]:
    """Count a file's results with `json`, one value at a time."""
    counts = {"ok": 0.0, "failed": 0.0, "skipped": 0.0, "sum": 0.0}
    data = json.loads(path.read_text())
    for row in data["results"].values():
        cells = dict(zip(data["result_columns"], row, strict=False))
        size = math.prod(len(axis) for axis in cells["params"])
        for value in cells["result"] or [None] * size:
            if value is None:
                counts["failed"] += 1
            elif math.isnan(value):
                counts["skipped"] += 1
            else:
                counts["ok"] += 1
                counts["sum"] += value
    return counts


@pytest.fixture(scope="module", params=COLLECTIONS)
def collected(request, tmp_path_factory) -> tuple[Path, Path, pd.DataFrame]:
    results = DATA / request.param / "results"
    if not results.is_dir():
        pytest.skip(f"needs the shared data: {results} is not there")
    limit = COLLECTIONS[request.param]
    if limit is not None:
        part = tmp_path_factory.mktemp("part") / request.param / "results"
        for path in [results / "benchmarks.json", *sorted(results.glob("*/*.json"))[::-1][:limit]]:
            target = part / path.relative_to(results)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        results = part
    store = tmp_path_factory.mktemp("store") / "store"
    collect(results.parent, store)
    return results, store, load(store)


def test_every_file_has_the_counts_and_the_sum_that_json_finds(collected):
    results, _, values = collected
    files = [p for p in results.glob("*/*.json") if p.name != "machine.json"]
    expected = pd.DataFrame({p.relative_to(results).as_posix(): tally(p) for p in files}).T

    counts = pd.crosstab(values["source"], values["status"]).reindex(
        columns=["ok", "failed", "skipped"], fill_value=0
    )
    counts["sum"] = values.groupby("source")["value"].sum()

    pd.testing.assert_frame_equal(
        counts, expected.sort_index(), check_dtype=False, check_names=False, rtol=1e-12
    )


def test_every_row_names_its_place(collected):
    results, _, values = collected

    assert values["project"].unique().tolist() == [results.parent.name]
    assert (values["source"].str.split("/").str[0] == values["machine"]).all()
    assert (values["commit"].str[:8] == values["source"].str.extract(r"/(.{8})-")[0]).all()
    assert values["value"].notna().equals(values["status"] == "ok")


def test_commits_are_numbered_by_date(collected):
    _, store, values = collected

    commits = load_table(store, "commits").sort_values("position")

    assert commits["position"].tolist() == list(range(values["commit"].nunique()))
    assert commits["commit_date"].is_monotonic_increasing


def test_a_parameter_has_the_name_of_the_axis_and_plain_text(collected):
    results, _, values = collected
    known = json.loads((results / "benchmarks.json").read_text())
    benchmark = next(n for n, b in known.items() if n in set(values["benchmark"]) and b["params"])

    params = values.loc[values["benchmark"] == benchmark, "params"].iloc[0]

    assert list(params) == known[benchmark]["param_names"]
    assert not any(text.startswith("'") for text in params.values())
