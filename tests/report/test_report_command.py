import argparse
from pathlib import Path

import pytest

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
        (["--plotly-bundle", "no-such-file.js"], "there is none at no-such-file.js"),
        (["--project", "other"], "no project 'other'"),
    ],
)
def test_wrong_options_say_what_is_accepted(
    store: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    with pytest.raises(BadUsage, match=message):
        run(str(store), "--output", str(tmp_path / "site"), *words)


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
