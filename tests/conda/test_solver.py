"""Which BLAS a solver picks for asv.conf.json on a channel like conda-forge; nothing is installed.

The specs are those of asv's own rattler plugin: it is asked for them, not imitated.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
import rattler
from asv import environment
from asv.config import Config
from asv.plugins import rattler as plugin
from conda_forge_records import records
from conda_package import PLATFORM, write_repodata
from rattler.exceptions import SolverError

from convbench import asv_config

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ("openblas", "mkl", "netlib", "blis")
INTERFACES = ("libblas", "libcblas", "liblapack")
Builds = dict[str, str]


class Solved(Exception):
    """Ends the plugin's work before it installs anything."""


def channel(folder: Path, variants: Iterable[str]) -> str:
    for platform, listed in ((PLATFORM, records(variants)), ("noarch", {})):
        (folder / platform).mkdir(parents=True)
        write_repodata(folder / platform, listed)
    return folder.as_uri()


class Solver:
    """asv's plugin, in a folder of its own, as far as its solver."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.solved: Builds = {}
        monkeypatch.chdir(folder)
        monkeypatch.setattr(plugin, "install", self.note)

    async def note(self, records: Iterable[rattler.RepoDataRecord], **_: object) -> None:
        self.solved = {record.name.normalized: str(record.build) for record in records}
        raise Solved

    def builds(self, requirement: str | None, variants: Iterable[str] = VARIANTS) -> Builds:
        """Build strings by package, for the configuration with one `libblas` requirement."""
        config = asv_config.read(ROOT / "asv.conf.json")
        config["matrix"]["req"]["libblas"] = [requirement]
        # Our rules tie requirements to labels; which ones, test_asv_conf_json says.
        config["matrix"]["env"] = {}
        config |= {"exclude": [], "pythons": ["3.11"]}
        config["conda_channels"] = [channel(self.folder / "channel", variants)]
        Path("asv.conf.json").write_text(json.dumps(config))
        made = environment.get_environments(Config.load("asv.conf.json"), ["rattler"])
        with pytest.raises(Solved):
            next(made)._setup()
        return self.solved


@pytest.fixture
def solver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Solver:
    return Solver(tmp_path, monkeypatch)


def variants_of(builds: Builds) -> list[str]:
    return [builds[interface].rpartition("_")[2] for interface in INTERFACES]


def test_without_a_requirement_the_blas_is_openblas(solver: Solver) -> None:
    builds = solver.builds(None)

    assert variants_of(builds) == ["openblas"] * 3
    assert "libopenblas" in builds


@pytest.mark.parametrize(
    ("wanted", "variants", "brought"),
    [
        ("openblas", ["openblas"] * 3, {"libopenblas"}),
        ("mkl", ["mkl"] * 3, {"mkl"}),
        ("netlib", ["netlib"] * 3, set()),
        ("blis", ["blis", "blis", "netlib"], {"blis"}),  # it has no LAPACK
    ],
)
def test_all_interfaces_follow_the_required_variant(
    wanted: str, variants: list[str], brought: set[str], solver: Solver
) -> None:
    builds = solver.builds(f"*=*{wanted}")

    assert variants_of(builds) == variants
    assert builds.keys() & {"libopenblas", "mkl", "blis"} == brought


def test_numpy_and_scipy_are_the_same_builds_on_every_blas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = set()
    for wanted in VARIANTS:
        (tmp_path / wanted).mkdir()
        builds = Solver(tmp_path / wanted, monkeypatch).builds(f"*=*{wanted}")
        chosen.add((builds["python"], builds["numpy"], builds["scipy"], builds["numba"]))

    assert len(chosen) == 1


@pytest.mark.parametrize("absent", ["mkl", "netlib", "blis"])
def test_a_variant_that_the_channel_lacks_is_an_error_that_names_it(
    absent: str, solver: Solver
) -> None:
    present = [variant for variant in VARIANTS if variant != absent]

    with pytest.raises(SolverError, match=rf"No candidates were found for libblas \* \*{absent}"):
        solver.builds(f"*=*{absent}", present)
