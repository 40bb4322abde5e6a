"""The nights' scripts on a small project with real asv: pull, `asv run NEW`, push, site."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from ci_project import project, script
from toy_repository import PACKAGE, commit

from convbench.results import load


def folder_place(folder: Path) -> str:
    (folder / "place").mkdir()
    return str(folder / "place")


def git_place(folder: Path) -> str:
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder / "place.git")], check=True)
    return f"git+file://{folder / 'place.git'}#benchmark-results"


PLACES = {"folder": folder_place, "git": git_place}


def night(folder: Path, variables: Mapping[str, str]) -> tuple[str, str]:
    """Measure and publish as the two jobs do; gives what both said."""
    measured = script(folder, "measure_new.sh", "--quick", **variables)
    assert measured.returncode == 0, measured.stdout + measured.stderr
    published = script(folder, "publish.sh", "convbench-site", **variables)
    assert published.returncode == 0, published.stdout + published.stderr
    return measured.stdout, published.stdout


def commits(results: Path) -> int:
    return len(list((results / "box").glob("*-*.json")))


def configured(folder: Path, below: str, **config: object) -> None:
    """Put asv's configuration, with environments of its own, into a folder that scripts know."""
    text = json.loads((folder / "asv.conf.json").read_text())
    text |= {"environment_type": "virtualenv", "env_dir": str(folder / ".asv" / "env")}
    text |= {"build_command": ["python -m pip wheel --no-deps -w {build_cache_dir} {build_dir}"]}
    (folder / "asv.conf.json").unlink()
    (folder / below).mkdir(exist_ok=True)
    (folder / below / "asv.conf.json").write_text(json.dumps(text | config))
    settings = folder / "ci" / "bench" / "settings.sh"
    moved = settings.read_text().replace("=asv.conf.json", f"={below}/asv.conf.json")
    settings.write_text(moved.replace("=results", f"={below}/results"))


def forget(folder: Path, *names: str) -> None:
    for name in names:
        shutil.rmtree(folder / name)


@pytest.mark.pipeline
# The kinds of place are tested by themselves; nights on one of them say that the scripts fit.
@pytest.mark.parametrize(
    "kind", ["git", *(pytest.param(k, marks=pytest.mark.slow) for k in PLACES if k != "git")]
)
def test_each_night_measures_what_is_new_and_the_site_shows_all(tmp_path: Path, kind: str) -> None:
    folder = project(tmp_path / "toy")
    configured(folder, ".")
    results = folder / "results"
    variables = {"CONVBENCH_PLACE": PLACES[kind](tmp_path), "CONVBENCH_MACHINE": "box"}

    first, _ = night(folder, variables)

    assert "nothing is measured on box yet" in first
    assert commits(results) == 1

    again, published = night(folder, variables)

    assert "nothing new\n" in again
    assert "0 ok" not in published
    # The runner was emptied, and another machine has the next commit already.
    commit(folder, PACKAGE.format(steps=9000))
    forget(folder, "results", ".asv/shared", ".asv/publish")
    night(folder, variables | {"CONVBENCH_MACHINE": "other"})
    forget(folder, "results")

    night(folder, variables)

    assert commits(results) == 2
    index = (folder / "convbench-site" / "index.html").read_text()
    for word in ("time_work", "box", "other"):
        assert word in index


@pytest.mark.pipeline
def test_a_configuration_below_has_its_own_words_and_place(tmp_path: Path) -> None:
    folder = project(tmp_path / "toy")
    configured(folder, "perf", repo="..", benchmark_dir="../benchmarks")
    words = f'[shared]\nplace = "{folder_place(tmp_path)}"\n[parameters]\nstrategy = "size"\n'
    (folder / "perf" / "convbench.toml").write_text(words)

    night(folder, {"CONVBENCH_MACHINE": "box"})

    assert commits(folder / "perf" / "results") == 1
    assert list((tmp_path / "place").iterdir())
    rows = load(folder / ".asv" / "publish" / "store", columns=["strategy"])
    assert set(rows["strategy"]) == {"1", "2"}


def test_without_a_place_nothing_is_measured_in_vain(tmp_path: Path) -> None:
    folder = project(tmp_path / "toy")

    answer = script(folder, "measure_new.sh")

    assert answer.returncode == 2
    assert "place" in answer.stderr


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("github.example", "username=x-access-token\npassword=secret\n"),
        ("github.example.evil.example", ""),
        ("evil.example", ""),
    ],
)
def test_git_gives_the_token_to_githubs_host_alone(tmp_path: Path, host: str, told: str) -> None:
    folder = project(tmp_path / "toy")
    variables = {
        "GIT_ASKPASS": str(folder / "ci" / "bench" / "askpass.sh"),
        "GITHUB_TOKEN": "secret",
        "GITHUB_SERVER_URL": "https://github.example",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }

    answer = subprocess.run(
        ["git", "credential", "fill"],
        input=f"protocol=https\nhost={host}\npath=owner/project.git\n\n",
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )

    assert told in answer.stdout
    assert ("secret" in answer.stdout + answer.stderr) == bool(told)
