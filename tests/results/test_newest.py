"""The default view: the newest run of each point, where skipping hides nothing."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from convbench.results import newest, schema

TEXT = dict.fromkeys(
    (
        *("project", "machine", "environment", "blas", "threads"),
        *("blas_identity", "blas_sha256", "commit"),
    ),
    "x",
)


def frame(rows: list[dict]) -> pd.DataFrame:
    start = pd.Timestamp("2026-01-01", tz="UTC")
    return pd.DataFrame(
        [
            TEXT
            | {"benchmark": "b", "params": {"n": "1"}, "run": f"r{i}", "status": "ok", "value": 1.0}
            | {"started_at": start + pd.Timedelta(days=r.pop("day", i))}
            | r
            for i, r in enumerate(rows)
        ]
    )


def runs(rows: list[dict]) -> list[str]:
    return newest(frame(rows))["run"].tolist()


def test_a_newer_run_replaces_an_older_one_in_any_order():
    assert runs([{"day": 1}, {"day": 3}, {"day": 2}]) == ["r1"]


def test_a_skipped_run_hides_neither_an_ok_nor_a_failed_one():
    assert runs([{"status": "ok"}, {"status": "skipped"}]) == ["r0"]
    assert runs([{"status": "failed"}, {"status": "skipped"}]) == ["r0"]


def test_a_newer_failure_hides_an_older_number():
    assert runs([{"status": "ok"}, {"status": "failed"}]) == ["r1"]


def test_a_cell_that_was_always_skipped_is_shown_once():
    assert runs([{"status": "skipped"}, {"status": "skipped"}]) == ["r1"]


def test_a_new_blas_commit_machine_or_parameter_is_a_new_point():
    changes = [{"blas_identity": "y"}, {"blas_sha256": "y"}, {"commit": "y"}, {"machine": "y"}]
    changes += [{"params": {"n": "2"}}]

    assert runs([{}, *changes]) == ["r0", "r1", "r2", "r3", "r4", "r5"]


def test_a_build_that_an_older_store_did_not_know_is_the_one_that_nothing_is_known_of():
    assert runs([{"blas_sha256": None}, {"blas_sha256": ""}]) == ["r1"]


def test_an_empty_table_stays_empty():
    assert newest(schema.empty_frame("values")).columns.tolist() == schema.SCHEMAS["values"].names


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(schema.STATUSES),
            "blas_identity": st.sampled_from("xy"),
            "params": st.sampled_from([{"n": "1"}, {"n": "2"}, {"n": "1", "m": "2"}]),
            "day": st.integers(0, 5),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=25)
@given(ROWS)
def test_each_point_shows_its_newest_measured_run(rows):
    values = frame([dict(row) for row in rows])
    values["point"] = values["blas_identity"] + values["params"].astype(str)

    shown = newest(values).set_index("point")

    expected = {}
    for point, history in values.groupby("point"):
        measured = history[history["status"] != "skipped"]
        candidates = measured if len(measured) else history
        latest = candidates[candidates["started_at"] == candidates["started_at"].max()]
        expected[point] = latest.sort_values("run")["run"].iloc[-1]
    assert shown["run"].to_dict() == expected
