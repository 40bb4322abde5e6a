"""The view Machines: what each machine is, and how the times of machines compare."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import pytest
from sample_store import (
    MACHINE,
    PROBLEMS,
    STRATEGIES,
    Store,
    convolution_store,
    flops,
    foreign_store,
    row,
    trusted_store,
)
from test_site import HOSTILE, Elements, hostile_store

from convbench.machine import Host, findings
from convbench.report.machine_comparison import EQUAL, FASTER, SLOWER, Comparison
from convbench.report.machine_facts import Item
from convbench.report.machine_host import noisy_settings
from convbench.report.machines import Machines, build_machines
from convbench.report.outcomes import find_outcomes
from convbench.report.provenance import machine_rows, run_rows
from convbench.report.series import build_series
from convbench.report.site import site_files
from convbench.report.trust import build_trust

OTHER = "other-machine"
TIMES = ("value", "ci_low", "ci_high", "q25", "q75")


def view_of(store: Store) -> Machines:
    measurements = store.measurements()
    trust = build_trust(measurements, run_rows(measurements, ""))
    series = build_series(measurements)
    outcomes = find_outcomes(measurements, series)
    view = build_machines(measurements, series, outcomes, machine_rows(measurements), trust)
    assert view is not None
    return view


def items_of(view: Machines, name: str) -> dict[str, list[Item]]:
    """Give the items of one kind of fact, by machine."""
    rows = {row.name: row for section in view.sections for row in section.rows}
    return dict(zip(view.names, map(list, rows[name].cells), strict=True))


def words_of(view: Machines, name: str, machine: str = MACHINE) -> list[str]:
    return [item.text for item in items_of(view, name)[machine]]


Factor = Callable[[Mapping[str, Any]], float]


def with_other(store: Store, factor: Factor, machine: str = OTHER) -> Store:
    """Add a machine that measured everything, each value so many times as great."""
    added = []
    for made in store.rows:
        scaled = {name: made[name] * factor(made) for name in TIMES}
        added.append({**made, **scaled, "machine": machine})
    store.rows += added
    return store


def slower(factor: float) -> Factor:
    """Take so many times as long, at the same rates."""
    return lambda made: factor if made["unit"] == "seconds" else 1.0


def with_peaks(
    store: Store, gemm: float, fma: float = 1.0, machine: str = MACHINE, **names: Any
) -> Store:
    for kernel, rate in (("gemm", gemm), ("fma", fma)):
        params = {"kernel": kernel, "dtype": "float32"}
        made = row(
            0,
            rate,
            benchmark="ceilings.Arithmetic.track_flops_per_second",
            params=params,
            unit="flop/s",
            machine=machine,
            **names,
        )
        store.rows.append(made)
    return store


def first(view: Machines) -> Comparison:
    return view.comparisons[0]


@pytest.mark.parametrize(
    ("factor", "words", "kind"),
    [(2.0, "▲ ×2.0 slower", SLOWER), (0.5, "▼ ×2.0 faster", FASTER), (1.0, "≈ ×1.00", EQUAL)],
)
def test_a_machine_stands_by_its_times_on_common_cells(
    factor: float, words: str, kind: str
) -> None:
    view = view_of(with_other(convolution_store(1), slower(factor)))

    (against,) = first(view).rows
    assert (against.ratio.words, against.ratio.kind) == (words, kind)
    counts = {SLOWER: against.slower, FASTER: against.faster, EQUAL: against.equal}
    assert counts.pop(kind) == against.cells
    assert set(counts.values()) == {0}


def test_the_title_is_the_finding() -> None:
    def title(factor: float) -> str:
        return view_of(with_other(convolution_store(1), slower(factor))).title

    assert title(2.0) == f"{OTHER} is ×2.0 slower than {MACHINE}"
    assert title(1.0) == f"{OTHER} is about as fast as {MACHINE}"


def test_twice_as_fast_and_half_as_fast_makes_one() -> None:
    names = list(STRATEGIES)[:2]
    store = convolution_store(1, strategies={name: STRATEGIES[name] for name in names})
    factors = dict(zip(names, (2.0, 0.5), strict=True))
    question = [made for made in store.rows if made["problem"] in ("question", "")]
    store.rows = [made for made in question if made["unit"] == "seconds"]

    view = view_of(with_other(store, lambda made: factors.get(made["strategy"], 1.0)))

    (against,) = first(view).rows
    assert (against.slower, against.faster, against.equal) == (1, 1, 0)
    assert against.ratio.words == "≈ ×1.00"
    assert {row.name: row.cells[0].ratio.kind for row in first(view).names if row.cells[0]} == {
        names[0]: SLOWER,
        names[1]: FASTER,
    }


def test_a_mean_is_a_tie_where_half_of_the_intervals_touch() -> None:
    # An interval is ± 2 %: of a value 1 % greater it touches, of one 10 % greater it does not.
    touching = set(list(STRATEGIES)[:5])

    def times(made: Mapping[str, Any]) -> float:
        return 1.01 if made["strategy"] in touching else 1.1

    (against,) = first(view_of(with_other(convolution_store(1), times))).rows

    assert 2 * against.equal >= against.cells > against.equal > 0
    assert against.ratio.kind == EQUAL
    assert against.ratio.words.startswith("≈ ×1.0")


def test_without_intervals_no_tie_is_claimed() -> None:
    store = convolution_store(1)
    for made in store.rows:
        made |= dict.fromkeys(TIMES[1:], math.nan)

    (against,) = first(view_of(with_other(store, slower(1.01)))).rows

    assert (against.equal, against.ratio.kind) == (0, SLOWER)


def test_half_the_peak_and_twice_the_time_is_equal_at_equal_peak() -> None:
    store = with_other(convolution_store(1), slower(2.0))
    with_peaks(with_peaks(store, 100e9), 50e9, machine=OTHER)

    (against,) = first(view_of(store)).rows

    assert against.at_equal_peak == "×1.00"
    here, there = against.shares.split(" → ")
    assert here == there


def test_percent_of_peak_is_direct_operations_over_time_and_peak() -> None:
    params = {"strategy": "im2col", "problem": "question", "dtype": "float32"}
    rows = [row(0, 1e-5, params=params, machine=machine) for machine in (MACHINE, OTHER)]
    store = Store(rows=rows, tables={"problems": convolution_store(1).tables["problems"]})
    with_peaks(with_peaks(store, 50e9), 100e9, machine=OTHER)

    (against,) = first(view_of(store)).rows

    rate = flops("question") / 1e-5  # 12.3 GFLOP/s
    here, there = (float(part.removesuffix(" %")) for part in against.shares.split(" → "))
    assert here == pytest.approx(100 * rate / 50e9, rel=0.05)  # two digits
    assert there == pytest.approx(100 * rate / 100e9, rel=0.05)


def test_the_peak_is_the_highest_of_any_build_with_the_same_threads_and_dtype() -> None:
    store = with_other(convolution_store(1), slower(1.0))
    with_peaks(store, 60e9, 55e9)
    with_peaks(store, 70e9, 80e9, blas="mkl")
    all_threads = with_peaks(Store(), 500e9).rows
    store.rows += [made | {"threads": "all", "environment": "all"} for made in all_threads]

    view = view_of(store)

    openblas = next(one for one in view.comparisons if one.line.startswith("openblas"))
    assert openblas.peak is not None
    assert (openblas.peak.name, openblas.peak.words) == ("FMA", "80.0 GFLOP/s")
    assert words_of(view, "GEMM float32") == ["70.0 GFLOP/s", "500 GFLOP/s"]
    assert [item.note for item in items_of(view, "GEMM float32")[MACHINE]] == [
        "1 thread, mkl",
        "all threads, openblas",
    ]


def test_without_measured_peaks_nothing_is_said_of_them() -> None:
    store = with_other(convolution_store(1), slower(2.0))

    (against,) = first(view_of(store)).rows

    assert (against.peak, against.at_equal_peak, against.shares) == (None, "", "")
    assert "of peak" not in section_of(store)


def test_only_cells_that_both_have_are_compared() -> None:
    store = with_other(convolution_store(1), slower(2.0), machine="a-machine")
    store.rows = [
        made
        for made in store.rows
        if made["machine"] == MACHINE or made["problem"] in ("question", "vgg16_conv3_2")
    ]

    openblas = next(
        one
        for one in view_of(store).comparisons
        if (one.line, one.dtype) == ("openblas", "float32")
    )

    # Three strategies are skipped on one of the two problems.
    assert openblas.rows[0].cells == 2 * len(STRATEGIES) - 2
    # Of most cells, though the other comes first by name.
    assert openblas.machine == MACHINE


def test_builds_and_dtypes_are_compared_each_with_its_own() -> None:
    store = with_other(convolution_store(1), slower(2.0))

    view = view_of(store)

    assert {(one.line, one.dtype) for one in view.comparisons} == {
        (line, dtype) for line in ("openblas", "mkl") for dtype in ("float32", "float64")
    }
    assert view.comparisons[0].rows[0].cells > view.comparisons[-1].rows[0].cells


def test_machines_of_different_blas_versions_still_compare() -> None:
    store = with_other(convolution_store(1), slower(2.0))
    for made in store.rows:
        if made["machine"] == OTHER:
            made["blas_identity"] += " on Zen"

    assert {one.line for one in view_of(store).comparisons} == {"openblas", "mkl"}


def test_threads_are_not_mixed() -> None:
    store = with_other(convolution_store(1), slower(2.0))
    for made in store.rows:
        if made["machine"] == OTHER:
            made |= {"threads": "all", "environment": f"{made['environment']}-all"}

    view = view_of(store)

    assert view.comparisons == ()
    assert view.title == "2 machines, measured differently"
    assert "not compared" in view.lede


def test_both_stand_with_the_newest_commit_that_both_measured() -> None:
    params = {"strategy": "im2col", "problem": "question", "dtype": "float32"}
    here = [row(index, value, params=params) for index, value in enumerate((1.0, 1.0, 9.0))]
    there = [row(index, 2.0, params=params, machine=OTHER) for index in range(2)]

    (against,) = first(view_of(Store(rows=here + there))).rows

    # Of two machines with as many cells the first by name is the base.
    assert (against.machine, against.ratio.words) == (OTHER, "▲ ×2.0 slower")
    assert against.other_commits == 0


def test_without_a_common_commit_each_stands_with_its_newest_and_is_marked() -> None:
    params = {"strategy": "im2col", "problem": "question", "dtype": "float32"}
    rows = [row(0, 1.0, params=params), row(1, 2.0, params=params, machine=OTHER)]
    store = Store(rows=rows)

    (against,) = first(view_of(store)).rows

    assert (against.other_commits, against.ratio.words) == (1, "▲ ×2.0 slower")
    assert "1 †" in section_of(store)


def test_what_differs_most_from_its_machine_stands_first() -> None:
    store = with_other(convolution_store(1), lambda made: 0.5 if made["strategy"] == "fft" else 1.5)

    names = [one.name for one in first(view_of(store)).names]

    assert names[0] == "fft"
    assert sorted(names) == sorted(STRATEGIES)


def test_only_times_of_strategies_are_compared() -> None:
    store = with_other(trusted_store(1), slower(1.0))
    for made in store.rows:
        if made["machine"] == OTHER and "time_run" not in made["benchmark"]:
            made |= {name: made[name] * 100 for name in TIMES}

    for one in view_of(store).comparisons:
        assert one.rows[0].ratio.kind == EQUAL


def test_a_project_without_strategies_compares_its_benchmarks() -> None:
    store = foreign_store()
    for made in store.rows:
        made |= dict.fromkeys(TIMES, 6e-06 if made["machine"] == "old-box" else 2e-06)

    view = view_of(store)

    comparison = first(view)
    assert (comparison.machine, comparison.dtype, comparison.link) == ("arm-box", "", "")
    assert [one.machine for one in comparison.rows] == ["intel-box", "old-box"]
    assert comparison.rows[1].ratio.words == "▲ ×3.0 slower"
    assert [one.name for one in comparison.names] == ["benchmarks.axpy.time_axpy"]
    assert comparison.rows[0].ratio.kind == EQUAL
    assert view.title == "old-box is ×3.0 slower than arm-box"
    assert "Strategy" not in section_of(store)


def test_machines_without_a_common_environment_stand_with_their_own() -> None:
    store = foreign_store()
    for made in store.rows:
        made["environment"] = f"conda-of-{made['machine']}"

    comparison = first(view_of(store))

    assert {one.line for one in view_of(store).comparisons} == {""}
    assert [one.cells for one in comparison.rows] == [3, 3]
    assert "in this environment" not in section_of(store)


def test_the_middle_of_the_cells_is_told_beside_the_mean() -> None:
    rows = [row(0, 1.0, benchmark=f"b.time_{n}", blas="") for n in range(11)]
    # Factors of 1, 2, 4 … 1024: a tenth of the way from each end lie 2 and 512.
    there = [row(0, 2.0**n, benchmark=f"b.time_{n}", blas="", machine=OTHER) for n in range(11)]

    (against,) = first(view_of(Store(rows=rows + there))).rows

    assert (against.ratio.words, against.spread) == ("▲ ×32 slower", "×2.0 to ×512")
    assert (against.slower, against.equal) == (10, 1)


def test_strips_share_one_axis_with_the_base_at_one() -> None:
    store = with_other(convolution_store(1), slower(2.0))
    with_other_third = [
        made | {name: made[name] / 2 for name in TIMES} | {"machine": "third"}
        for made in store.rows
        if made["machine"] == MACHINE and made["unit"] == "seconds"
    ]
    store.rows += with_other_third

    strips = {one.machine: one.strip for one in first(view_of(store)).rows}

    slow, fast = strips[OTHER], strips["third"]
    assert slow is not None
    assert fast is not None
    assert slow.base == fast.base
    assert fast.mean < fast.base < slow.mean
    assert all(one.low <= one.mean <= one.high for one in (slow, fast))


def test_one_machine_has_facts_and_is_compared_with_nothing() -> None:
    view = view_of(trusted_store())

    assert view.title == f"One machine: {MACHINE}"
    assert view.comparisons == ()
    assert [section.title for section in view.sections] == [
        "What it is", "How noisy it is", "What was measured",
    ]  # fmt: skip
    assert "Against" not in section_of(trusted_store())


def test_without_values_there_is_no_such_view() -> None:
    measurements = Store().measurements()

    assert build_machines(measurements, (), find_outcomes(measurements, ()), ()) is None
    assert "#/machines" not in site_files(measurements)["index.html"]


def test_a_machine_says_what_it_is() -> None:
    store = trusted_store(1)
    host = {
        "cpu": "Fast CPU", "cpus": 4, "caches": {"L1d": 32768, "L2": 2_097_152},
        "kernel": "6.1.0", "os": "Debian 12", "turbo": True, "smt": False,
    }  # fmt: skip
    store.tables["machines"][0]["host_json"] = json.dumps(host)

    view = view_of(store)

    told = {
        "Processor": "Fast CPU",
        "Cores and CPUs": "2 cores, 4 CPUs",
        "Architecture": "x86_64",
        "Caches of a CPU": "L1d 32.0 KiB, L2 2.00 MiB",
        "Memory": "8.12 GB",
        "System": "Debian 12, Linux 6.1.0",
        "Virtualised": "kvm",
        "Clock": "governor performance, turbo on, SMT off",
    }
    assert {name: words_of(view, name) for name in told} == {
        name: [words] for name, words in told.items()
    }


def test_what_only_asv_knows_is_told_as_far_as_it_goes() -> None:
    view = view_of(convolution_store(1))

    assert words_of(view, "Processor") == ["Made-up CPU @ 2.0 GHz"]
    assert words_of(view, "Cores and CPUs") == ["2 CPUs"]
    names = {row.name for section in view.sections for row in section.rows}
    assert not names & {"Virtualised", "Clock", "Doctor's findings", "Caches of a CPU"}


@pytest.mark.parametrize("wrong", [7, "word", [1, "two"], {"a": 1}, None, True, [], -1.5])
def test_a_fact_of_another_type_is_unknown(wrong: object) -> None:
    store = trusted_store(1)
    names = asdict(CALM)
    store.tables["machines"][0]["host_json"] = json.dumps(dict.fromkeys(names, wrong))

    assert view_of(store).sections


CALM = Host(
    cpu="a cpu", vendor="GenuineIntel", cores=8, cpus=8, smt=False, governor="performance",
    turbo=False, caches={}, ram_bytes=10**10, swap_used_bytes=10**6, swap_total_bytes=10**9,
    load_average=[0.05, 1.0, 9.0], cgroup_cpus=None, cgroup_memory_bytes=10**9,
    affinity=[0, 1, 2, 3, 7], isolated_cpus=[7], virtualised="docker", clock_source="tsc",
    kernel="6.1", os="Debian", numa_nodes=1,
)  # fmt: skip


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"governor": "powersave"},
        {"governor": None, "turbo": None, "smt": None, "clock_source": None},
        {"turbo": True},
        {"smt": True},
        {"swap_used_bytes": 500_000_000},
        {"swap_used_bytes": None, "ram_bytes": None},
        {"cgroup_cpus": 2.5},
        {"cgroup_cpus": 5.0},
        {"virtualised": "kvm docker"},
        {"virtualised": ""},
        {"clock_source": "hpet"},
        {"clock_source": "arch_sys_counter"},
        {"affinity": [7]},
        {"affinity": [0, 7]},
        {"affinity": [0, 1, 2]},
        {"isolated_cpus": []},
        {"isolated_cpus": [], "kernel": ""},
    ],
    ids=str,
)
def test_a_machines_findings_are_the_doctors(facts: dict[str, Any]) -> None:
    host = replace(CALM, **facts)
    # As `collect` files them.
    filed = {"governor": host.governor, "virtualised": host.virtualised}

    told = list(noisy_settings(filed, json.loads(json.dumps(asdict(host)))))

    assert len(told) == len(findings(host))


def test_nothing_found_differs_from_nothing_known() -> None:
    store = with_other(trusted_store(1), slower(1.0))
    calm = {"governor": "performance", "virtualised": "", "host_json": json.dumps(asdict(CALM))}
    unknown = {"machine": OTHER, "project": "convbench", "num_cpu": "2"}
    store.tables["machines"][0] |= calm
    store.tables["machines"].append(unknown)
    noisy = {**calm, "machine": "noisy", "project": "convbench", "governor": "powersave"}
    store.tables["machines"].append(noisy)
    with_other(store, slower(1.0), machine="noisy")

    found = items_of(view_of(store), "Doctor's findings")

    assert [item.text for item in found[MACHINE]] == ["none"]
    assert found[OTHER] == []
    assert [item.kind for item in found["noisy"]] == ["finding"]


def test_noise_is_that_of_the_null_control_and_of_the_histories() -> None:
    view = view_of(trusted_store(6))

    assert words_of(view, "A/A rate") == ["0 of 24 pairs called different"]
    assert words_of(view, "Interval of a value") == ["±2.0 %"]
    (scatter,) = words_of(view, "From commit to commit")
    assert float(scatter.removesuffix(" %")) == pytest.approx(1.0, abs=0.3)  # as it was drawn


def test_disturbed_runs_are_counted() -> None:
    runs = items_of(view_of(trusted_store(4)), "Runs")[MACHINE]

    assert [(item.text, item.kind) for item in runs] == [("4", ""), ("1 disturbed", "disturbed")]


def test_runs_that_say_nothing_of_disturbance_are_not_called_quiet() -> None:
    quiet = trusted_store(4)
    quiet.tables["runs"][-1]["disturbed"] = ""

    assert items_of(view_of(quiet), "Runs")[MACHINE][0].note == "none of them disturbed"
    assert items_of(view_of(convolution_store(4)), "Runs")[MACHINE][0].note == ""


def test_time_per_run_is_from_start_to_end_with_the_budget() -> None:
    store = trusted_store(3)
    run = store.tables["runs"][1]
    run["finished_at"] = run["started_at"] + pd.Timedelta(minutes=9)

    (item,) = items_of(view_of(store), "Time per run")[MACHINE]

    assert (item.text, item.note) == ("4.0 min (4.0 to 9.0)", "budget 12 min, last run")


def test_short_runs_are_told_in_seconds() -> None:
    store = trusted_store(3)
    for run, length in zip(store.tables["runs"], (9, 13, 33), strict=True):
        run["finished_at"] = run["started_at"] + pd.Timedelta(seconds=length)

    (item,) = items_of(view_of(store), "Time per run")[MACHINE]

    assert item.text == "13 s (9.0 to 33)"


def test_time_per_run_of_another_project_is_what_asv_recorded_of_each_benchmark() -> None:
    # One benchmark of three parameter sets: asv records its 90 s with each of them.
    store = foreign_store(2)
    for made in store.rows:
        made["duration"] = 90.0

    (item,) = items_of(view_of(store), "Time per run")["arm-box"]

    assert item.text == "1.5 min"


def test_the_last_run_is_the_one_that_started_last() -> None:
    (item,) = items_of(view_of(convolution_store(3)), "Last run")[MACHINE]

    assert item.text == "000000a3 of 2026-01-07"
    assert item.note == "2026-01-07 11:00 UTC, Change number 2"


def test_failures_are_counted_as_on_coverage_where_they_are_listed() -> None:
    store = convolution_store(3)
    failing = {(one["strategy"], one["blas"]) for one in store.rows if one["status"] == "failed"}
    # Left out by the newest run, a failure is still the newest outcome.
    store.rows = [
        one
        for one in store.rows
        if one["commit"] != store.rows[-1]["commit"] or one["status"] != "failed"
    ]
    (item,) = items_of(view_of(store), "Failed")[MACHINE]

    # The same cell fails in one build; see the made-up store.
    assert len(failing) == 1
    assert (item.text, item.kind, item.link) == ("1 history", "failed", "#/coverage?state=failed")
    assert words_of(view_of(foreign_store()), "Failed", "arm-box") == ["none"]


def test_what_a_machine_does_not_measure_any_more_says_so() -> None:
    store = convolution_store(2)
    newest = max(made["commit"] for made in store.rows)
    store.rows = [
        made for made in store.rows if (made["commit"], made["blas"]) != (newest, "openblas")
    ]

    builds = items_of(view_of(store), "BLAS builds")[MACHINE]

    assert [item.text for item in builds] == ["mkl", "openblas"]
    assert ["not measured any more" in item.note for item in builds] == [False, True]


def section_of(store: Store) -> str:
    """Give the text of the view in the document."""
    html = site_files(store.measurements())["index.html"]
    section = html.split('data-view="machines"')[1].split("</section>")[0]
    return Elements(f"<section {section}").text


def test_any_machine_can_be_what_the_others_are_compared_with() -> None:
    view = view_of(foreign_store())
    bases = [one.machine for one in view.comparisons]

    assert len(set(bases)) == len(bases) == len(view.names) == 3
    told = first(view).farthest
    assert (view.title, view.lede) == (told.title, told.lede)
    for one in view.comparisons:
        assert [row.machine for row in one.rows] == [name for name in bases if name != one.machine]
        for against in one.rows:
            assert against.title.startswith(against.machine)
            assert against.title.endswith(one.machine)


def test_seen_from_the_other_machine_a_ratio_is_turned_round() -> None:
    view = view_of(with_other(convolution_store(1), slower(2.0)))
    there, back = (
        next(one for one in view.comparisons if one.machine == machine and one.line == "openblas")
        for machine in (MACHINE, OTHER)
    )

    assert there.rows[0].ratio.value * back.rows[0].ratio.value == pytest.approx(1)
    assert (there.rows[0].title, back.rows[0].title) == (
        f"{OTHER} is ×2.0 slower than {MACHINE}", f"{MACHINE} is ×2.0 faster than {OTHER}",
    )  # fmt: skip
    # The table that the page begins with comes before all that must be asked for.
    assert first(view) == there


def test_tables_are_chosen_by_build_and_dtype() -> None:
    files = site_files(with_other(convolution_store(1), slower(2.0)).measurements())
    section = files["index.html"].split('data-view="machines"')[1].split("</section>")[0]
    elements = Elements(section).elements

    choices = [
        attributes["data-state"] for tag, attributes in elements if "data-state" in attributes
    ]
    assert choices == ["machine", "blas", "dtype"]
    listed = files["data/v/machines.js"].removeprefix('CB.put("v/machines",')
    assert len(json.loads(listed.removesuffix(");\n"))) == 2 * 4


def test_hostile_names_show_literally() -> None:
    store = hostile_store()
    for name in HOSTILE:
        with_one = [
            made | {"machine": name} for made in store.rows if made["machine"] == "<b>machine</b>"
        ]
        store.rows += with_one[:: len(PROBLEMS)]
    store.tables["machines"].append(
        {
            "project": "convbench",
            "machine": HOSTILE[0],
            "cpu": HOSTILE[1],
            "governor": HOSTILE[3],
            "host_json": json.dumps({"cpu": HOSTILE[7], "kernel": HOSTILE[8]}),
        }
    )
    html = site_files(store.measurements())["index.html"]
    document = Elements(html)

    assert not [tag for tag, _ in document.elements if tag in ("img", "object", "iframe")]
    assert not [1 for tag, a in document.elements if tag == "svg" and "onload" in a]
    section = section_of(store)
    for name in (*HOSTILE, f"governor {HOSTILE[3]}"):
        assert name in section
