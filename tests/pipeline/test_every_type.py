"""A real `asv run` of every type of benchmark, and the rows that come of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convbench.results import collect, load, load_table

SUITE = """
class Sizes:
    params = [[1, 2], ["a", "b"]]
    param_names = ["n", "name"]

    def setup(self, n, name):
        if n == 2 and name == "b":
            raise NotImplementedError

    def time_sum(self, n, name):
        sum(range(1000))


def time_fails():
    raise ValueError


def timeraw_start():
    return "1 + 1"


def mem_list():
    return [0] * 1000


def peakmem_list():
    return [0] * 1000


def track_answer():
    return 42


track_answer.unit = "answers"


def track_text():
    return "no number"
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("every-type")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks/__init__.py").touch()
    (folder / "benchmarks/suite.py").write_text(SUITE)
    config = {"version": 1, "project": "every-type", "repo": ".", "branches": ["HEAD"]}
    config |= {"results_dir": "results", "environment_type": "existing"}
    (folder / "asv.conf.json").write_text(json.dumps(config))
    environment = os.environ | {"HOME": str(folder)}
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        environment |= {f"{name}_NAME": "A", f"{name}_EMAIL": "a@b"}

    def run(*command: str, accepted: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in accepted, done.stdout + done.stderr
        return done.stdout.strip()

    asv = str(Path(sys.executable).parent / "asv")
    run("git", "init", "--quiet")
    run("git", "add", ".")
    run("git", "commit", "--quiet", "--message", "suite")
    commit = run("git", "rev-parse", "HEAD")
    run(asv, "machine", "--yes", "--machine", "m")
    where = ["--python", "same", "--set-commit-hash", commit, "--machine", "m"]
    run(asv, "run", *where, "--record-samples", "--attribute", "repeat=3", accepted=(2,))
    return folder / "results"


@pytest.mark.pipeline
def test_every_type_has_its_unit_and_every_outcome_its_status(results, tmp_path):
    collect(results, tmp_path / "store", repo=results.parent)

    values = load(tmp_path / "store", samples=True)
    known = load_table(tmp_path / "store", "benchmarks").set_index("benchmark")

    units = {
        "suite.Sizes.time_sum": ("time", "seconds"),
        "suite.time_fails": ("time", "seconds"),
        "suite.timeraw_start": ("time", "seconds"),
        "suite.mem_list": ("memory", "bytes"),
        "suite.peakmem_list": ("peakmemory", "bytes"),
        "suite.track_answer": ("track", "answers"),
        "suite.track_text": ("track", "unit"),
    }
    assert {name: (row["type"], row["unit"]) for name, row in known.iterrows()} == units
    sums = values[values["benchmark"] == "suite.Sizes.time_sum"]
    assert [(*p.values(), s) for p, s in zip(sums["params"], sums["status"], strict=True)] == [
        ("1", "a", "ok"),
        ("1", "b", "ok"),
        ("2", "a", "ok"),
        ("2", "b", "skipped"),
    ]
    assert all(len(samples) >= 3 for samples in sums["samples"].iloc[:3])
    of = values.set_index("benchmark")
    assert of.loc["suite.time_fails", "status"] == "failed"
    assert of.loc["suite.track_answer", "value"] == 42
    assert (of.loc["suite.track_text", "status"], of["value"].isna()["suite.track_text"]) == (
        "ok",
        True,
    )
    assert of.loc["suite.mem_list", "value"] > 8000
    assert load_table(tmp_path / "store", "commits")["subject"].tolist() == ["suite"]
