"""`asv run -E rattler`, offline, on a channel of conda-forge's pattern: every variant is true."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import Figures, assert_agrees
from package_files import without_netlib
from pipeline_project import MACHINE, Project

# One file, hence one worker: the tests share one channel and one run.
pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

NO_NETLIB = without_netlib()
netlib = pytest.param("netlib", marks=pytest.mark.skipif(bool(NO_NETLIB), reason=NO_NETLIB))
BUILDS = ("openblas", "mkl", netlib)
OWNER = {"openblas": "libopenblas-0.3-", "mkl": "mkl-2026.", "netlib": "libblas-3.11.0-0_h"}
"""How the name of the package begins that brings what is mapped."""


def facts(project: Project) -> dict[str, dict[str, Any]]:
    document = json.loads((project.run / "facts.json").read_text())
    return {facts["blas"]: facts for facts in document["environments"].values()}


@pytest.mark.parametrize("blas", BUILDS)
def test_each_environment_ran_on_the_variant_it_claims(project: Project, blas: str) -> None:
    told = facts(project)[blas]

    assert told["guard"] == "ok"
    assert {library["family"] for library in told["libraries"]} == {blas}
    for library in told["libraries"]:
        assert library["package"].startswith(OWNER[blas])
        assert library["threads"] in (0, 1)  # 0: not even threadpoolctl can ask it


@pytest.mark.parametrize("blas", BUILDS)
def test_the_package_names_the_variant_where_the_file_does_not(project: Project, blas: str) -> None:
    bare = [
        library for library in facts(project)[blas]["libraries"] if library["file"][3:7] == "blas"
    ]

    assert {library["package"].rpartition("_")[2] for library in bare} == (
        {"netlib"} if blas == "netlib" else set()
    )


def test_nothing_failed(project: Project, builds: tuple[str, ...]) -> None:
    document = json.loads((project.run / "facts.json").read_text())
    files = (project.run / MACHINE).glob(f"{project.commit[:8]}-*.json")
    results = [json.loads(file.read_text()) for file in files]

    assert document["asv_exit_code"] == 0
    assert {result["requirements"]["libblas"] for result in results} == {f"*=*{b}" for b in builds}
    assert {result["env_vars"]["CONVBENCH_BLAS"] for result in results} == set(builds)


def test_all_environments_have_the_same_numpy_and_scipy(
    project: Project, builds: tuple[str, ...]
) -> None:
    digests = set()
    for blas in builds:
        prefix = Path(project.python(blas)).parents[1]
        modules = sorted(prefix.glob("lib/python*/site-packages/[ns][uc]*py/**/*.so"))
        content = b"".join(module.read_bytes() for module in modules)
        digests.add((len(modules), hashlib.sha256(content).hexdigest()))

    ((number, _),) = digests
    assert number > 100


@pytest.fixture(scope="module")
def figures(
    project: Project, builds: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Figures]:
    """What each environment computes through every kind of BLAS and LAPACK call."""
    folder = tmp_path_factory.mktemp("figures")
    script = str(Path(__file__).parents[1] / "pipeline" / "blas_figures.py")
    found = {}
    for blas in builds:
        project.call(project.python(blas), script, str(folder / f"{blas}.npz"))
        with np.load(folder / f"{blas}.npz") as arrays:
            found[blas] = dict(arrays)
    return found


@pytest.mark.parametrize("blas", BUILDS[1:])
def test_every_variant_computes_the_same(figures: dict[str, Figures], blas: str) -> None:
    assert_agrees(figures["openblas"], figures[blas])
