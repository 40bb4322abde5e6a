"""The view About: every word of the site, once, and what made the numbers."""

import pytest
from sample_store import MACHINE, Store, convolution_store, foreign_store, trusted_store

from convbench.report.about import build_about
from convbench.report.cell_verdicts import VERDICTS
from convbench.report.glossary import GROUPS, VIEWS
from convbench.report.pages import Views, build_views, shown_views
from convbench.report.series import build_series
from convbench.report.site import site_files
from convbench.stats.attribution import CAUSES
from convbench.stats.triage import STATES

TERMS = [term for group in GROUPS for term in group.terms]
ALL = tuple(link.view for link in VIEWS)


def views_of(store: Store) -> Views:
    measurements = store.measurements()
    return build_views(measurements, build_series(measurements))


def test_every_word_is_defined_once() -> None:
    words = [term.word for term in TERMS]

    assert len(words) == len(set(words))
    assert all(term.means.endswith(".") for term in TERMS)
    assert all(not term.reading or term.reading.endswith(".") for term in TERMS)


@pytest.mark.parametrize(
    "word",
    [
        *("value", "interval", "history", "event", "cause", "effective GFLOP/s", "% of peak"),
        *("winner, tie", "A/A pair, A/A rate", "disturbed", "stale", "change", "decision"),
        *("reach, noise explains", "not comparable", "ceiling", "executed ÷ direct", "cell"),
    ],
)
def test_the_words_that_the_site_uses_are_there(word: str) -> None:
    assert word in [term.word for term in TERMS]


def test_the_causes_and_decisions_are_those_that_exist() -> None:
    means = {term.word: term.means for term in TERMS}

    for cause in CAUSES:
        assert cause in means["cause"]
    for state in STATES:
        assert state in means["decision"]


def test_words_lead_to_views_that_can_be_opened() -> None:
    parts = {"trust"}  # of Coverage
    for term in TERMS:
        assert term.view in {"", *ALL}
        assert term.needs in {"", *ALL, *parts}


def test_every_verdict_of_compare_is_explained() -> None:
    (group,) = (group for group in GROUPS if group.title.startswith("Comparing"))
    words = " ".join(word for term in group.terms for word in (term.word, term.means))

    for verdict in {*VERDICTS.values()} - {"no verdict yet"}:
        assert verdict in words.lower()
    assert "no verdict yet" in [term.word for term in TERMS]


def test_words_of_views_that_a_site_does_not_have_are_left_out() -> None:
    about = build_about(foreign_store().measurements(), ("overview", "history"))

    words = [term.word for group in about.groups for term in group.terms]
    assert "interval" in words
    assert not {"winner, tie", "% of peak", "event", "disturbed"} & set(words)
    assert [link.view for link in about.views] == ["overview", "history"]
    assert {term.view for group in about.groups for term in group.terms} <= {
        "", "overview", "history",
    }  # fmt: skip
    assert all(group.terms for group in about.groups)


@pytest.mark.parametrize("make", [Store, foreign_store, convolution_store, trusted_store])
def test_every_site_has_it_and_links_to_what_it_has(make: type[Store]) -> None:
    views = views_of(make())

    assert views.about is not None
    linked = [link.view for link in views.about.views]
    # One event is opened from a list, this view from everywhere.
    assert set(shown_views(views)) - {"about"} == set(linked)
    assert linked == [view for view in ALL if view in linked]


def test_versions_and_lock_of_the_newest_run_are_told() -> None:
    store = trusted_store(2)
    lock = "ab" * 32
    store.tables["runs"][-1]["lock_sha256"] = lock

    facts = {fact.name: fact for fact in build_about(store.measurements(), ALL).origins}

    assert (facts["Lock file, SHA-256"].shown, facts["Lock file, SHA-256"].whole) == (
        lock[:12],
        lock,
    )
    assert facts["asv"].whole == "0.6.6"
    assert f"<code>{lock}</code>" in site_files(store.measurements())["index.html"]


def test_machines_that_were_set_up_differently_are_named() -> None:
    store = trusted_store(1)
    store.tables["runs"].append(store.tables["runs"][0] | {"machine": "other", "python": "3.13.1"})

    names = [fact.name for fact in build_about(store.measurements(), ALL).origins]

    assert [name for name in names if "Python" in name] == [
        f"Python of convbench measure ({MACHINE})",
        "Python of convbench measure (other)",
    ]
    assert "asv" in names


def test_a_store_without_runs_tells_the_versions_of_the_site_alone() -> None:
    assert build_about(foreign_store().measurements(), ALL).origins == ()
