"""The whole way: two BLAS builds, one commit, from the wheels to the site."""

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import Figures, assert_agrees
from pipeline_project import MACHINE, PROBLEMS, STRATEGIES, Project
from wheel_records import assert_record_is_true

import convbench
from convbench import results, wheels

# One file, hence one worker, in order: they share one run, and the last test spoils it.
pytestmark = pytest.mark.pipeline


def facts(project: Project, blas: str, threads: str = "1") -> dict[str, Any]:
    document = json.loads((project.run / "facts.json").read_text())
    (told,) = [
        facts
        for facts in document["environments"].values()
        if (facts["blas"], facts["threads_claimed"]) == (blas, threads)
    ]
    return dict(told)


@pytest.mark.parametrize("threads", ["1", "all"])
@pytest.mark.parametrize("blas", ["openblas", "mkl"])
def test_each_environment_ran_on_the_blas_and_the_threads_it_claims(
    project: Project, blas: str, threads: str
) -> None:
    told = facts(project, blas, threads)
    number = 1 if threads == "1" else len(os.sched_getaffinity(0))

    assert told["guard"] == "ok"
    assert {library["family"] for library in told["libraries"]} == {blas}
    assert {library["threads"] for library in told["libraries"] if library["version"]} == {number}
    assert len(told["cpus"]) == number
    assert told["packages"]["numpy"].endswith("+mkl") == (blas == "mkl")
    assert told["packages"]["scipy"].endswith("+mkl") == (blas == "mkl")


def test_unsupported_cells_are_skipped_and_nothing_failed(project: Project) -> None:
    told = facts(project, "openblas")["cells"]
    unsupported = {
        (cell["strategy"], cell["problem"])
        for cell in told
        if cell["unsupported"]
        and cell["dtype"] == "float32"
        and cell["problem"] in PROBLEMS
        and cell["strategy"] in STRATEGIES
    }
    project.call("convbench", "collect", "results/runs", "--store", "results/store")

    values = results.load(project.root / "results/store")

    runs = values[values["benchmark"] == "run.Float32.time_run"]
    runs = runs[runs["problem"].isin(PROBLEMS) & runs["strategy"].isin(STRATEGIES)]
    assert set(values["status"]) == {"ok", "skipped"}
    assert set(values["blas"]) == {"openblas", "mkl"}
    assert len(runs) == 2 * 2 * len(STRATEGIES) * len(PROBLEMS)
    assert unsupported
    of_one_thread = {
        (strategy, problem)
        for strategy in STRATEGIES
        for problem in PROBLEMS
        if not convbench.STRATEGIES[strategy].threaded
    }
    for threads, expected in (("1", unsupported), ("all", unsupported | of_one_thread)):
        skipped = runs[(runs["status"] == "skipped") & (runs["threads"] == threads)]
        assert set(zip(skipped["strategy"], skipped["problem"], strict=True)) == expected


@pytest.fixture(scope="module")
def figures(project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figures]:
    """What each environment computes, by its BLAS build."""
    folder = tmp_path_factory.mktemp("figures")
    script = str(Path(__file__).with_name("blas_figures.py"))
    found = {}
    for blas in ("openblas", "mkl"):
        project.call(project.python(blas), script, str(folder / f"{blas}.npz"))
        with np.load(folder / f"{blas}.npz") as arrays:
            found[blas] = dict(arrays)
    return found


def test_retargeted_wheels_compute_what_the_official_ones_do(figures: dict[str, Figures]) -> None:
    assert_agrees(figures["openblas"], figures["mkl"])


def test_only_the_wanted_library_is_mapped(figures: dict[str, Figures]) -> None:
    mapped = [str(name) for name in figures["mkl"]["mapped"]]

    assert set(figures["openblas"]["threadpoolctl"]) == {"openblas"}
    assert set(figures["mkl"]["threadpoolctl"]) == {"mkl"}
    assert "libmkl_rt.so.3" in mapped
    assert all(name.startswith(("libmkl_", wheels.SHIM_PREFIX)) for name in mapped)


def test_what_is_installed_already_takes_no_time(project: Project) -> None:
    start = time.perf_counter()

    answer = project.call(
        "env", "CONVBENCH_BLAS=mkl", project.python("mkl"), "src/convbench/wheels.py"
    )

    assert "nothing to do" in answer.stdout
    assert time.perf_counter() - start < 5  # 0.2 s on an idle machine; pip alone takes longer


def test_a_wheel_made_again_is_the_same_to_the_byte(project: Project, tmp_path: Path) -> None:
    cache = project.root / ".asv/wheels"
    libraries = Path(project.python("mkl")).parents[1] / "lib"
    (official,) = cache.glob("official/*/numpy-*.whl")

    rebuilt = wheels.retarget(official, "mkl", tmp_path, libraries)

    (cached,) = cache.glob(f"retargeted/*/{rebuilt.name}")
    assert cached.read_bytes() == rebuilt.read_bytes()
    assert_record_is_true(cached)


def snakemake(project: Project, *words: str) -> str:
    answer = project.call(
        "snakemake", "--cores", "1", "--config", f"machines=[{MACHINE}]", "commits=1", *words
    )
    return answer.stdout + answer.stderr


def site_bytes(project: Project) -> dict[str, str]:
    site = project.root / "reports/site"
    files = sorted(path for path in site.rglob("*") if path.is_file())
    return {
        str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_the_workflow_builds_the_site_and_then_has_nothing_to_do(project: Project) -> None:
    first = snakemake(project)
    assert "rule measure:" not in first
    before = site_bytes(project)
    assert "index.html" in before

    assert "Nothing to be done" in snakemake(project)
    snakemake(project, "--forcerun", "collect_results")

    assert site_bytes(project) == before
    assert "Nothing to be done" in snakemake(project)


def test_only_a_commit_that_touches_what_is_measured_is_measured(project: Project) -> None:
    snakemake(project)
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")

    (project.root / "README.md").write_text("Other words.\n")
    project.call(*git, "commit", "-q", "-am", "words")
    assert "Nothing to be done" in snakemake(project)

    source = project.root / "src/convbench/errors.py"
    source.write_text(source.read_text() + "\n# A change.\n")
    project.call(*git, "commit", "-q", "-am", "code")
    head = project.call("git", "rev-parse", "HEAD").stdout.strip()
    plan = snakemake(project, "--dry-run", "--printshellcmds")
    project.call("git", "reset", "-q", "--hard", project.commit)

    # Environments are tried with the same commit, by `--only-environments`.
    assert re.findall(r"convbench measure ([0-9a-f]{40}) --machine", plan) == [head]


def test_a_misspelt_key_of_the_configuration_is_refused(project: Project) -> None:
    answer = project.call("snakemake", "-n", "--config", "machin=x1", check=False)

    assert answer.returncode
    assert "machin" in answer.stdout + answer.stderr


def test_a_swapped_wheel_ends_in_failed_benchmarks_that_name_both(
    project: Project, tmp_path: Path
) -> None:
    # Last, since it spoils the environment: asv sees no reason to install anything again.
    swap = ("src/convbench/wheels.py", "--blas", "openblas", "--cache", ".asv/wheels")
    project.call(project.python("mkl"), *swap)
    words = ["convbench", "measure", project.commit, "--again", "--quick", "--machine", "swapped"]

    project.call(*words, "--runs", str(tmp_path), "--bench", "time_dot|time_noop")

    (run,) = tmp_path.iterdir()
    assert json.loads((run / "facts.json").read_text())["asv_exit_code"] == 2
    log = (run / "asv.log").read_text()
    assert "claimed BLAS mkl, but mapped into the process: libscipy_openblas" in log
    for file in (run / "swapped").glob("*-virtualenv*.json"):
        document = json.loads(file.read_text())
        # The first column of a row is `result`: null when every combination failed.
        times = document["results"]["dense.Dense.time_dot"][0]
        claimed = document["env_vars"]["CONVBENCH_BLAS"]
        assert (times is None) == (claimed == "mkl")
