"""The inventory counts what `load` shows, and names what no row is there for."""

from pathlib import Path

import pandas as pd
import pytest
from asv_tree import NAN, benchmark, content_of, facts_2, result_file, row, write_source
from hypothesis import given, settings
from hypothesis import strategies as st

from convbench.errors import BadResults, BadUsage
from convbench.results import collect, inventory, load, load_table, newest
from convbench.results.inventory import holdings
from convbench.results.inventory import inventory as inventory_of
from convbench.results.raw_files import printable

DAY = 86_400_000
AT = ["project", "machine", "environment", "commit"]


def commit(number: int) -> str:
    # Dates give the order; names that sort otherwise prove it.
    return f"{999 - number:03d}".ljust(40, "e")


def file_of(number: int, environment: str, results: dict[str, list], started: int = 0) -> str:
    rows = {
        name: row(cells, [[str(n) for n in range(len(cells))]]) for name, cells in results.items()
    }
    for cells in rows.values():
        cells[3] = 1_700_000_000_000 + started
    date = 1_690_000_000_000 + number * DAY
    return result_file(rows, commit_hash=commit(number), date=date, env_name=environment)


def store_of(tmp_path: Path, measured: dict[tuple[str, str], dict[int, dict[str, list]]]) -> Path:
    """A store of one project: by machine and environment, by commit, the results."""
    files = {
        f"{machine}/{number}-{environment}.json": file_of(number, environment, results)
        for (machine, environment), commits in measured.items()
        for number, results in commits.items()
    }
    write_source(tmp_path / "proj", files, benchmark("a", ["n"]) | benchmark("b", ["n"]))
    collect(tmp_path / "proj", tmp_path / "store")
    return tmp_path / "store"


OK = {"a": [1.0, 2.0]}
CELLS = st.lists(st.sampled_from([1.0, None, NAN]), min_size=1, max_size=3)
RESULTS = st.dictionaries(st.sampled_from("abc"), CELLS, min_size=1)
PLACES = st.dictionaries(
    st.tuples(st.sampled_from(["m", "n"]), st.sampled_from(["py", "pypy"])),
    st.dictionaries(st.integers(0, 5), RESULTS, min_size=1),
    min_size=1,
)


@given(measured=PLACES)
def test_the_counts_are_those_of_the_default_view(tmp_path_factory, measured):
    store = store_of(tmp_path_factory.mktemp("store"), measured)

    found = inventory_of(store)

    values = newest(load(store))
    expected = pd.crosstab([values[name] for name in AT], values["status"])
    there = found[~found["missing"]].set_index(AT).sort_index()
    assert list(there.index) == list(expected.index)
    for status in ("ok", "failed", "skipped"):
        column = expected.get(status, 0)
        assert (there[status] == column).all()


@settings(max_examples=6)  # each collects a store
@given(measured=PLACES)
def test_every_place_has_a_row_for_every_known_commit(tmp_path_factory, measured):
    store = store_of(tmp_path_factory.mktemp("store"), measured)

    found = inventory_of(store)

    known = load_table(store, "commits").sort_values("position")["commit"].tolist()
    assert set(map(tuple, found[["machine", "environment"]].to_numpy())) == set(measured)
    for place, rows in found.groupby(["machine", "environment"]):
        assert rows["commit"].tolist() == known
        assert set(rows.loc[~rows["missing"], "commit"]) == set(map(commit, measured[place]))
        assert not rows.loc[rows["missing"], ["runs", "ok", "failed", "skipped"]].any(axis=None)


@settings(max_examples=6)  # each collects a store
@given(measured=PLACES)
def test_the_summary_says_what_the_table_says(tmp_path_factory, measured):
    store = store_of(tmp_path_factory.mktemp("store"), measured)

    (found,) = holdings(store)

    table = inventory_of(store)
    assert found.known == found.measured == table["commit"].nunique()
    for place in found.places:
        rows = table[
            (table["machine"] == place.machine) & (table["environment"] == place.environment)
        ]
        assert list(place.commits) == rows.loc[~rows["missing"], "commit"].tolist()
        missing = [commit for stretch in place.missing for commit in stretch]
        assert missing == rows.loc[rows["missing"], "commit"].tolist()
        last = rows[~rows["missing"]].iloc[-1]
        assert (place.ok, place.failed) == (last["ok"], last["failed"])


@settings(max_examples=6)
@given(measured=PLACES, held=st.integers(0, 20))
def test_rows_may_come_in_any_pieces(tmp_path_factory, measured, held):
    store = store_of(tmp_path_factory.mktemp("store"), measured)
    whole = inventory_of(store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inventory, "_HELD", held)
        scan = inventory.loading.scan

        def in_rows(*arguments: object, **options: object):
            for table in scan(*arguments, **options):
                yield from (table.slice(start, 1) for start in range(len(table)))

        patch.setattr(inventory.loading, "scan", in_rows)
        pd.testing.assert_frame_equal(inventory_of(store), whole)


def test_only_the_columns_that_count_are_read(tmp_path, monkeypatch):
    store = store_of(tmp_path, {("m", "py"): {0: OK}})
    asked = []
    scan = inventory.loading.scan

    def watched(*arguments: object, columns: list[str], **options: object):
        asked.extend(columns)
        return scan(*arguments, columns=columns, **options)

    monkeypatch.setattr(inventory.loading, "scan", watched)
    inventory_of(store)

    assert not {"params", "value", "samples"} & set(asked)


def test_neighbours_among_the_known_commits_are_one_stretch(tmp_path):
    everything = dict.fromkeys(range(8), OK)
    store = store_of(tmp_path, {("m", "py"): everything, ("n", "py"): {2: OK, 5: OK}})

    (all_of_m, some_of_n) = holdings(store)[0].places

    assert all_of_m.missing == ()
    assert some_of_n.missing == tuple(
        tuple(map(commit, numbers)) for numbers in ([0, 1], [3, 4], [6, 7])
    )
    assert (f"{some_of_n.first:%m-%d}", f"{some_of_n.last:%m-%d}") == ("07-24", "07-27")


def test_a_benchmark_is_missed_only_where_another_place_has_it(tmp_path):
    store = store_of(
        tmp_path,
        {
            ("m", "py"): {0: {"a": [1.0], "failed": [None], "skipped": [NAN]}},
            ("n", "py"): {0: {"a": [1.0], "skipped": [NAN]}},
        },
    )

    of_m, of_n = holdings(store)[0].places

    assert of_m.never_measured == ()
    assert of_n.never_measured == ("failed",)  # nobody has a value of the skipped one


def test_a_benchmark_fails_when_nothing_of_it_is_left_at_the_newest_commit(tmp_path):
    results = {"whole": [None, NAN], "half": [None, 1.0], "skipped": [NAN], "fine": [1.0]}
    mended = results | {"whole": [1.0, 1.0], "fine": [None]}
    store = store_of(tmp_path, {("m", "py"): {0: mended, 1: results}})

    (place,) = holdings(store)[0].places

    assert place.failing == ("whole",)
    assert (place.ok, place.failed, place.skipped) == (2, 2, 2)


def test_a_later_run_of_few_benchmarks_does_not_hide_the_others(tmp_path):
    for number, results in enumerate([{"a": [None], "b": [1.0]}, {"a": [2.0], "b": [NAN]}]):
        text = {"m/a.json": file_of(0, "py", results, started=number)}
        facts = facts_2(run=f"run-{number}", commit=commit(0))
        write_source(tmp_path / "runs" / str(number), text, facts=facts)
    collect(tmp_path / "runs", tmp_path / "store")

    (row,) = inventory_of(tmp_path / "store").to_dict("records")
    (place,) = holdings(tmp_path / "store")[0].places

    assert (row["runs"], row["run"]) == (2, "run-1")
    assert (row["ok"], row["failed"], row["skipped"]) == (2, 0, 0)
    assert (place.run, place.failing) == ("run-1", ())


def test_projects_are_apart_and_can_be_asked_for_alone(tmp_path):
    for name, machine in (("one", "m"), ("two", "n")):
        files = {f"{machine}/x.json": file_of(len(name), "py", {f"of_{name}": [1.0]})}
        write_source(tmp_path / name, files)
    write_source(tmp_path / "two", {"n/y.json": file_of(9, "py", {"of_two": [1.0]})})
    collect([tmp_path / "one", tmp_path / "two"], tmp_path / "store")

    one, two = holdings(tmp_path / "store")

    assert (one.project, one.known, two.project, two.known) == ("one", 1, "two", 2)
    assert one.places[0].never_measured == ()
    assert holdings(tmp_path / "store", "two") == (two,)
    pd.testing.assert_frame_equal(
        inventory_of(tmp_path / "store", "one"),
        inventory_of(tmp_path / "store").query("project == 'one'"),
    )


def test_what_is_not_there_is_said(tmp_path):
    store = store_of(tmp_path, {("m", "py"): {0: OK}})

    with pytest.raises(BadUsage, match="no project prjo; near: proj"):
        inventory_of(store, "prjo")
    with pytest.raises(BadResults, match="no convbench store"):
        inventory_of(tmp_path / "absent")


def test_nothing_is_written(tmp_path):
    store = store_of(tmp_path, {("m", "py"): {0: OK}})
    before = content_of(store)

    holdings(store)

    assert content_of(store) == before


def test_no_rows_make_no_project(monkeypatch, tmp_path):
    store = store_of(tmp_path, {("m", "py"): {0: OK}})
    monkeypatch.setattr(inventory.loading, "scan", lambda *_, **__: iter([]))

    assert holdings(store) == ()
    assert inventory_of(store).empty


@pytest.mark.parametrize("name", ["py3.12-numpy", "é ü", "名前"])
def test_a_readable_name_stays_as_it_is(name):
    assert printable(name) == name


@pytest.mark.parametrize("name", ["\x1b[31m", "a\nb", "\u202eabc", "\x9b2J"])
def test_no_name_reaches_a_terminal_that_could_move_its_cursor(name):
    assert printable(name).isprintable()
    assert printable(name)
