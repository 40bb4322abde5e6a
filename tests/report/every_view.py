"""Sites of three kinds and what a browser can ask of any view; the laws are the test's.

Views and controls are found in the document: a new one is held to every law without being named.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sample_store import (
    MACHINE,
    STRATEGIES,
    Store,
    convolution_store,
    event,
    foreign_store,
    found_change,
    trusted_store,
)
from test_site import HOSTILE

OTHER_MACHINE = "other-machine"
PARAMS = "strategy=im2col, problem=question, dtype=float32"


def own_store() -> Store:
    """Make a store in which every view has something to choose: machines, builds, events, tags."""
    store = trusted_store(9)
    slower = {"machine": OTHER_MACHINE}
    store.rows += [
        made | slower | {"value": 1.4 * made["value"]}
        for made in store.rows
        if not made["benchmark"].startswith("control")
    ]
    for table in ("machines", "environments", "runs", "cells"):
        store.tables[table] += [made | slower for made in store.tables[table]]
    store.tables["commits"][4]["tags"] = ["v1.0"]
    add_events(store, names={"machine": MACHINE, "strategy": "im2col"})
    return store


def other_store() -> Store:
    """Make a store of another project, which has events but no strategies."""
    store = foreign_store()
    names = {
        "machine": "arm-box",
        "environment": "virtualenv-py3.12",
        "blas": "",
        "benchmark": "benchmarks.axpy.time_axpy",
    }
    add_events(store, names=names, params="size=100, variant=d")
    return store


def add_events(store: Store, *, names: Mapping[str, str], params: str = PARAMS) -> None:
    """Add two regressions and an improvement, each an event of its own."""
    store.tables["changes"] = []
    store.tables["events"] = []
    for number, ratio in ((2, 1.5), (4, 0.6), (6, 1.2)):
        one = found_change(number, before=1e-5, after=ratio * 1e-5, params=params, **names)
        store.tables["changes"].append(one)
        cause = "machine" if number == 4 else "code"
        said = {"cause": cause, "triage": "expected" if number == 6 else ""}
        store.tables["events"] += event(f"{number:010x}", one, **said)


STRATEGY = dict(zip(STRATEGIES, HOSTILE, strict=True))
PROBLEM = {"cifar_resnet20_3x3": HOSTILE[0], "vgg16_conv3_2": HOSTILE[1]}
RENAMED: dict[str, dict[str, str]] = {
    "strategy": STRATEGY,
    "subject": STRATEGY,  # of an event
    "problem": PROBLEM,
    "blas": {"mkl": HOSTILE[7]},
    "machine": {MACHINE: HOSTILE[0]},
    "environment": {"virtualenv-py3.12-mkl": HOSTILE[7]},
    "benchmark": {"dense.Dense.time_dot": HOSTILE[7]},
    "blas_identity": {"oneMKL 2026.2": HOSTILE[1]},
    "identity": {"oneMKL 2026.2": HOSTILE[1]},
    "run": {"run-6": HOSTILE[7]},
    "os": {"Linux 6.1": HOSTILE[0]},
    "family": {"fft": HOSTILE[7]},
}


def hostile_store() -> Store:
    """Give a hostile name to everything that results can name."""
    store = convolution_store(7, subjects=[*HOSTILE, *HOSTILE][:7])
    params = f"strategy={STRATEGY['im2col']}, problem=question, dtype=float32"
    add_events(store, names={"strategy": "im2col"}, params=params)
    for made in [*store.rows, *(made for table in store.tables.values() for made in table)]:
        made |= {name: new[made[name]] for name, new in RENAMED.items() if made.get(name) in new}
    for made in store.rows:
        made["params"] = {k: RENAMED.get(k, {}).get(v, v) for k, v in made["params"].items()}
        if made["unit"] == "bytes":
            made["params"]["__proto__"] = HOSTILE[0]
    for cell in store.tables["cells"]:
        cell["unsupported"] = cell["unsupported"] and HOSTILE[1]
    for one in store.tables["events"]:
        one |= {"evidence": HOSTILE[0], "triage": "ignored", "triage_reason": HOSTILE[1]}
    store.tables["commits"][3] |= {"tags": [HOSTILE[0]], "author": HOSTILE[7]}
    store.tables["runs"][-1]["disturbed"] = HOSTILE[0]
    return store


STORES: dict[str, Callable[[], Store]] = {
    "own": own_store,
    "other": other_store,
    "hostile": hostile_store,
}

# What a view shows: its words, and where its controls stand.
SHOWN = """() => {
  const { view: name } = document.documentElement.dataset;
  const view = document.querySelector(`.view[data-view="${name}"]`);
  const seen = [...view.querySelectorAll("input, select, textarea, [aria-pressed], [aria-current]")]
    .filter((one) => one.checkVisibility());
  return {
    words: view.innerText.replace(/\\s+/g, " ").trim(),
    controls: seen.map((one) => [
      one.dataset.state || one.id || one.textContent,
      one.type === "checkbox" ? one.checked : one.value ?? "",
      one.getAttribute("aria-pressed") || one.getAttribute("aria-current") || "",
    ].map(String)),
  };
}"""


def entered(page: Any, view: str) -> None:
    """Wait until a view has its data and its picture."""
    # Within one document the page is told of a new address only after it has it.
    page.evaluate("() => new Promise(told => setTimeout(told))")
    page.wait_for_selector(
        f'html[data-view="{view}"] #main:not([aria-busy])', state="attached", timeout=30_000
    )


def views_of(page: Any) -> list[str]:
    """Name the views of the document that is open."""
    names: list[str] = page.eval_on_selector_all(".view", "all => all.map(one => one.dataset.view)")
    return names


def addresses(page: Any) -> Iterator[tuple[str, str]]:
    """Give each view with a hash that shows it, of an event the newest."""
    for view in views_of(page):
        if view == "event":
            rows = "rows => rows.map(row => row.dataset.event)"
            for name in page.eval_on_selector_all("#events tr[data-event]", rows)[:1]:
                yield view, f"#/event?id={name}"
        else:
            yield view, f"#/{view}"


def walk(page: Any, site: str) -> Iterator[str]:
    """Open one view after the other, in one document as a reader does; no site: the open one."""
    if site:
        page.goto(site)
    entered(page, "overview")
    for view, hash_ in list(addresses(page)):
        page.evaluate("hash => { location.hash = hash; }", hash_)
        entered(page, view)
        yield view


# Changes each control of the view that was not changed yet, one per call; says which one.
CHANGE = """(done) => {
  const { view: name } = document.documentElement.dataset;
  const view = document.querySelector(`.view[data-view="${name}"]`);
  const nameOf = (one) => one.dataset.state || one.id || one.ariaLabel || one.className;
  const seen = [...view.querySelectorAll("select, input, textarea, button[aria-pressed=true]")];
  for (const one of seen.filter((one) => one.checkVisibility() && !one.disabled)) {
    const tell = (...kinds) => {
      for (const kind of kinds) one.dispatchEvent(new Event(kind, { bubbles: true }));
    };
    const key = nameOf(one);
    if (done.includes(key)) continue;
    one.scrollIntoView();
    if (one.tagName === "BUTTON") {
      one.click();
    } else if (one.tagName === "SELECT") {
      const other = [...one.options].filter((option) => option.value !== one.value).at(-1);
      if (!other) continue;
      one.value = other.value;
      tell("input", "change");
    } else if (one.type === "checkbox" || one.type === "radio") {
      one.click();
    } else if (one.type === "range" || one.type === "number") {
      const quarter = Math.round((one.max - one.min) / 4);
      one.value = one.value === one.min ? Number(one.min) + quarter : one.value - quarter;
      tell("input", "change");
    } else {
      one.focus(); // what it offers may be made then
      one.value = one.list ? [...one.list.options].at(-1).value : "e";
      tell("input", "change");
      one.blur();
    }
    return key;
  }
  return null;
}"""


# Remembers each element that gets the focus, and those that do not show it.
FOCUSED = """() => {
  window.reached = new Set();
  window.unseen = [];
  addEventListener("focusin", ({ target }) => {
    window.reached.add(target);
    const style = getComputedStyle(target);
    if (style.outlineStyle === "none" || !parseFloat(style.outlineWidth)) {
      window.unseen.push(target.outerHTML.slice(0, 160));
    }
  });
}"""
MISSED = """() => {
  const can = "a[href], button, select, input, textarea, summary, [tabindex]";
  const seen = [...document.querySelectorAll(can)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }));
  return seen.filter((one) => one.tabIndex >= 0 && !one.disabled && !window.reached.has(one))
    .map((one) => one.outerHTML.slice(0, 160));
}"""
