"""The guard for real: libraries that are mapped, builds that are installed, runs that are refused.

What lies here maps foreign libraries into processes of its own; `test_blas.py` has the rules.
"""

import dataclasses
import functools
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline.agreement import Figures, assert_agrees
from pipeline.pipeline_project import MACHINE, ROOT, Project, call, copy

from convbench import wheels

COMPILER = all(map(shutil.which, ("gcc", "nm")))
needs_compiler = pytest.mark.skipif(not COMPILER, reason="gcc and nm build shims and libraries")


def needs_debian(*builds: str) -> None:
    """Skip where Debian's libraries of these builds are not installed, saying which."""
    try:
        for blas in builds:
            wheels.system_libraries(blas)
    except wheels.WheelsError as error:
        pytest.skip(str(error))


def debian(blas: str) -> Path:
    """Path of the BLAS that SciPy calls in one of Debian's builds."""
    needs_debian(blas)
    return wheels.DEBIAN / wheels.BACKENDS[blas].lp64.libraries[0]


# The five refusals: what is mapped, how it got there, and what the guard says of it. Each function
# returns the library that the process loads beside NumPy's own OpenBLAS.


def nothing(_: Path) -> str:
    return ""


def second_blas(_: Path) -> str:
    return str(debian("blis"))


def netlib_behind_a_name_that_every_blas_has(folder: Path) -> str:
    link = folder / "libblas.so.3"
    link.symlink_to(debian("netlib"))
    return str(link)


def library_in_a_folder_called_mkl(folder: Path) -> str:
    (folder / "mkl").mkdir()
    return str(shutil.copy(debian("netlib"), folder / "mkl" / "libblas.so.3"))


def unknown_library(folder: Path) -> str:
    if not COMPILER:
        pytest.skip("gcc makes a library that nobody knows")
    library = folder / "libmyblas.so"
    source = "void dgemm_(void) {}\n"
    command = ["gcc", "-shared", "-x", "c", "-", "-o", str(library)]
    subprocess.run(command, input=source, text=True, check=True)
    return str(library)


REFUSALS: list[tuple[str, Callable[[Path], str], str]] = [
    ("mkl", nothing, r"claimed BLAS mkl, but mapped into the process: libscipy_openblas"),
    ("openblas", second_blas, r"but blis is mapped as well: libblis\.so\.4 \(blis\)"),
    (
        "openblas",
        netlib_behind_a_name_that_every_blas_has,
        r"but netlib is mapped as well: libblas\.so\.3\S* \(netlib\)",
    ),
    ("mkl", library_in_a_folder_called_mkl, r"claimed BLAS mkl, but .*libblas\.so\.3 \(unknown\)"),
    ("openblas", unknown_library, r"but unknown is mapped as well: libmyblas\.so \(unknown\)"),
]
IDS = ("wrong BLAS", "two BLAS", "netlib behind libblas.so.3", "a folder called mkl", "unknown")

LOADS_AND_ASKS = """
import ctypes, sys
from convbench import blas
for file in filter(None, sys.argv[2:]):
    ctypes.CDLL(file)
blas.exercise()
print(blas.refusal(sys.argv[1]))
"""


@pytest.mark.parametrize(("claimed", "library", "reason"), REFUSALS, ids=IDS)
def test_a_process_is_refused_by_what_it_has_really_mapped(
    claimed: str, library: Callable[[Path], str], reason: str, tmp_path: Path
) -> None:
    said = call(ROOT, sys.executable, "-c", LOADS_AND_ASKS, claimed, library(tmp_path)).stdout

    assert re.search(reason, said)


# The same five in a run of the project: nothing is stored.


@pytest.fixture(scope="module")
def _index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where no package index answers."""
    folder = tmp_path_factory.mktemp("reachable")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "pip"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no package index answers; the environments can't be made")


@pytest.fixture(scope="module")
def project(_index: None, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a copy of the project with one environment, over OpenBLAS."""
    root = tmp_path_factory.mktemp("project")
    copy(root)
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
    call(root, *git, "init", "-q", "-b", "main")
    call(root, *git, "add", ".")
    call(root, *git, "commit", "-q", "-m", "refused by the guard")
    call(root, "convbench", "measure", "HEAD", *ONE_ENVIRONMENT, "--only-environments")
    commit = call(root, "git", "rev-parse", "HEAD").stdout.strip()
    return Project(root, commit, root / "results/trials")


ONE_ENVIRONMENT = ("--blas", "openblas", "--threads", "1")


@pytest.mark.slow
@pytest.mark.pipeline
@pytest.mark.parametrize("library", [row[1] for row in REFUSALS[1:]], ids=IDS[1:])
def test_a_run_with_a_foreign_library_stores_no_number(
    project: Project, library: Callable[[Path], str], tmp_path: Path
) -> None:
    # Python runs such a line whenever it starts in this environment.
    packages = Path(project.python("openblas")).parents[1] / "lib"
    (start_up,) = (folder / "foreign.pth" for folder in packages.glob("python3*/site-packages"))
    start_up.write_text(f"import ctypes; ctypes.CDLL({library(tmp_path)!r})\n")

    try:
        assert_stores_no_number(project, tmp_path / "runs", " is mapped as well: ")
    finally:
        start_up.unlink()


@pytest.mark.slow
@pytest.mark.pipeline
def test_a_run_with_another_blas_than_claimed_stores_no_number(
    project: Project, tmp_path: Path
) -> None:
    needs_debian("netlib")
    # The last one, since it spoils the environment: asv sees no reason to install anything again.
    swap = ("src/convbench/wheels.py", "--blas", "netlib", "--cache", ".asv/wheels")
    project.call(project.python("openblas"), *swap)

    assert_stores_no_number(project, tmp_path / "runs", "claimed BLAS openblas, but mapped into")


def assert_stores_no_number(project: Project, runs: Path, reason: str) -> None:
    words = (*ONE_ENVIRONMENT, "--again", "--quick", "--machine", MACHINE, "--runs", str(runs))
    project.call("convbench", "measure", project.commit, *words, "--bench", "time_dot|time_run.*qu")

    (run,) = (file.parent for file in runs.glob("*/facts.json"))
    facts = json.loads((run / "facts.json").read_text())
    assert facts["asv_exit_code"] == 2
    assert [reason in told["guard"] for told in facts["environments"].values()] == [True]
    assert reason in (run / "asv.log").read_text()
    (file,) = (run / MACHINE).glob("*-virtualenv*.json")
    # The first column of a row is `result`: null when every combination failed. What this commit
    # can't do is skipped, not measured: NaN.
    rows = [row[0] for row in json.loads(file.read_text())["results"].values()]
    assert rows
    assert all(number is None or np.isnan(number) for row in rows for number in row or ())


# The four builds, installed as asv does


@dataclasses.dataclass(frozen=True)
class Builds:
    """Environments with NumPy and SciPy over a BLAS, made when they are first asked for."""

    folder: Path

    @functools.cache  # noqa: B019, the fixture lives as long as the module
    def python(self, blas: str) -> str:
        if blas in wheels.BACKENDS:
            needs_debian(blas)
        python = str(self.folder / blas / "bin" / "python")
        call(ROOT, sys.executable, "-m", "virtualenv", "-q", str(self.folder / blas))
        requirements = json.loads((ROOT / "asv.conf.json").read_text())["matrix"]["req"]
        pins = [f"{name}=={requirements[name][0]}" for name in ("numpy", "scipy", "threadpoolctl")]
        call(ROOT, python, "-m", "pip", "install", "-q", "--no-compile", *pins)
        script = ("src/convbench/wheels.py", "--blas", blas, "--cache", str(self.folder / "cache"))
        call(ROOT, python, *script)
        return python

    @functools.cache  # noqa: B019
    def told(self, blas: str) -> dict[str, Any]:
        return told(self.python(blas), blas)

    @functools.cache  # noqa: B019
    def figures(self, blas: str) -> Figures:
        file = self.folder / f"{blas}.npz"
        call(ROOT, self.python(blas), "tests/pipeline/blas_figures.py", str(file))
        with np.load(file) as arrays:
            return dict(arrays)


TELLS = """
import dataclasses, json, sys
import threadpoolctl
import blas  # the plain file
blas.exercise()
threadpoolctl.threadpool_limits(1)
print(json.dumps({
    "refusal": blas.refusal(sys.argv[1], threads=1),
    "speed": blas.speed_refusal("netlib"),
    "sgemm": blas.gemm_and_loops_flops_per_second()[0],
    "lapack": blas.lapack(),
    "libraries": [dataclasses.asdict(one) for one in blas.loaded_blas()],
}))
"""


def told(python: str, blas: str, packages: str = "") -> dict[str, Any]:
    """Ask a process of its own what it runs on; `packages` go before those installed."""
    path = os.pathsep.join(filter(None, [packages, str(ROOT / "src" / "convbench")]))
    return json.loads(call(ROOT, "env", f"PYTHONPATH={path}", python, "-c", TELLS, blas).stdout)


@pytest.fixture(scope="module")
def builds(_index: None, tmp_path_factory: pytest.TempPathFactory) -> Builds:
    if not COMPILER:
        pytest.skip("gcc and nm build the shims")
    return Builds(tmp_path_factory.mktemp("builds"))


every_build = pytest.mark.parametrize("blas", wheels.BLAS_NAMES)


@pytest.mark.pipeline
@every_build
def test_a_build_passes_under_its_name_and_under_no_other(builds: Builds, blas: str) -> None:
    answer = builds.told(blas)

    assert answer["refusal"] is None
    for other in set(wheels.BLAS_NAMES) - {blas}:
        assert f"claimed BLAS {other}, but" in told(builds.python(blas), other)["refusal"]


@pytest.mark.pipeline
@every_build
def test_a_build_maps_its_own_blas_alone(builds: Builds, blas: str) -> None:
    libraries = builds.told(blas)["libraries"]
    lapack = {one["file"] for one in libraries if one["file"].startswith("liblapack")}

    assert {one["family"] for one in libraries if one["file"] not in lapack} == {blas}
    assert bool(lapack) == (blas in ("netlib", "blis"))
    assert all(len(one["sha256"]) == 64 for one in libraries)
    assert any(one["version"] for one in libraries)
    origin = {"blis": "netlib"}.get(blas, blas)
    assert re.fullmatch(rf"LAPACK 3\.\d+\.\d+ {origin}", builds.told(blas)["lapack"])


@pytest.mark.pipeline
@every_build
def test_a_build_computes_what_the_official_wheels_do(builds: Builds, blas: str) -> None:
    assert_agrees(builds.figures("openblas"), builds.figures(blas))


@pytest.mark.pipeline
def test_lapack_runs_on_blis(builds: Builds, tmp_path: Path) -> None:
    python = builds.python("blis")
    # The loader itself says which file each call of LAPACK leads to.
    debug = ("LD_DEBUG=bindings", "LD_BIND_NOW=1", f"LD_DEBUG_OUTPUT={tmp_path / 'log'}")
    call(ROOT, "env", *debug, python, "-c", "import numpy.linalg, scipy.linalg")

    text = "".join(file.read_text() for file in tmp_path.glob("log.*"))
    bound = set(re.findall(r"/(liblapack\S*) \[0\] to (\S+) \[0\]: normal symbol `dgemm_'", text))
    assert bound == {
        ("liblapack.so.3", str(wheels.DEBIAN / "blis-pthread/libblis.so.4")),
        ("liblapack64.so.3", str(wheels.DEBIAN / "blis64-pthread/libblis64.so.4")),
    }


@pytest.mark.pipeline
def test_netlib_is_the_slow_one(builds: Builds) -> None:
    rates = {blas: builds.told(blas)["sgemm"] for blas in wheels.BLAS_NAMES}

    slow = rates.pop("netlib")
    assert all(rate > 5 * slow for rate in rates.values()), (slow, rates)
    for blas in wheels.BLAS_NAMES:
        assert (builds.told(blas)["speed"] is None) == (blas == "netlib")


@pytest.mark.pipeline
def test_an_optimised_library_in_netlibs_place_is_told_by_its_speed(
    builds: Builds, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = builds.python("netlib")
    netlib, blis = wheels.BACKENDS["netlib"], wheels.BACKENDS["blis"]
    needs_debian("blis")
    # BLIS under netlib's names, in a conda environment whose records say that it is netlib.
    names = itertools.chain(netlib.ilp64.libraries, netlib.lp64.libraries)
    true = itertools.chain(blis.ilp64.libraries[1:], blis.lp64.libraries[1:])
    for name, file in zip(names, true, strict=True):
        (tmp_path / name).parent.mkdir()
        shutil.copy(wheels.DEBIAN / file, tmp_path / name)
    record = {"name": "libblas", "version": "3.11.0", "build": "1_h0_netlib"}
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/libblas.json").write_text(
        json.dumps(record | {"files": list(netlib.libraries)})
    )
    forged = dataclasses.replace(netlib, folder=tmp_path)
    monkeypatch.setitem(wheels.BACKENDS, "netlib", forged)
    packages = tmp_path / "packages"
    for wheel in builds.folder.glob("cache/official/*/*.whl"):
        made = wheels.retarget(wheel, "netlib", tmp_path, tmp_path)
        zipfile.ZipFile(made).extractall(packages)

    answer = told(python, "netlib", str(packages))

    assert answer["refusal"] is None
    assert {one["package"] for one in answer["libraries"]} == {"libblas-3.11.0-1_h0_netlib"}
    assert "an optimised library under netlib's name" in answer["speed"]
