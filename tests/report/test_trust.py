"""What the site says of how far its numbers can be trusted."""

import json
import re

import pandas as pd
import pytest
from sample_store import (
    BUILDS,
    DISTURBED,
    MACHINE,
    START,
    Store,
    commit_name,
    control_row,
    convolution_store,
    foreign_store,
    trusted_store,
)

from convbench.report import measurements as reading
from convbench.report.caveats import DIRTY
from convbench.report.history import build_history
from convbench.report.matrix import build_matrices
from convbench.report.overview import Overview, build_overview
from convbench.report.series import build_series
from convbench.report.site import site_files
from convbench.report.trust import Trust, build_trust
from convbench.stats import null_control


def overview_of(store: Store) -> Overview:
    measurements = store.measurements()
    series = build_series(measurements)
    return build_overview(measurements, series, build_matrices(measurements, series))


def trust_of(store: Store) -> Trust:
    trust = build_trust(store.measurements(), overview_of(store).runs)
    assert trust is not None
    return trust


def percents(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+) %", text)]


def test_the_null_control_is_said_in_words() -> None:
    trust = trust_of(trusted_store())

    assert trust.title == "0 of 16 equal pairs called different"
    assert "the same call twice, under two labels" in trust.sentences[0]
    # 16 pairs without an alarm: 1 - 0.05 ** (1/16), by hand.
    assert "such a comparison is below 17 % with 95 % confidence" in trust.sentences[0]


def test_pairs_whose_intervals_lie_apart_are_counted() -> None:
    store = Store(rows=[control_row(0, arm, "c", 1.0, width=0.01) for arm in "ab"])
    store.rows[1] |= {"value": 1.1, "ci_low": 1.09, "ci_high": 1.11}

    trust = trust_of(store)

    assert trust.title == "1 of 1 equal pair called different"
    (control,) = trust.controls
    assert (control.alarms, control.rate, control.upper) == (1, "100 %", "100 %")
    # 1.1 and 1.0 lie 10 % apart; their logarithms only 9.5 %.
    assert control.spread == control.largest == "10 %"


def test_each_point_of_the_rate_is_of_all_runs_so_far() -> None:
    store = trusted_store(5)
    alarm = next(row for row in store.rows if row["params"].get("arm") == "b")
    alarm |= {"value": 1.0, "ci_low": 0.99, "ci_high": 1.01}
    control = store.measurements().control

    (picture,) = trust_of(store).pictures

    for number, (_, _, words) in enumerate(picture.dots):
        so_far = null_control(control[control["run"] <= f"run-{number}"])
        assert f"{so_far.alarms} of {so_far.pairs} pairs so far" in words
        assert percents(words)[0] == pytest.approx(100 * so_far.upper, rel=0.05)  # two digits
    assert [run.run for run in picture.runs] == [f"run-{n}" for n in (4, 3, 2, 1, 0)]


def test_more_runs_narrow_the_bound() -> None:
    (picture,) = trust_of(trusted_store(60)).pictures

    bounds = [percents(words)[0] for _, _, words in picture.dots]

    assert bounds == sorted(bounds, reverse=True)
    assert len(bounds) <= 40
    # 4 pairs in each of 60 runs, none called different.
    assert bounds[-1] == pytest.approx(100 * (1 - 0.05 ** (1 / 240)), rel=0.05)


def test_machines_have_a_control_of_their_own() -> None:
    store = trusted_store(2)
    quiet = [control_row(0, arm, "c", 1.0) | {"machine": "quiet"} for arm in "ab"]
    store.rows += quiet

    trust = trust_of(store)

    assert [(row.machine, row.pairs) for row in trust.controls] == [(MACHINE, 8), ("quiet", 1)]
    assert trust.controls[1].spread == "0 %"


def test_without_a_null_control_none_is_claimed() -> None:
    trust = trust_of(convolution_store(2))

    assert trust.title == "How the numbers were measured"
    assert trust.controls == ()
    assert "no A/A spread is known" in trust.sentences[0]
    assert overview_of(convolution_store(2)).control == ""


def test_a_project_without_runs_and_control_has_no_such_view() -> None:
    assert build_trust(foreign_store().measurements(), ()) is None
    assert "part=trust" not in site_files(foreign_store().measurements())["index.html"]


def test_a_commit_measured_again_hides_no_pair(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    store = Store(rows=[control_row(0, arm, "c", 1.0) for arm in "ab"])
    later = {"run": "again", "started_at": START + pd.Timedelta(days=9)}
    store.rows += [row | later for row in store.rows]
    monkeypatch.setattr(reading, "load", lambda _, **__: store.frame("values"))
    monkeypatch.setattr(reading, "read_samples", lambda *_: {})
    monkeypatch.setattr(reading, "load_table", lambda _, name: store.frame(name))

    read = reading.read_measurements(tmp_path, project=None)

    assert set(read.newest["run"]) == {"again"}
    assert null_control(read.control).pairs == 2


def test_the_null_control_is_no_news_but_a_history() -> None:
    measurements = trusted_store().measurements()
    series = build_series(measurements)

    titles = {group.title for group in overview_of(trusted_store()).newest.groups}

    assert not [title for title in titles if "NullControl" in title]
    assert [one for one in series if "NullControl" in one.measure]
    matrices = build_matrices(measurements, series)
    assert not [
        head for one in matrices for head in one.heads if "question float32" in head.problem
    ]


def test_newest_numbers_of_a_disturbed_run_are_doubted() -> None:
    overview = overview_of(trusted_store())

    (caveat,) = overview.caveats

    assert (caveat.commit, caveat.machine) == (commit_name(3)[:8], MACHINE)
    measured = [row for row in trusted_store().rows if row["run"] == "run-3"]
    assert caveat.numbers == sum(row["status"] == "ok" for row in measured)
    assert caveat.reasons == (f"it was disturbed ({DISTURBED})", DIRTY)


@pytest.mark.parametrize(
    ("units", "dirty", "partly"),
    [
        ([("busy", True), ("", True)], False, True),
        ([("busy", True), ("busy", True)], False, False),
        ([("", False), ("busy", True)], False, False),  # the quiet one does not count
        ([("busy", True), ("", True)], True, False),  # all of it had changes
        ([], False, False),
    ],
)
def test_of_a_partly_disturbed_run_at_most_all_numbers_are_doubtful(
    units: list[tuple[str, bool]], dirty: bool, partly: bool
) -> None:
    store = trusted_store()
    records = [{"disturbed": disturbed, "kept": kept} for disturbed, kept in units]
    written = {"units_json": json.dumps(records), "disturbed": DISTURBED, "dirty": dirty}
    store.tables["runs"][-1] |= written

    (caveat,) = overview_of(store).caveats

    assert caveat.partly == partly
    html = site_files(store.measurements())["index.html"]
    assert ("⚠ Up to " in html) == partly


def test_a_disturbed_run_that_was_measured_again_is_doubted_no_more() -> None:
    store = trusted_store(4)
    first, *_, last = store.tables["runs"]
    first["disturbed"], last["disturbed"], last["dirty"] = DISTURBED, "", False

    assert overview_of(store).caveats == ()
    assert trust_of(store).runs[-1].disturbed == DISTURBED


def test_disturbed_numbers_are_marked_where_they_stand() -> None:
    measurements = trusted_store().measurements()
    series = build_series(measurements)
    matrices = build_matrices(measurements, series)
    history = build_history(measurements, series, matrices)
    assert history is not None

    values = [
        cell
        for group in overview_of(trusted_store()).newest.groups
        for row in group.rows
        for cell in row.cells
        if cell and cell.text
    ]

    assert {cell.disturbed for cell in values} == {DISTURBED}
    cells = {
        cell.disturbed
        for one in matrices
        for row in one.rows
        for cell in row.cells
        if cell.status == "ok"
    }
    assert cells == {DISTURBED}
    for curve in history.picture.curves:
        # The last of four points, and no other.
        assert [ring[:2] for ring in curve.rings] == [curve.dots[-1][:2]]
    assert history.notes[-1] == f"⚠ 2 ringed values of disturbed runs; the newest: {DISTURBED}"


def test_a_quiet_run_is_marked_nowhere() -> None:
    html = site_files(convolution_store(3).measurements())["index.html"]
    html = html.split('data-view="about"')[0]  # which says what the sign means

    assert "⚠" not in html
    assert 'class="ring"' not in html


def test_a_run_says_what_was_planned_and_what_became_of_it() -> None:
    run = trust_of(trusted_store()).runs[0]

    assert run.effort == ("10 min of a budget of 12 min", "2 rounds", "4 cells left out")
    assert (run.dirty, run.disturbed) == (True, DISTURBED)
    facts = {fact.name: (fact.shown, fact.whole) for fact in run.facts}
    assert facts["Command"][0] == "convbench measure HEAD --budget-minutes 12"
    assert facts["Environments made by"][0] == "virtualenv"
    shown, whole = facts["Lock file, SHA-256"]
    assert (len(shown), len(whole), whole.startswith(shown)) == (12, 64, True)
    assert facts["Seed"][0] == "0"


def test_a_run_of_an_older_version_says_nothing_that_it_does_not_know() -> None:
    run = trust_of(convolution_store(1)).runs[0]

    assert (run.effort, run.dirty, run.disturbed) == ((), False, "")
    assert [fact.name for fact in run.facts] == ["Run"]
    assert run.builds[0].lapack == ""


def test_a_build_shows_its_identity_and_every_mapped_library() -> None:
    mkl, openblas = trust_of(trusted_store()).runs[0].builds

    assert (openblas.line, openblas.identity, openblas.guard) == (
        "openblas", BUILDS["openblas"], "ok",
    )  # fmt: skip
    assert openblas.ran == "1 thread on CPU 0, pthreads"
    assert openblas.lapack == "LAPACK 3.11.0 of OpenBLAS"
    (library,) = mkl.libraries
    assert (library.name, len(library.short_sha), len(library.sha256)) == ("libmkl.so.0", 12, 64)
    assert library.words == "version 2026.2 · mkl interface · Haswell kernels · pthreads · 1 thread"


def test_libraries_are_told_once_while_they_stay_the_same() -> None:
    store = trusted_store(3)
    for environment in store.tables["environments"]:
        if (environment["run"], environment["blas"]) == ("run-0", "mkl"):
            library = {"family": "mkl", "file": "libmkl_rt.so.3", "sha256": "ab" * 32}
            environment["libraries_json"] = json.dumps([library])

    newest, middle, oldest = trust_of(store).runs

    assert [build.repeats for build in newest.builds] == [False, False]
    assert [build.repeats for build in middle.builds] == [True, True]
    assert [(build.line, build.repeats) for build in oldest.builds] == [
        ("mkl", False), ("openblas", True),
    ]  # fmt: skip


def test_full_hashes_of_libraries_are_in_the_page() -> None:
    store = trusted_store()
    html = site_files(store.measurements())["index.html"]

    for build in trust_of(store).runs[0].builds:
        for library in build.libraries:
            assert f"<code>{library.sha256}</code>" in html


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "2 cores, 4 CPUs"),
        ({"cores": 4}, "4 cores"),
        ({"cores": None, "num_cpu": "1"}, "1 core"),
        ({"virtualised": ""}, "not virtualised"),
        ({"virtualised": "docker"}, "virtualised (docker)"),
        ({"governor": "powersave"}, "governor powersave"),
        ({"ram_bytes": 1_000_000_000}, "1.00 GB"),
    ],
)
def test_a_machine_says_what_makes_its_timings(facts: dict[str, object], words: str) -> None:
    store = trusted_store(1)
    store.tables["machines"][0] |= facts

    (machine,) = overview_of(store).machines

    assert words in machine.facts.split(", ") or words in machine.facts


def test_what_a_machine_does_not_know_is_left_out() -> None:
    (machine,) = overview_of(convolution_store(1)).machines

    assert "virtualised" not in machine.facts
    assert "governor" not in machine.facts


def test_the_overview_says_how_far_to_trust() -> None:
    control = overview_of(trusted_store()).control

    assert control.startswith("A/A rate 0 %: 0 of 16 pairs of equal calls called different")
    assert "below 17 %, 95 % sure" in control
