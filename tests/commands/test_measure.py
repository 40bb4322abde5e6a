"""A measuring run is published whole or not at all, and never twice by accident."""

import argparse
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from convbench import asv_run, machine, measuring
from convbench.commands import measure
from convbench.errors import BadUsage, ConvbenchError, MeasureFailed


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit, with the two files that a run reads."""
    (tmp_path / "asv.conf.json").write_text('{"environment_type": "virtualenv"}')
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.lock").touch()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(machine, "file_machine", lambda *_: {})
    return tmp_path


def request(project: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    measure.add_arguments(parser)
    options = ["--config", f"{project}/asv.conf.json", "--runs", f"{project}/runs"]
    return parser.parse_args(["HEAD", "--machine", "bench", *options, *words])


def fake_asv(
    *environments: str, exit_code: int = 0, facts_of: tuple[str, ...] | None = None
) -> Any:
    """Stand in for asv: leave result files and facts as a real run does."""

    def run(
        _: list[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        lock: int,
        say: Callable[[str], None],
    ) -> int:
        assert lock > 2
        config = json.loads((folder / "asv.conf.json").read_text())
        commit = (folder / "commits").read_text().strip()
        results = Path(config["results_dir"], "bench")
        results.mkdir()
        for name in environments:
            file = results / f"{commit[:8]}-{name}.json"
            file.write_text(json.dumps({"env_name": name}))
        for name in environments if facts_of is None else facts_of:
            file = Path(environment["CONVBENCH_FACTS"], f"{name}.json")
            file.write_text(json.dumps({"environment": name, "problems": {}, "guard": "ok"}))
        log.write_text("asv: done\n")
        say("measuring")
        return exit_code

    return run


def published(project: Path) -> list[Path]:
    runs = project / "runs"
    return sorted(runs.iterdir()) if runs.exists() else []


def test_a_run_holds_results_facts_and_log(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asv_run, "run_asv", fake_asv("a", "b", exit_code=2))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")

    code = measure.run(request(project, "--stamp", f"{project}/stamps/one"), print)

    (folder,) = published(project)
    facts = json.loads((folder / "facts.json").read_text())
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["asv.log", "bench", "facts.json"]
    assert facts["run"] == folder.name
    assert facts["asv_exit_code"] == 2
    assert facts["dropped_variables"]["OMP_NUM_THREADS"] == "3"
    assert set(facts["environments"]) == {"a", "b"}
    assert (project / "stamps/one").read_text().strip() == folder.name


@pytest.mark.parametrize(
    ("asv", "message"),
    [
        (fake_asv("a", exit_code=1), "exit code 1: asv: done"),
        (fake_asv("a", "b", facts_of=("a",)), r"results of \['a', 'b'\].*processes were \['a'\]"),
        (fake_asv(), "no environment"),
    ],
)
def test_a_run_that_went_wrong_leaves_its_log_and_nothing_else(
    project: Path, monkeypatch: pytest.MonkeyPatch, asv: Any, message: str
) -> None:
    monkeypatch.setattr(asv_run, "run_asv", asv)

    with pytest.raises(MeasureFailed, match=message):
        measure.run(request(project, "--stamp", f"{project}/stamp"), print)

    assert published(project) == []
    assert not (project / "stamp").exists()
    assert len(list(project.glob("logs/measure/*.log"))) == 1


def test_an_interrupted_run_leaves_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(asv_run, "run_asv", interrupted)

    with pytest.raises(KeyboardInterrupt):
        measure.run(request(project), print)

    assert published(project) == []


def test_what_a_killed_run_left_is_cleared_by_the_next(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asv_run, "run_asv", fake_asv("a"))
    leftover = project / "runs" / f"{measuring.UNFINISHED}old"
    leftover.mkdir(parents=True)

    measure.run(request(project), print)

    assert not leftover.exists()
    assert len(published(project)) == 1


def test_a_measured_commit_is_not_measured_again_unless_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asv_run, "run_asv", fake_asv("a"))
    measure.run(request(project), print)
    (first,) = published(project)
    monkeypatch.setattr(asv_run, "run_asv", fake_asv("this asv must not run", exit_code=1))
    said: list[str] = []

    code = measure.run(request(project), said.append)

    assert code == 0
    assert published(project) == [first]
    assert first.name in said[0]
    with pytest.raises(MeasureFailed):
        measure.run(request(project, "--again"), print)
    assert published(project) == [first]


@pytest.mark.parametrize("words", [["--quick"], ["--bench", "time_dot"]])
def test_a_trial_never_stands_for_a_measurement(
    project: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr(asv_run, "run_asv", fake_asv("a"))

    measure.run(request(project, *words), print)

    assert measuring.existing_run(measure.plan(request(project))) is None


def test_trials_stay_out_of_the_folder_that_is_collected() -> None:
    parser = argparse.ArgumentParser()
    measure.add_arguments(parser)

    assert measure.default_runs(parser.parse_args(["HEAD"])) == Path("results/runs")
    assert measure.default_runs(parser.parse_args(["HEAD", "--quick"])) == Path("results/trials")


def test_another_machine_measures_the_same_commit_for_itself(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asv_run, "run_asv", fake_asv("a"))
    measure.run(request(project), print)

    other = measure.plan(request(project, "--machine", "other"))

    assert measuring.existing_run(measure.plan(request(project))) is not None
    assert measuring.existing_run(other) is None


def test_two_measurements_at_once_are_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asv_run, "run_asv", fake_asv("a"))

    with measuring.exclusive(project), pytest.raises(BadUsage, match="another measurement"):
        measure.run(request(project), print)


def test_a_missing_compiler_is_told_before_anything_is_made(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"environment_type": "virtualenv", "matrix": {"env": {"CONVBENCH_BLAS": ["mkl"]}}}
    (project / "asv.conf.json").write_text(json.dumps(config))
    git_alone = project / "bin"
    git_alone.mkdir()
    (git_alone / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(git_alone))

    with pytest.raises(BadUsage, match=r"gcc and nm not found on PATH.*apt-get install gcc"):
        measure.run(request(project), print)

    assert published(project) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--machine", "../up"], "machine name '../up'"),
        (["--config", "/no/such/asv.conf.json"], "no asv configuration"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_made(
    project: Path, words: list[str], message: str
) -> None:
    with pytest.raises(ConvbenchError, match=message):
        measure.run(request(project, *words), print)

    assert published(project) == []
