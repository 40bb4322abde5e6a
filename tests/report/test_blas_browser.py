"""The view of BLAS builds in a real browser: its choices, and the links that restore them."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from chromium import NEEDS_BROWSER
from sample_store import Store, convolution_store
from test_browser import Watched

from convbench.report.site import write_site

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER
STRATEGIES = {"im2col": 1e-5, "tensordot": 2e-5, "loops_dot": 3e-5, "loops": 1e-2, "einsum": 4e-5}
# How many times longer each strategy takes: the two builds order the strategies differently.
SLOWER = {
    "b'l\"is": {"im2col": 1.5, "tensordot": 1.2, "loops_dot": 0.8},
    "netlib": {"im2col": 2.0, "tensordot": 4.0, "loops_dot": 3.0},
}


def store_of_three_builds() -> Store:
    store = convolution_store(1, strategies=STRATEGIES)
    store.rows = [made for made in store.rows if made["blas"] == "openblas"]
    for build, factors in SLOWER.items():
        for made in [made for made in store.rows if made["blas"] == "openblas"]:
            factor = factors.get(made["strategy"], 1.0)
            longer = {key: made[key] * factor for key in ("value", "ci_low", "ci_high")}
            names = {"blas": build, "environment": f"env-{build}", "blas_identity": ""}
            store.rows.append(made | longer | names)
    store.rows += [
        made | {"threads": "all", "environment": f"{made['environment']}-all"}
        for made in store.rows
    ]
    return store


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("sites") / "builds"
    return write_site(store_of_three_builds().measurements(), folder).as_uri()


def shown(watched: Watched) -> Any:
    return watched.page.locator(".view[data-view=blas] .variant:visible .ratios")


def strategies(watched: Watched) -> list[str]:
    return shown(watched).locator("tr[data-effects] .name").all_inner_texts()


def choose(watched: Watched, key: str, value: str) -> None:
    watched.page.select_option(f".view[data-view=blas] select[data-state={key}]", value)


def test_rows_stand_by_the_build_that_is_chosen_controls_last(browser: Any, site: str) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{site}#/blas", "blas")
    by_first = strategies(watched)

    choose(watched, "order", "netlib")

    assert by_first[:3] == ["loops_dot", "tensordot", "im2col"]
    assert strategies(watched)[:3] == ["im2col", "loops_dot", "tensordot"]
    assert set(strategies(watched)[3:]) == {"loops", "einsum"}
    assert not watched.errors
    watched.page.close()


def test_every_choice_is_in_the_link_and_the_link_restores_it(browser: Any, site: str) -> None:
    watched = Watched(browser, "light")
    watched.open(f"{site}#/blas", "blas")
    chosen = {"threads": "all threads", "dtype": "float64", "base": "netlib", "order": "b'l\"is"}

    for key, value in chosen.items():
        choose(watched, key, value)

    for key, value in chosen.items():
        assert f"{key}={quote(value)}" in watched.page.url.replace("+", "%20").replace("'", "%27")
    again = Watched(browser, "phone")
    again.open(watched.page.url, "blas")
    assert strategies(again) == strategies(watched)
    for one in (watched, again):
        for key, value in chosen.items():
            select = one.page.locator(f".view[data-view=blas] select[data-state={key}]")
            assert select.input_value() == value
        assert shown(one).count() == 1
        assert "than netlib in " in one.page.title()
        assert (one.errors, one.outside) == ([], [])
        one.page.close()


def test_an_order_that_is_the_baseline_gives_way(browser: Any, site: str) -> None:
    watched = Watched(browser, "light")

    watched.open(f"{site}#/blas?base=netlib&order=netlib", "blas")

    select = watched.page.locator(".view[data-view=blas] select[data-state=order]")
    assert select.input_value() == "openblas"
    effects = shown(watched).locator("tbody").first.locator("tr[data-effects]")
    first = [float(row.get_attribute("data-effects").split()[0]) for row in effects.all()]
    assert first == sorted(first)
    assert not watched.errors
    watched.page.close()


def test_bars_fill_the_width_of_a_phone_and_no_more(browser: Any, site: str) -> None:
    watched = Watched(browser, "phone")

    watched.open(f"{site}#/blas", "blas")

    box = shown(watched).locator("td.lanes").first.bounding_box()
    assert 300 < box["width"] <= 390
    assert watched.page.evaluate("document.documentElement.scrollWidth") == 390
    watched.page.close()
