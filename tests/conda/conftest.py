"""A channel on disk, and one commit measured in environments made from it, shared by all tests.

asv's rattler plugin has traps, and this is where they are met:

- It takes the channels of the configuration and no others (the conda plugin always adds
  conda-forge), with strict priority: a `file://` channel alone keeps it offline. pip still installs
  asv_runner, build, flit_core and pympler from the package index.
- rattler keeps packages in the user's cache by name, version and build string: packages made here
  must not lie there under the names of conda-forge's, so RATTLER_CACHE_DIR leads elsewhere.
- asv hands its environments to worker processes when it creates several at a time, and py-rattler's
  objects can't be pickled: `asv run --parallel N` ends with a TypeError.
"""

import json
import shutil
from importlib import metadata
from pathlib import Path

import local_channel
import pytest
from package_files import without_netlib
from pipeline_project import MACHINE, Project, call, copy

from convbench import wheels


@pytest.fixture(scope="session")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None or shutil.which("nm") is None:
        pytest.skip("gcc and binutils are not installed; they build the shims of libblas")
    folder = tmp_path_factory.mktemp("channel")
    try:
        wheels.official_wheel("pip", metadata.version("pip"), folder / "downloads")
    except wheels.WheelsError as reason:
        pytest.skip(f"the channel's wheels can't be downloaded: {reason}")
    config = local_channel.ROOT / "asv.conf.json"
    packed = folder / "packed"
    local_channel.build(packed, config, folder / "downloads", netlib=not without_netlib())
    shutil.rmtree(folder / "downloads")
    return packed


@pytest.fixture(scope="session")
def builds() -> tuple[str, ...]:
    return ("openblas", "mkl") if without_netlib() else ("openblas", "mkl", "netlib")


@pytest.fixture(scope="session")
def project(
    channel: Path, builds: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    root = tmp_path_factory.mktemp("project")
    copy(root)
    config = json.loads((root / "asv.conf.json").read_text())
    config["conda_channels"] = [channel.as_uri()]
    (root / "asv.conf.json").write_text(json.dumps(config))
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
    call(root, *git, "init", "-q", "-b", "main")
    call(root, *git, "add", ".")
    call(root, *git, "commit", "-q", "-m", "measured by the tests")
    commit = call(root, "git", "rev-parse", "HEAD").stdout.strip()
    cache = f"RATTLER_CACHE_DIR={tmp_path_factory.mktemp('rattler')}"
    measure = ("env", cache, "convbench", "measure", "HEAD", "--environment-type", "rattler")
    axes = ("--blas", *builds, "--threads", "1", "--machine", MACHINE)
    chosen = ("--quick", "--bench", "time_dot|Float32.*'(im2col|numba_nhwc)', 'question'")
    call(root, *measure, *axes, "--only-environments")
    stamp = "results/measured"
    call(root, *measure, *axes, *chosen, "--runs", "results/runs", "--stamp", stamp)
    return Project(root, commit, root / "results/runs" / (root / stamp).read_text().strip())
