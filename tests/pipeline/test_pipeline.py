"""The whole way: two BLAS builds, one commit, from the wheels to the site."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from pipeline_project import MACHINE, Project

from convbench import results

# One worker runs them all, in order: they share one run, and the last one spoils it.
pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]


def facts(project: Project) -> dict[str, dict[str, Any]]:
    document = json.loads((project.run / "facts.json").read_text())
    return {facts["blas"]: facts for facts in document["environments"].values()}


def python_of(project: Project, blas: str) -> str:
    for info in project.root.glob(".asv/env/*/asv-env-info.json"):
        if json.loads(info.read_text())["build_env_vars"]["CONVBENCH_BLAS"] == blas:
            return str(info.with_name("bin") / "python")
    raise AssertionError(f"no environment for {blas}")


@pytest.mark.parametrize("blas", ["openblas", "mkl"])
def test_each_environment_ran_on_the_blas_it_claims_with_one_thread(
    project: Project, blas: str
) -> None:
    told = facts(project)[blas]

    assert told["guard"] == "ok"
    assert {library["family"] for library in told["libraries"]} == {blas}
    assert {library["threads"] for library in told["libraries"] if library["version"]} == {1}
    assert told["packages"]["numpy"].endswith("+mkl") == (blas == "mkl")
    assert told["packages"]["scipy"].endswith("+mkl") == (blas == "mkl")


def test_unsupported_cells_are_skipped_and_nothing_failed(project: Project) -> None:
    told = facts(project)["openblas"]["cells"]
    unsupported = {
        (cell["strategy"], cell["problem"])
        for cell in told
        if cell["unsupported"] and cell["dtype"] == "float32"
    }
    project.call("convbench", "collect", "results/runs", "--store", "results/store")

    values = results.load(project.root / "results/store")

    runs = values[values["benchmark"] == "run.Float32.time_run"]
    skipped = runs[runs["status"] == "skipped"]
    assert set(values["status"]) == {"ok", "skipped"}
    assert set(zip(skipped["strategy"], skipped["problem"], strict=True)) == unsupported
    assert set(values["blas"]) == {"openblas", "mkl"}
    assert len(runs) == 2 * 10 * 8


def test_retargeted_wheels_compute_what_the_official_ones_do(project: Project) -> None:
    script = """if True:
        import json
        import numpy as np, scipy.linalg
        rng = np.random.default_rng(0)
        a = rng.standard_normal((64, 64))
        z = a + 1j * rng.standard_normal((64, 64))
        blas = scipy.linalg.blas
        figures = {
            "gemm": a @ a, "sgemm": a.astype("f") @ a.astype("f"),
            "solve": np.linalg.solve(a, a[0]),
            "svd": np.linalg.svd(a)[1], "eigh": np.linalg.eigh(a + a.T)[0],
            "eigvals": np.sort_complex(np.linalg.eigvals(a)), "svdvals": scipy.linalg.svdvals(z),
            "zdotc": blas.zdotc(z[0], z[1]), "zdotu": blas.zdotu(z[0], z[1]),
            "cdotc": blas.cdotc(z[0], z[1]), "cdotu": blas.cdotu(z[0], z[1]),
            "schur": np.sort(np.abs(np.diag(scipy.linalg.schur(z)[0]))),
        }
        flat = {name: np.atleast_1d(value).ravel() for name, value in figures.items()}
        parts = {name: (value.real, value.imag) for name, value in flat.items()}
        print(json.dumps({n: [p.astype("d").tolist() for p in pair] for n, pair in parts.items()}))
    """
    stock, retargeted = (
        json.loads(project.call(python_of(project, blas), "-c", script).stdout)
        for blas in ("openblas", "mkl")
    )

    assert stock.keys() == retargeted.keys()
    for name, parts in stock.items():
        # Backward stable algorithms on well-conditioned 64 × 64 matrices: n² · eps of the largest.
        eps = 2**-23 if name in ("sgemm", "cdotc", "cdotu") else 2**-52
        largest = max(map(abs, parts[0] + parts[1]))
        # `solve` alone is amplified by the condition of the matrix, some hundreds here.
        bound = 64**2 * eps * largest * (1000 if name == "solve" else 1)
        for ours, theirs in zip(retargeted[name], parts, strict=True):
            assert all(math.isclose(a, b, abs_tol=bound) for a, b in zip(ours, theirs, strict=True))


def snakemake(project: Project, *words: str) -> str:
    answer = project.call(
        "snakemake", "--cores", "1", "--config", f"machine={MACHINE}", "commits=1", *words
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

    (project.root / "src/convbench/errors.py").open("a").write("\n# A change.\n")
    project.call(*git, "commit", "-q", "-am", "code")
    head = project.call("git", "rev-parse", "HEAD").stdout.strip()
    plan = snakemake(project, "--dry-run", "--printshellcmds")
    project.call("git", "reset", "-q", "--hard", project.commit)

    assert plan.count("convbench measure") == 1
    assert f"convbench measure {head}" in plan


def test_a_commit_that_is_measured_already_is_answered_at_once(project: Project) -> None:
    answer = project.call("convbench", "measure", project.commit, "--machine", MACHINE)

    assert "measured already" in answer.stdout


def test_a_misspelt_key_of_the_configuration_is_refused(project: Project) -> None:
    answer = project.call("snakemake", "-n", "--config", "machin=x1", check=False)

    assert answer.returncode
    assert "machin" in answer.stdout + answer.stderr


def test_a_swapped_wheel_ends_in_failed_benchmarks_that_name_both(
    project: Project, tmp_path: Path
) -> None:
    # Last, since it spoils the environment: asv sees no reason to install anything again.
    stock = [str(wheel) for wheel in project.root.glob(".asv/wheels/official/*/*.whl")]
    pip = (python_of(project, "mkl"), "-m", "pip", "install", "--no-deps", "--force-reinstall")
    project.call(*pip, "--no-index", *stock)
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
