"""`convbench init`: what a project gets, once, and nothing of its own is touched."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from toy_repository import CONFIG, git, repository

from convbench.commands import init
from convbench.comparison.defaults import read_defaults
from convbench.errors import BadUsage
from convbench.results.words import Words, read_words

SUITE = """
import numpy as np

class Solve:
    param_names = ["solver", "n", "dtype"]
    params = [["lu", "qr", "cg", "gmres", "svd"], [10, 100], ["float32"]]
    def time_solve(self, solver, n, dtype): pass

class Other:
    param_names = ("n",)
    params = (1, 2)
    def time_it(self, n): pass

def time_function(width): pass
time_function.param_names = ["width"]
time_function.params = [np.arange(3)]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose suite has parameters, and whose configuration has comments."""
    folder = repository(tmp_path / "toy")
    (folder / "benchmarks" / "solve.py").write_text(SUITE)
    (folder / "benchmarks" / "broken.py").write_text("class (")
    matrix = {"req": {"numpy": ["2.4"]}, "env_nobuild": {"OMP_NUM_THREADS": ["1", "2"]}}
    text = json.dumps(CONFIG | {"matrix": matrix, "results_dir": "out/asv"}, indent=1)
    (folder / "asv.conf.json").write_text(f"// asv's own template has comments\n{text}")
    monkeypatch.chdir(folder)
    return folder


def called(*words: str) -> list[str]:
    parser = argparse.ArgumentParser()
    init.add_arguments(parser)
    said: list[str] = []
    assert init.run(parser.parse_args(words), said.append) == 0
    return said


def files(folder: Path) -> dict[str, str]:
    """All files that git would take."""
    words = ["git", "-C", str(folder), "ls-files", "--others", "--exclude-standard"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: (folder / name).read_text() for name in listed if "benchmarks/" not in name}


def test_the_suites_words_are_proposed(project: Path) -> None:
    called("--ci", "none", "--site-url", "https://example.org/bench/")

    text = (project / "convbench.toml").read_text()
    document = tomllib.loads(text)
    assert document["parameters"] == {
        "strategy": ["solver"],
        "problem": ["size", "n"],
        "dtype": ["dtype"],
    }
    assert document["environment"] == {"threads": ["OMP_NUM_THREADS"]}
    assert 'strategy = ["solver"] # lu, qr, cg, gmres, …' in text
    assert "# The suite has n (2), dtype (1), size (1), solver (1), width (1)." in text
    # Those who read it take it.
    assert read_words(project / "convbench.toml").parameters["strategy"] == ("solver",)
    defaults = read_defaults(project)
    assert defaults.options == {"site_url": "https://example.org/bench/"}
    assert defaults.strategy_parameters == ("solver",)


def test_results_know_what_a_suite_computes(project: Path) -> None:
    (project / "out" / "asv").mkdir(parents=True)
    described = {"solve.time_x": {"param_names": ["method"], "params": [["'a'"]]}, "version": 2}
    (project / "out" / "asv" / "benchmarks.json").write_text(json.dumps(described))

    called("--ci", "none")

    document = tomllib.loads((project / "convbench.toml").read_text())
    assert document["parameters"]["strategy"] == ["method", "solver"]


def test_a_suite_without_parameters_gets_examples(project: Path) -> None:
    shutil.rmtree(project / "benchmarks")
    (project / "asv.conf.json").write_text(json.dumps(CONFIG))

    called("--ci", "none")

    assert tomllib.loads((project / "convbench.toml").read_text()) == {
        "compare": {},
        "parameters": {},
    }
    assert read_words(project / "convbench.toml") == Words()


GITHUB = {f".github/workflows/convbench-{name}.yml" for name in ("comment", "nightly")} | {
    ".github/workflows/convbench-pull-request.yml",
    "ci/bench/comment.py",
}
GITLAB = {".gitlab-ci.yml", "ci/bench/gitlab.yml"}
SCRIPTS = {
    *(f"ci/bench/{name}.sh" for name in ("askpass", "gate", "install", "measure_new")),
    *(f"ci/bench/{name}.sh" for name in ("publish", "settings")),
}


@pytest.mark.parametrize(
    ("hosts", "wanted"),
    [
        (["none"], set()),
        (["github"], GITHUB | SCRIPTS),
        (["gitlab"], GITLAB | SCRIPTS),
        (["github", "gitlab"], GITHUB | GITLAB | SCRIPTS),
    ],
)
def test_each_host_gets_its_files(project: Path, hosts: list[str], wanted: set[str]) -> None:
    called("--ci", *hosts)

    found = files(project)
    assert set(found) == wanted | {"convbench.toml"}
    for name, text in found.items():
        assert not re.search(r"@[A-Z]+@", text)
        if name.endswith(".yml"):
            yaml.safe_load(text)
        if text.startswith("#!"):
            assert (project / name).stat().st_mode & 0o111


def test_scripts_know_the_project(project: Path) -> None:
    called("--ci", "github")

    settings = (project / "ci" / "bench" / "settings.sh").read_text()
    assert "\nasv_config=asv.conf.json\nasv_project=toy\nasv_results=out/asv\n" in settings
    install = (project / "ci" / "bench" / "install.sh").read_text()
    assert '"convbench[measure]==' in install


@pytest.mark.parametrize(
    ("remote", "made", "hosts"),
    [
        ("", [], set()),
        ("https://github.com/o/p", [], {"github"}),
        ("git@gitlab.example:o/p.git", [], {"gitlab"}),
        ("", [".github/workflows"], {"github"}),
    ],
)
def test_without_ci_the_repository_shows_the_host(
    project: Path, remote: str, made: list[str], hosts: set[str]
) -> None:
    if remote:
        git(project, "remote", "add", "origin", remote)
    for folder in made:
        (project / folder).mkdir(parents=True)

    called()

    names = set(files(project))
    assert {"github"} & hosts == ({"github"} if names >= GITHUB else set())
    assert {"gitlab"} & hosts == ({"gitlab"} if names >= GITLAB else set())


def test_again_it_changes_nothing(project: Path) -> None:
    called("--ci", "github", "gitlab")
    before = files(project)

    said = called("--ci", "github", "gitlab")

    assert files(project) == before
    assert {line.split()[0] for line in said[: len(before)]} == {"same"}


def test_what_is_there_is_never_overwritten(project: Path) -> None:
    (project / "convbench.toml").write_text("# mine")
    (project / ".gitlab-ci.yml").write_text("tests: {script: make}")

    said = called("--ci", "gitlab")

    assert (project / "convbench.toml").read_text() == "# mine"
    assert (project / ".gitlab-ci.yml").read_text() == "tests: {script: make}"
    assert "kept        convbench.toml" in said
    assert "kept        .gitlab-ci.yml" in said
    assert any("add to .gitlab-ci.yml under `include:`" in line for line in said)
    assert (project / "ci" / "bench" / "gitlab.yml").exists()


def test_a_dry_run_shows_all_and_writes_nothing(project: Path) -> None:
    before = files(project)

    said = called("--ci", "github", "--dry-run")

    assert files(project) == before
    assert "would write ci/bench/gate.sh" in said
    assert "    set -euo pipefail" in said


def test_the_configuration_may_lie_deeper(project: Path) -> None:
    (project / "perf").mkdir()
    (project / "asv.conf.json").rename(project / "perf" / "asv.conf.json")

    with pytest.raises(BadUsage, match=r"name it with --config; there is perf/asv\.conf\.json"):
        called()
    called("--config", "perf/asv.conf.json", "--ci", "gitlab")

    assert (project / "perf" / "convbench.toml").exists()
    settings = (project / "ci" / "bench" / "settings.sh").read_text()
    assert "asv_config=perf/asv.conf.json\n" in settings
    assert "asv_results=perf/out/asv\n" in settings


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ci", "none", "github"], "--ci none stands alone"),
        (["--site-url", "example"], "--site-url must be the address of a folder"),
        (["--config", "no.json"], "no asv configuration at no.json"),
    ],
)
def test_wrong_usage_is_one_line(project: Path, words: list[str], message: str) -> None:
    with pytest.raises(BadUsage, match=message) as refused:
        called(*words)

    assert "\n" not in str(refused.value)
    assert set(files(project)) == set()


def test_without_a_repository_or_a_configuration_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadUsage, match="asv quickstart"):
        called()

    (tmp_path / "asv.conf.json").write_text("{}")
    with pytest.raises(BadUsage, match="is in no git repository"):
        called()


def test_results_outside_of_the_repository_are_refused(project: Path) -> None:
    (project / "asv.conf.json").write_text(json.dumps(CONFIG | {"results_dir": "../../results"}))

    with pytest.raises(BadUsage, match="lies outside of the repository"):
        called("--ci", "none")


def test_a_link_out_of_the_repository_is_not_written_through(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / "ci").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BadUsage, match="leads out of the repository"):
        called("--ci", "gitlab")

    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.alone
def test_the_whole_way_from_init_to_the_pages(project: Path) -> None:
    """A project with real asv: init, the gate's script, `asv run`, collect, report."""
    config = json.loads((project / "asv.conf.json").read_text().partition("\n")[2])
    config |= {"matrix": {}}
    (project / "asv.conf.json").write_text(f"// a comment\n{json.dumps(config)}")
    (project / "benchmarks" / "solve.py").unlink()
    (project / "benchmarks" / "broken.py").unlink()
    called("--ci", "github")
    git(project, "add", "--all", ":!.asv")
    git(project, "commit", "--quiet", "--message", "convbench")
    # asv's environment is the tests' own Python, into which it does not install.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    home = project.parent / "home"  # asv writes its machines there
    home.mkdir()
    environment = os.environ | {"PATH": path, "ASV_PYTHONPATH": str(project), "HOME": str(home)}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, env=environment, capture_output=True, text=True)

    gate = call("ci/bench/gate.sh", "HEAD~2", "HEAD", "--blocks", "6", "--bench", r"\(1\)")
    assert gate.returncode == 1, gate.stderr
    assert "gate closed: work.Work.time_work(1) is slower" in gate.stdout

    assert call("asv", "machine", "--yes", "--machine", "box").returncode == 0
    run = ("asv", "run", "--machine", "box", "--quick", "--set-commit-hash")
    for revision in ("HEAD~1", "HEAD"):
        commit = call("git", "rev-parse", revision).stdout.strip()
        ran = call(*run, commit)
        assert ran.returncode == 0, ran.stdout
    collected = call("convbench", "collect", "out/asv", "--store", "store", "--repo", ".")
    assert collected.returncode == 0, collected.stderr
    assert "4 ok" in collected.stdout
    assert call("convbench", "report", "store", "--output", "site").returncode == 0
    assert "time_work" in (project / "site" / "index.html").read_text()
