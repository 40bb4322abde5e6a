"""One name, one machine: a source that says another processor is refused."""

from pathlib import Path

import pytest
from asv_tree import content_of, facts, facts_2, host, result_file, row, write_source
from hypothesis import given
from hypothesis import strategies as st

from convbench.errors import BadResults
from convbench.results import collect, load, load_table
from convbench.results.processors import Processor, Statement

EPYC, XEON = "AMD EPYC 7763", "Intel Xeon 8370C"
VALUE = {"m/a.json": result_file({"a": row([1.0])})}


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


def run(folder: Path, name: str, day: int = 1, **host_changes) -> Path:
    """A run of format 2 on the machine `m`, started on a day of November."""
    said = facts_2(
        run=name, started_at=f"2026-11-{day:02}T10:00:00Z", host=host(cpu=EPYC) | host_changes
    )
    return write_source(folder / name, VALUE, facts=said)


def collected(*paths: Path, store: Path, **options) -> list[str]:
    said: list[str] = []
    summary = collect(paths, store, say=said.append, **options)
    assert list(summary.damaged) == said
    return said


def runs(store: Path) -> list[str]:
    return sorted(load(store)["run"])


def test_another_processor_under_one_name_is_refused_in_one_line(tmp_path, store):
    first, second = run(tmp_path, "first"), run(tmp_path, "second", day=2, cpu=XEON)

    said = collected(first, second, store=store)

    assert said == [
        f"{second}/m: skipped, machine m is {EPYC} (4 CPUs) in the store but {XEON} (4 CPUs) here; "
        "measure with --machine OTHER"
    ]
    assert runs(store) == ["first"]


def test_nothing_of_a_refused_run_reaches_any_table(tmp_path, store):
    collected(run(tmp_path, "first"), store=store)
    before = content_of(store)
    refused = run(tmp_path, "second", day=2, cpu=XEON)

    for _ in range(2):
        said = collected(tmp_path / "first", refused, store=store)
        assert len(said) == 1
        assert content_of(store) == before


def test_a_refused_source_alone_is_an_error_and_changes_nothing(tmp_path, store):
    collected(run(tmp_path, "first"), store=store)
    before = content_of(store)
    refused = run(tmp_path, "second", cpu=XEON)

    with pytest.raises(BadResults, match=rf"{XEON}.*measure with --machine OTHER"):
        collect(refused, store)

    assert content_of(store) == before


def test_the_run_that_started_first_has_the_name_whatever_the_folders_are_called(tmp_path, store):
    run(tmp_path / "runs", "a", day=3, cpu=XEON)
    run(tmp_path / "runs", "b", day=1)
    run(tmp_path / "runs", "c", day=2)

    said = collected(tmp_path / "runs", store=store)

    assert (len(said), runs(store)) == (1, ["b", "c"])


def test_the_store_has_the_name_whatever_started_first(tmp_path, store):
    collected(run(tmp_path, "late", day=3), store=store)

    said = collected(tmp_path / "late", run(tmp_path, "early", day=1, cpu=XEON), store=store)

    assert (len(said), runs(store)) == (1, ["late"])


def test_other_machines_and_other_projects_may_have_any_processor(tmp_path, store):
    first = run(tmp_path, "first")
    other_project = run(tmp_path, "second", cpu=XEON)
    write_source(other_project, VALUE, facts=facts_2(project="q", run="second", host=host(cpu="q")))
    third = facts_2(run="third", machine="n", host=host(cpu=XEON))
    other_name = write_source(tmp_path / "third", {"n/a.json": VALUE["m/a.json"]}, facts=third)

    assert collected(first, other_project, other_name, store=store) == []
    assert runs(store) == ["first", "second", "third"]


def test_fewer_cpus_are_another_machine(tmp_path, store):
    said = collected(run(tmp_path, "first"), run(tmp_path, "second", day=2, cpus=8), store=store)

    assert f"{EPYC} (4 CPUs) in the store but {EPYC} (8 CPUs)" in said[0]


def test_a_run_that_says_nothing_of_its_processor_is_taken(tmp_path, store):
    first, silent = run(tmp_path, "first"), run(tmp_path, "second", day=2, cpu=None)
    old = write_source(tmp_path / "old", VALUE, facts=facts(run="old"))

    assert collected(first, silent, old, store=store) == []


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ({"cpu": EPYC, "num_cpu": "4"}, {"cpu": XEON, "num_cpu": "4"}, True),
        ({"cpu": EPYC, "num_cpu": "4"}, {"cpu": EPYC, "num_cpu": 8}, True),
        ({"cpu": EPYC, "num_cpu": "4"}, {"cpu": f" {EPYC}  ", "num_cpu": 4}, False),
        ({"cpu": EPYC, "num_cpu": "4"}, {"cpu": EPYC}, False),
        ({"cpu": EPYC, "num_cpu": "4"}, {"cpu": "", "num_cpu": "8"}, False),
        ({"cpu": ""}, {"cpu": XEON}, False),
    ],
)
def test_projects_without_facts_are_compared_by_asv_s_file_where_both_say_a_cpu(
    tmp_path, store, first, second, refused
):
    one = write_source(tmp_path / "one", VALUE, machine=first)
    two = write_source(tmp_path / "two", VALUE, machine=second)

    said = collected(one, two, store=store, project="p")

    assert len(said) == refused
    assert len(load(store)) == 2 - refused


def test_host_facts_decide_where_both_sides_have_them(tmp_path, store):
    first = run(tmp_path, "first")
    second = write_source(
        run(tmp_path, "second", day=2), VALUE, facts=facts_2(run="second"), machine={"cpu": "odd"}
    )

    assert collected(first, second, store=store) == []


def test_only_the_stranger_among_the_machines_of_a_source_is_left_out(tmp_path, store):
    one = write_source(tmp_path / "one", VALUE, machine={"cpu": EPYC})
    two = write_source(tmp_path / "two", VALUE, machine={"cpu": XEON})
    write_source(two, {"n/a.json": VALUE["m/a.json"]}, machine={"cpu": XEON})

    said = collected(one, two, store=store, project="p")

    assert len(said) == 1
    assert sorted(load(store)["machine"]) == ["m", "n"]


def test_rows_that_are_in_the_store_stay_when_their_source_says_another_processor(tmp_path, store):
    collected(run(tmp_path, "first"), run(tmp_path, "second", day=2), store=store)
    before = content_of(store)

    said = collected(run(tmp_path, "second", day=2, cpu=XEON), tmp_path / "first", store=store)

    assert len(said) == 1
    assert content_of(store) == before


def test_a_source_may_correct_what_only_itself_says(tmp_path, store):
    collected(run(tmp_path, "first"), store=store)

    assert collected(run(tmp_path, "first", cpu=XEON), store=store) == []
    assert collected(run(tmp_path, "second", day=2, cpu=XEON), store=store) == []
    assert XEON in load_table(store, "machines")["host_json"][0]


@pytest.mark.parametrize("cpu", ["x" * 5000, "two\nlines\x00", "<b>"])
def test_a_hostile_name_stays_one_short_line_with_the_advice(tmp_path, store, cpu):
    (line,) = collected(
        run(tmp_path, "first"), run(tmp_path, "second", day=2, cpu=cpu), store=store
    )

    assert "\n" not in line
    assert line.endswith("measure with --machine OTHER")
    assert len(line) < 400 + len(str(tmp_path))


PROCESSORS = st.builds(Processor, st.sampled_from(["", "A", "B"]), st.sampled_from(["", "2", "4"]))
STATEMENTS = st.builds(Statement, PROCESSORS, PROCESSORS)


@given(STATEMENTS, STATEMENTS)
def test_contradiction_is_symmetric_and_nobody_contradicts_himself(one, other):
    assert one.contradiction(one) is None
    assert bool(one.contradiction(other)) == bool(other.contradiction(one))


@given(STATEMENTS)
def test_a_statement_survives_the_manifest(statement):
    assert Statement.from_entry(statement.as_entry()) == statement
