from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from sample_store import Store, convolution_store, foreign_store, found_change, row

from convbench.report.champions import build_champions
from convbench.report.figures import history_picture
from convbench.report.labels import overlap
from convbench.report.matrix import build_matrices
from convbench.report.paradox import Paradox, build_paradoxes
from convbench.report.roofs import ARITHMETIC, BANDWIDTH, Roof
from convbench.report.series import Series, build_series
from convbench.report.site import site_files
from convbench.report.verdicts import REGRESSED, change_rows, state_of
from convbench.report.why import Timing
from convbench.report.why_figure import WhyPicture, why_picture

PEAKS = {
    ("gemm", "float32"): 160e9,
    ("fma", "float32"): 240e9,
    ("gemm", "float64"): 75e9,
    ("fma", "float64"): 120e9,
}
BANDWIDTHS = {"L1": 460e9, "L2": 120e9, "L3": 17e9, "DRAM": 16e9}
ROOFS = [
    Roof("GEMM", 160e9, "flop/s"),
    Roof("FMA", 240e9, "flop/s"),
    *(Roof(level, rate, "byte/s") for level, rate in BANDWIDTHS.items()),
]


def add_ceilings(store: Store, index: int, *, blas: str = "openblas", factor: float = 1.0) -> None:
    for (kernel, dtype), rate in PEAKS.items():
        params = {"kernel": kernel, "dtype": dtype}
        made = row(index, rate * factor, benchmark=ARITHMETIC, params=params, blas=blas)
        store.rows.append(made | {"unit": "flop/s"})
    for level, rate in BANDWIDTHS.items():
        made = row(index, rate * factor, benchmark=BANDWIDTH, params={"level": level}, blas=blas)
        store.rows.append(made | {"unit": "byte/s"})


def paradoxes_of(store: Store) -> dict[tuple[str, str], Paradox]:
    measurements = store.measurements()
    paradoxes = build_paradoxes(measurements, build_series(measurements))
    return {(one.line, one.dtype): one for one in paradoxes}


def rates_of(paradox: Paradox) -> dict[str, float]:
    return {roof.name: roof.rate for roof in paradox.roofs}


def test_roofs_are_those_of_the_line_and_dtype_that_is_shown() -> None:
    store = convolution_store(1)
    add_ceilings(store, 0)
    add_ceilings(store, 0, blas="mkl", factor=1.5)

    paradoxes = paradoxes_of(store)

    single, double = (paradoxes["openblas", dtype] for dtype in ("float32", "float64"))
    assert rates_of(single) == {"GEMM": 160e9, "FMA": 240e9, **BANDWIDTHS}
    assert rates_of(double) == {"GEMM": 75e9, "FMA": 120e9, **BANDWIDTHS}
    assert rates_of(paradoxes["mkl", "float64"])["FMA"] == 180e9


def test_the_newest_commit_that_has_a_ceiling_gives_it() -> None:
    store = convolution_store(3)
    add_ceilings(store, 0)
    add_ceilings(store, 1, factor=2.0)
    failed = row(2, None, benchmark=ARITHMETIC, params={"kernel": "fma", "dtype": "float32"})
    store.rows.append(failed | {"status": "failed", "unit": "flop/s"})

    roofs = rates_of(paradoxes_of(store)["openblas", "float32"])

    assert (roofs["FMA"], roofs["DRAM"]) == (480e9, 32e9)


def test_a_level_that_a_machine_lacks_is_not_drawn() -> None:
    store = convolution_store(1)
    add_ceilings(store, 0)
    for made in store.rows:
        if made["params"].get("level") == "L3":
            made |= {"status": "skipped", "value": float("nan")}

    paradox = paradoxes_of(store)["openblas", "float32"]

    assert "L3" not in rates_of(paradox)
    assert "L3" not in {line.roof.name for line in paradox.picture.roofs}


def test_without_ceilings_the_view_is_as_it_was() -> None:
    paradox = paradoxes_of(convolution_store(1))["openblas", "float32"]

    assert paradox.roofs == paradox.picture.roofs == ()
    assert "Measured ceilings" not in site_files(convolution_store(1).measurements())["index.html"]


def test_the_page_names_the_roofs_and_links_their_histories() -> None:
    store = convolution_store(1)
    add_ceilings(store, 0)

    files = site_files(store.measurements())
    index = files["index.html"]

    assert ">GEMM 160 GFLOP/s</a>" in index
    assert "measure=track_flops_per_second&amp;kernel=fma&amp;dtype=float32" in index
    assert ">DRAM 16.0 GB/s</a>" in index
    (why,) = (part for part in index.split("<section ") if 'data-view="why"' in part)
    assert why.count('class="roof"') == 6  # of the first variant
    fragments = "".join(text for path, text in files.items() if path.startswith("data/v/why/"))
    assert fragments.count('class=\\"roof\\"') == 2 * 6  # openblas alone, in two dtypes


def view_of(store: Store) -> tuple[object, ...]:
    measurements = store.measurements()
    series: tuple[Series, ...] = build_series(measurements)
    matrices = build_matrices(measurements, series)
    return tuple(replace(one, peak=None) for one in matrices), build_champions(matrices)


def test_ceilings_change_no_table_of_strategies_but_for_its_peak() -> None:
    store = convolution_store(2)
    bare = view_of(store)
    add_ceilings(store, 1)

    assert view_of(store) == bare


def test_a_project_of_others_with_ceilings_by_that_name_still_has_a_site() -> None:
    store = foreign_store(2)
    add_ceilings(store, 1, blas="")

    assert "index.html" in site_files(store.measurements())


def picture(crowd: int = 1) -> WhyPicture:
    timings = [Timing(name="loops", seconds=14e-3, flops=61_440)]
    timings += [
        Timing(name=f"variant_{n}", seconds=5e-6 * 1.1**n, flops=61_440) for n in range(crowd)
    ]
    dense = Timing(name="np.dot 500×3072", seconds=1e-4, flops=3_072_000)
    return why_picture(timings, dense, 61_440, "loops", roofs=ROOFS, moved_bytes=23_000)


def test_the_picture_reaches_down_to_the_lowest_roof() -> None:
    drawn = picture()

    assert [line.roof for line in drawn.roofs] == [*ROOFS[:2], *reversed(ROOFS[2:])]
    for line in drawn.roofs:
        assert drawn.left <= line.x1 < line.x2 <= drawn.right
        assert drawn.top <= line.y2 <= line.y1 <= drawn.bottom


def test_a_peak_slants_and_a_bandwidth_is_level_at_the_time_of_the_bytes() -> None:
    gemm, fma, *levels = picture().roofs

    assert gemm.y1 > gemm.y2
    assert fma.seconds == pytest.approx(61_440 / 240e9)
    assert [line.y1 - line.y2 for line in levels] == [0, 0, 0, 0]
    assert levels[0].seconds == pytest.approx(23_000 / 16e9)
    assert all(slow.y1 <= fast.y1 for slow, fast in pairwise(levels))


def test_no_rate_above_the_highest_peak_is_drawn() -> None:
    assert "100 GFLOP/s" in {line.label for line in picture().rates}
    assert "1,000 GFLOP/s" not in {line.label for line in picture().rates}


@pytest.mark.parametrize("crowd", [1, 12])
def test_words_of_roofs_cover_neither_each_other_nor_other_words(crowd: int) -> None:
    drawn = picture(crowd)

    boxes = [line.words for line in drawn.roofs]
    boxes += [spot.label.box(len(f"{spot.name} {spot.value}")) for spot in drawn.spots]

    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]


def test_less_of_a_rate_is_a_regression_that_points_down() -> None:
    store = convolution_store(8)
    for index in range(8):
        add_ceilings(store, index, factor=1.0 if index < 4 else 0.5)
    names = {"benchmark": BANDWIDTH, "unit": "byte/s", "kind": "regression"}
    found = found_change(4, before=16e9, after=8e9, params="level=DRAM", **names)
    store.tables["changes"] = [found]
    measurements = store.measurements()
    series = build_series(measurements)

    (change,) = change_rows(measurements, series, "")
    one = next(one for one in series if one.params == (("level", "DRAM"),))
    drawn = history_picture(
        "DRAM", [(line.name, line) for line in one.lines], one.unit, measurements.commits
    )

    assert state_of(one.lines[0], measurements) == REGRESSED
    assert (change.kind, change.change) == ("regression", "▼ −50 %")
    assert (change.effect, change.before, change.after) == ("2.0× less", "16.0 GB/s", "8.00 GB/s")
    assert drawn.y_title == "GB/s (higher is better)"
