"""An asv configuration: how it is read, its repository, its builds, and one made for a run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from asv import environment
from asv.config import Config

from convbench import asv_config
from convbench.errors import BadUsage

ROOT = Path(__file__).resolve().parents[1]


def test_a_derived_configuration_can_lie_anywhere(tmp_path: Path) -> None:
    config = asv_config.read(ROOT / "asv.conf.json")

    derived = asv_config.derive(config, ROOT, tmp_path)

    assert derived["results_dir"] == str(tmp_path)
    assert all(Path(derived[key]).is_absolute() for key in ("repo", "benchmark_dir", "env_dir"))
    assert "{conf_dir}" not in json.dumps(derived)
    assert f"python {ROOT}/src/convbench/wheels.py" in derived["install_command"][0]


def test_a_derived_configuration_keeps_the_matrix(tmp_path: Path) -> None:
    config = asv_config.read(ROOT / "asv.conf.json")

    derived = asv_config.derive(config, ROOT, tmp_path)

    assert derived["matrix"] == config["matrix"]
    assert derived["exclude"] == config["exclude"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not valid JSON"), ("[]", "no JSON object"), (None, "no asv conf")],
)
def test_a_bad_configuration_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "asv.conf.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(BadUsage, match=f"{message}.*{re.escape(str(path))}|{path}.*{message}"):
        asv_config.read(path)


COMMENTED = """{
    // asv's own template is full of these
    "version": 1, /* and of these */
    "project": "http://example.org // no comment",
    "matrix": {"req": {"numpy": ["2.4",],},},
}
"""


@pytest.mark.parametrize("name", ["asv.conf.json", "asv.conf.jsonc"])
def test_a_configuration_may_have_comments_as_asv_allows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(COMMENTED)

    assert asv_config.read(tmp_path / "asv.conf.json") == {
        "version": 1,
        "project": "http://example.org // no comment",
        "matrix": {"req": {"numpy": ["2.4"]}},
    }


def checkout(folder: Path, origin: str = "") -> Path:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    if origin:
        words = ["git", "-C", str(folder), "remote", "add", "origin", origin]
        subprocess.run(words, check=True)
    (folder / "perf").mkdir()
    return folder


@pytest.mark.parametrize(
    ("repo", "origin"),
    [
        ("https://example.org/owner/project.git", "https://example.org/owner/project"),
        ("https://example.org/owner/project", "git@example.org:stranger/Project.git"),  # a fork
        ("git@example.org:owner/project.git", ""),  # by the folder's name
    ],
)
def test_the_checkout_stands_for_the_address_of_its_own_repository(
    tmp_path: Path, repo: str, origin: str
) -> None:
    folder = checkout(tmp_path / ("other" if origin else "project"), origin)

    config = asv_config.with_local_repository({"repo": repo, "project": "p"}, folder / "perf")

    assert config == {"repo": str(folder), "project": "p"}


def test_without_git_an_address_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BadUsage, match="git is not installed"):
        asv_config.with_local_repository({"repo": "https://example.org/o/project"}, tmp_path)


def test_another_repositorys_checkout_does_not(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "project-benchmarks", "https://example.org/o/project-benchmarks")

    with pytest.raises(BadUsage, match=r"repo of the configuration is .* in no checkout of it"):
        asv_config.with_local_repository({"repo": "https://example.org/o/project"}, folder)


@pytest.mark.parametrize("repo", [".", "..", "/somewhere", "C:stranger"])
def test_a_folder_stays_a_folder(tmp_path: Path, repo: str) -> None:
    assert asv_config.with_local_repository({"repo": repo}, tmp_path) == {"repo": repo}


def test_without_asv_comments_are_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "json5", None)
    (tmp_path / "asv.conf.json").write_text(COMMENTED)

    with pytest.raises(BadUsage, match=r"comments, which only convbench\[measure\] can read"):
        asv_config.read(tmp_path / "asv.conf.json")


@pytest.mark.parametrize("provider", ["virtualenv", "rattler"])
@pytest.mark.parametrize(
    "builds", [("openblas", "mkl"), ("netlib",), ("mkl", "netlib", "openblas")]
)
def test_other_builds_become_environments_of_their_own(
    provider: str, builds: tuple[str, ...]
) -> None:
    config = Config.from_json(
        asv_config.with_builds(asv_config.read(ROOT / "asv.conf.json"), builds, ["1", "all"])
    )

    made = [
        (
            entries[("env", "CONVBENCH_BLAS")],
            entries[("env_nobuild", "CONVBENCH_THREADS")],
            entries.get(("req", "libblas")),
        )
        for entries in environment.iter_matrix(provider, ["3.11"], config)
    ]

    from_channel = provider != "virtualenv"
    assert sorted(made) == sorted(
        (build, threads, f"*=*{build}" if from_channel else None)
        for build in builds
        for threads in ("1", "all")
    )
