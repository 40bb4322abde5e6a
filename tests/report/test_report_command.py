import argparse
import re
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench.commands import report
from convbench.errors import BadUsage
from convbench.report.measurements import read_measurements
from convbench.results import collect
from convbench.stats import MIN_COMMITS


def run(*words: str) -> list[str]:
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    said: list[str] = []
    assert report.run(parser.parse_args(words), said.append) == 0
    return said


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of results without a value."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results/benchmarks.json").write_text('{"version": 2}')
    collect([tmp_path / "results"], tmp_path / "store", say=lambda _: None)
    return tmp_path / "store"


def test_the_path_of_the_index_is_printed(store: Path, tmp_path: Path) -> None:
    said = run(str(store), "--output", str(tmp_path / "site"))

    assert said == [str(tmp_path / "site/index.html")]
    assert "Nothing measured yet" in (tmp_path / "site/index.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--repo-url", "javascript:alert(1)"], "must start with https://"),
        (["--repo-url", "https://example.org/{commit}"], "no braces"),
        (["--link-template", "javascript:alert('{commit}')"], "must start with https://"),
        (["--link-template", "https://example.org/commit"], "have {commit} after it"),
        (["--link-template", "https://{commit}/commit"], "name the host"),
        (["--link-template", "https://{commit}.example.org/{commit}"], "name the host"),
        (["--link-template", "https://example.org/{commit} x"], "have {commit} after it"),
        (["--link-template", "https://example.org/{commit}/{other}"], "have {commit} after it"),
        (
            ["--link-template", "https://a.b/{commit}", "--repo-url", "https://a.b/c"],
            "not both",
        ),
        (["--site-url", "javascript:alert(1)"], "address of a folder"),
        (["--site-url", "https://example.org/?page=1"], "address of a folder"),
        (["--site-url", "https://example.org/index.html#/"], "address of a folder"),
        (["--plotly-bundle", "no-such-file.js"], "there is none at no-such-file.js"),
        (["--project", "other"], "no project 'other'"),
    ],
)
def test_wrong_options_say_what_is_accepted(
    store: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    with pytest.raises(BadUsage, match=re.escape(message)):
        run(str(store), "--output", str(tmp_path / "site"), *words)


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A store of one value at the commit `abc123`."""
    text = result_file({"a": row([1.0])}, commit_hash="abc123")
    collect(write_source(tmp_path / "p", {"m/a.json": text}), tmp_path / "measured")
    return tmp_path / "measured"


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["--repo-url", "https://example.org/p/"], "https://example.org/p/commit/abc123"),
        (["--link-template", "https://a.b/p/-/commit/{commit}"], "https://a.b/p/-/commit/abc123"),
        (["--link-template", "http://a.b/?id={commit}&x=1"], "http://a.b/?id=abc123&amp;x=1"),
    ],
)
def test_commits_link_to_their_host(
    measured: Path, tmp_path: Path, words: list[str], address: str
) -> None:
    run(str(measured), "--output", str(tmp_path / "site"), *words)

    assert f'href="{address}"' in (tmp_path / "site/index.html").read_text()
    # What scripts draw links by the same template.
    template = address.replace("abc123", "{commit}").replace("&amp;", "\\u0026")
    assert f'"commitUrl":"{template}"' in (tmp_path / "site/data/meta.js").read_text()


def test_the_title_stands_where_the_project_would(measured: Path, tmp_path: Path) -> None:
    run(str(measured), "--output", str(tmp_path / "site"), "--title", " Ours <b> ")

    index = (tmp_path / "site/index.html").read_text()

    assert "<span>Ours &lt;b&gt;</span>" in index
    assert "· Ours &lt;b&gt;</title>" in index
    assert "<title>Ours &lt;b&gt;: benchmark events" in (tmp_path / "site/events.atom").read_text()


def test_the_feed_leads_to_where_the_site_will_lie(measured: Path, tmp_path: Path) -> None:
    run(str(measured), "--output", str(tmp_path / "site"), "--site-url", "https://example.org/b")

    feed = (tmp_path / "site/events.atom").read_text()

    assert 'href="https://example.org/b/events.atom"' in feed
    # The pages stay relative: the folder may still lie anywhere.
    assert "https://example.org/b" not in (tmp_path / "site/index.html").read_text()


def test_the_commits_that_a_verdict_needs_are_those_of_detect(store: Path) -> None:
    with pytest.raises(SystemExit):
        run(str(store), "--min-commits", "3")

    assert read_measurements(store, project=None).min_commits == MIN_COMMITS


def test_a_missing_store_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="convbench collect"):
        run(str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["thesis.tex", "index.html"])
def test_a_folder_with_other_files_is_not_replaced(store: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / name).touch()

    with pytest.raises(BadUsage, match="holds files that are no site"):
        run(str(store), "--output", str(tmp_path / "home"))

    assert (tmp_path / "home" / name).is_file()


def test_a_site_without_its_index_is_built_again(store: Path, tmp_path: Path) -> None:
    # So a build that was interrupted, or whose index a workflow removed, mends itself.
    run(str(store), "--output", str(tmp_path / "site"))
    (tmp_path / "site/index.html").unlink()

    run(str(store), "--output", str(tmp_path / "site"))

    assert (tmp_path / "site/index.html").is_file()
