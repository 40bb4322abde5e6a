"""Strategies × problems in a real browser: what cells show, ties, accuracy, links that restore."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDS_BROWSER
from sample_store import BUILDS, MACHINE, PROBLEMS, SIDES, Store, convolution_store, row
from test_browser import Watched, sync_api

from convbench.report.matrix import Matrix, build_matrices
from convbench.report.measurements import Measurements
from convbench.report.readable import significant
from convbench.report.series import build_series
from convbench.report.site import write_site

pytestmark = NEEDS_BROWSER

PEAK = 1e11
PLACE = f"machine={MACHINE}&blas=openblas&dtype=float32"
FIRST = "table.matrix td[data-seconds]"


def measured_store() -> Store:
    """Make a store with peaks, errors, memory, workspace, and two strategies that tie."""
    store = convolution_store(1, problems=[*PROBLEMS, *SIDES])
    question = [one for one in store.rows if one["problem"] == "question"]
    for one in question:
        if one["strategy"] == "numba_direct" and one["benchmark"] == "run.Float32.time_run":
            one["ci_low"] = one["value"] * 0.9
    for blas in BUILDS:
        peak = row(0, PEAK, params={"kernel": "gemm", "dtype": "float32"}, blas=blas)
        store.rows.append(
            peak | {"benchmark": "ceilings.Arithmetic.track_flops_per_second", "unit": "flop/s"}
        )
        for number, strategy in enumerate(("im2col", "einsum", "fft"), 1):
            for problem in ("question", "cifar_resnet20_3x3"):
                params = {"strategy": strategy, "problem": problem, "dtype": "float32"}
                error = row(0, 1e-7 * number, params=params, blas=blas, unit="relative error")
                store.rows.append(error | {"benchmark": "accuracy.Accuracy.track_error"})
    for cell in store.tables["cells"]:
        cell["workspace_bytes"] = 4_000_000 if cell["strategy"] == "fft" else 0
    return store


@cache
def measured() -> Measurements:
    """Give the measurements of that store, in which an image's side varies."""
    return measured_store().measurements()


def first_matrix() -> Matrix:
    """Give the table that stands in the document."""
    return build_matrices(measured(), build_series(measured()))[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_site(measured(), tmp_path_factory.mktemp("matrix") / "site").as_uri()


def opened(browser: Any, address: str) -> Watched:
    watched = Watched(browser, "light")
    watched.open(address, "matrix")
    return watched


BOLD = """(rows, column) => rows.map((row) => [
  [...row.cells[0].childNodes].map((node) => node.data || "").join(""),
  row.cells[column].querySelector("b")?.textContent])"""


def bold_of(page: Any, strategy: str, column: int) -> str:
    """Read what a strategy's cell says first; columns count from 1."""
    rows = page.locator("table.matrix tr[data-family]").evaluate_all(BOLD, column)
    return str(dict(rows)[strategy])


def test_every_measure_is_shown_kept_by_its_link_and_left_again(
    browser: Any,
    site: str,
) -> None:
    watched = opened(browser, f"{site}#/matrix")
    page = watched.page
    plain = page.locator(FIRST).all_inner_texts()
    seconds = float(page.locator(FIRST).first.get_attribute("data-seconds"))
    flops = float(page.locator("table.matrix thead th").nth(1).get_attribute("data-flops"))
    texts = {
        "peak": f"★ {significant(100 * flops / seconds / PEAK, 2)} %",
        "rate": f"★ {significant(flops / seconds / 1e9)}",
        "workspace": "none",
        "memory": "–",
        "error": "1.00e-7",
    }

    for name, text in texts.items():
        page.select_option("select[data-state=show]", name)
        sync_api.expect(page.locator(f"{FIRST} b").first).to_have_text(text)
        shown = page.locator(FIRST).all_inner_texts()
        assert f"show={name}" in page.url
        page.reload()
        sync_api.expect(page.locator(f"{FIRST} b").first).to_have_text(text)
        assert page.locator(FIRST).all_inner_texts() == shown
        assert page.locator("[data-shows]:visible").get_attribute("data-shows") == name
    assert bold_of(page, "fft", 1) == "3.00e-7"
    page.select_option("select[data-state=show]", "")
    assert page.locator(FIRST).all_inner_texts() == plain
    assert "show" not in page.url
    assert watched.errors == []
    page.close()


def test_colours_run_from_the_best_to_the_worst(browser: Any, site: str) -> None:
    watched = opened(browser, f"{site}#/matrix?show=workspace")
    page = watched.page

    shades = page.locator(FIRST).evaluate_all("cells => cells.map((cell) => cell.className)")
    assert set(shades) == {"s0"}  # all that need any need the same
    page.select_option("select[data-state=show]", "error")
    cells = page.locator(f"{FIRST}:not(.unknown)")
    ranked = cells.evaluate_all(
        "cells => cells.map((cell) => [+cell.dataset.error, +cell.className.slice(1)])"
    )
    assert sorted(ranked) == sorted(ranked, key=lambda one: one[1])
    assert (min(ranked)[1], len({shade for _, shade in ranked})) == (0, 3)
    sync_api.expect(page.locator("#matrix-ends")).to_have_text("1.00e-7 → 1.00e-6, logarithmic")
    page.close()


def test_a_choice_stays_when_another_table_is_chosen(
    browser: Any,
    site: str,
) -> None:
    watched = opened(browser, f"{site}#/matrix?show=error&front=question")
    page = watched.page

    page.select_option("select[data-state=blas]", "mkl")

    sync_api.expect(page.locator("[data-view=matrix] .variant").first).to_contain_text("mkl (")
    assert bold_of(page, "einsum", 1) == "2.00e-7"
    assert page.locator(".front:visible").get_attribute("data-front") == "question"
    assert {"show=error", "front=question", "blas=mkl"} <= set(page.url.split("?")[1].split("&"))
    assert watched.errors == []
    page.close()


def test_ties_are_hatched_on_screen_and_on_paper(
    browser: Any,
    site: str,
) -> None:
    watched = opened(browser, f"{site}#/matrix")
    page = watched.page
    cells = [cell for one in first_matrix().rows for cell in one.cells]
    tied = [cell for cell in cells if cell.ties or cell.shared]  # the winner of a tie too
    image = "cells => cells.map((cell) => getComputedStyle(cell).backgroundImage.slice(0, 25))"

    for media in ("screen", "print"):
        page.emulate_media(media=media)
        ties = page.locator("table.matrix td.tie")
        assert ties.evaluate_all(image) == ["repeating-linear-gradient"] * len(tied)
        plain = page.locator(f"{FIRST}:not(.tie)").evaluate_all(image)
        assert set(plain) == {"none"}
    assert page.locator("table.matrix td.tie b").all_inner_texts()[0] == "★ 1"
    page.close()


def test_the_csv_of_costs_has_every_strategy(
    browser: Any,
    site: str,
) -> None:
    watched = opened(browser, f"{site}#/matrix")
    page = watched.page

    with page.expect_download() as download:
        page.get_by_role("button", name=f"CSV: regret-openblas-float32-{MACHINE}").click()

    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(first_matrix().rows)
    page.close()


def test_without_scripts_the_first_table_and_its_parts_are_there(
    browser: Any,
    site: str,
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(site)

    assert page.locator("table.matrix >> visible=true").count() == 1
    assert page.locator("table.regret >> visible=true").count() == 1
    assert page.locator(".front:visible svg.picture").count() == 1
    assert page.locator("text=Where one overtakes the other").is_visible()
    context.close()
