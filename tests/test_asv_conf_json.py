"""asv.conf.json: one axis, two providers, and no key that asv would silently ignore."""

from pathlib import Path

import pytest
from asv import environment
from asv.config import Config

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(ROOT)
    return Config.load("asv.conf.json")


def test_asv_knows_every_key(config: Config) -> None:
    # asv takes unknown keys without a word, so a misspelt one would be dead.
    # build_cache_size is read where it is used, and has no default in the class.
    known = set(vars(Config())) | {"repo", "project", "project_url", "build_cache_size"}

    assert set(vars(config)) <= known


@pytest.mark.parametrize("provider", ["virtualenv", "rattler", "conda"])
def test_each_provider_gives_an_environment_per_build_and_number_of_threads(
    config: Config, provider: str
) -> None:
    builds = [
        (
            entries[("env", "CONVBENCH_BLAS")],
            entries[("env_nobuild", "CONVBENCH_THREADS")],
            entries.get(("req", "libblas")),
        )
        for entries in environment.iter_matrix(provider, ["3.11"], config)
    ]

    from_channel = provider != "virtualenv"
    assert sorted(builds) == [
        (build, threads, f"*=*{build}" if from_channel else None)
        for build in ("mkl", "openblas")
        for threads in ("1", "all")
    ]


def test_numbers_depend_on_pinned_versions_alone(config: Config) -> None:
    requirements = config.matrix["req"]

    for name in ("numpy", "scipy", "numba", "threadpoolctl", "pip+asv_runner"):
        (version,) = requirements[name]
        assert version[0].isdigit()


@pytest.mark.parametrize("command", ["build_command", "install_command"])
def test_pip_never_resolves_dependencies_when_the_project_is_installed(
    config: Config, command: str
) -> None:
    # asv's own commands would fetch another NumPy over the environment's.
    for line in getattr(config, command):
        assert "pip" not in line or "--no-deps" in line
