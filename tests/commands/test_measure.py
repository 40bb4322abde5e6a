"""A measuring run is published whole or not at all, continued, and never made twice by accident."""

import argparse
import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from convbench import asv_run, claims, disturbance, machine, measuring, runs
from convbench.commands import measure
from convbench.errors import BadUsage, ConvbenchError, MeasureFailed

QUIET = disturbance.Disturbance(
    seconds=1.0,
    foreign_cpus=0.0,
    steal_share=0.0,
    involuntary_switches_per_second=0.0,
    pressure_share=None,
    kernel_drift=0.0,
    kernel_spread=0.0,
)
CONFIG = {
    "environment_type": "rattler",
    "matrix": {
        "req": {"libblas": [None, "*=*openblas", "*=*mkl"]},
        "env": {"CONVBENCH_BLAS": ["openblas", "mkl"]},
        "env_nobuild": {"CONVBENCH_THREADS": ["1"]},
    },
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit, with the files that a run reads, on a quiet machine."""
    (tmp_path / "asv.conf.json").write_text(json.dumps(CONFIG))
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.lock").touch()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(machine, "file_machine", lambda *_: {})
    monkeypatch.setattr(disturbance, "snapshot", lambda: None)
    monkeypatch.setattr(disturbance, "between", lambda *_: QUIET)
    return tmp_path


def request(project: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    measure.add_arguments(parser)
    options = ["--config", f"{project}/asv.conf.json", "--runs", f"{project}/runs"]
    return parser.parse_args(["HEAD", "--machine", "bench", *options, *words])


@dataclass
class FakeAsv:
    """Stands in for asv: adds a sample per unit to its result file, as a real call does.

    `calls` lists the units in the order of the calls, as (build, threads, once).
    """

    exit_code: int = 0
    says: str = "asv: done"
    with_facts: bool = True
    before_end: Callable[[Path], None] = lambda _: None
    created: int = 0
    calls: list[tuple[str, str, bool]] = field(default_factory=list)
    variables: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(
        self,
        arguments: list[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        locks: Sequence[int],
        say: Callable[[str], None],
    ) -> int:
        assert len(set(locks)) == 2
        config = json.loads((folder / "asv.conf.json").read_text())
        if arguments[-1] == "just-discover":
            self.created += 1
            return 0
        (build,) = config["matrix"]["env"]["CONVBENCH_BLAS"]
        (threads,) = config["matrix"]["env_nobuild"]["CONVBENCH_THREADS"]
        once = "(?=(?:accuracy" in arguments[arguments.index("--bench") + 1]
        self.calls.append((build, threads, once))
        self.variables.append(environment)
        commit = (folder / "commits").read_text().strip()
        name = arguments[arguments.index("--machine") + 1]
        file = Path(config["results_dir"], name, f"{commit[:8]}-{build}-{threads}.json")
        file.parent.mkdir(exist_ok=True)
        before = json.loads(file.read_text())["units"] if file.exists() else []
        content = json.dumps({"env_name": f"{build}-{threads}", "units": [*before, once]})
        file.write_text(content[: len(content) // 2])  # asv writes in place
        self.before_end(Path(environment["CONVBENCH_FACTS"]))
        file.write_text(content)
        if self.with_facts:
            facts = {"environment": f"{build}-{threads}", "problems": {}, "guard": "ok", "seed": 7}
            facts |= {"cells": [{"strategy": s, "problem": "question"} for s in ("loops", "fft")]}
            name = f"{build}-{threads}.json"
            Path(environment["CONVBENCH_FACTS"], name).write_text(json.dumps(facts))
        with log.open("a") as words:
            words.write(f"{self.says}\n")
        say("measuring")
        return self.exit_code


@pytest.fixture
def asv(monkeypatch: pytest.MonkeyPatch) -> FakeAsv:
    fake = FakeAsv()
    monkeypatch.setattr(asv_run, "run_asv", fake)
    return fake


def published(project: Path) -> list[Path]:
    runs = project / "runs"
    return sorted(runs.iterdir()) if runs.exists() else []


def facts_of(folder: Path) -> Any:
    return json.loads((folder / "facts.json").read_text())


def test_a_run_holds_results_facts_and_log(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    asv.exit_code = 2
    monkeypatch.setenv("OMP_NUM_THREADS", "3")

    code = measure.run(request(project, "--stamp", f"{project}/stamps/one"), print)

    (folder,) = published(project)
    facts = facts_of(folder)
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["asv.log", "bench", "facts.json"]
    assert facts["run"] == folder.name
    assert facts["asv_exit_code"] == 2
    assert facts["dropped_variables"]["OMP_NUM_THREADS"] == "3"
    assert set(facts["environments"]) == {"openblas-1", "mkl-1"}
    assert facts["host"]["cpus"] >= 1
    assert (project / "stamps/one").read_text().strip() == folder.name


def test_builds_take_turns_and_the_second_round_turns_the_order(
    project: Path, asv: FakeAsv
) -> None:
    measure.run(request(project, "--threads", "1", "all"), print)

    timed = [(build, threads) for build, threads, once in asv.calls if not once]
    first = [("openblas", "1"), ("openblas", "all"), ("mkl", "1"), ("mkl", "all")]
    assert timed == [*first, *reversed(first)]
    assert [call[:2] for call in asv.calls if call[2]] == first  # in the first round alone
    assert asv.calls.index(("openblas", "1", True)) == 4


def test_a_run_says_what_it_takes_to_repeat_it(project: Path, asv: FakeAsv) -> None:
    (project / "requirements.lock").write_text("numpy==1\n")

    measure.run(request(project), print)

    (folder,) = published(project)
    provenance = facts_of(folder)["provenance"]
    assert provenance["seed"] == 7  # as the measuring processes say
    assert provenance["dirty"] is True  # the lock file was changed after the commit
    assert provenance["command"].partition(" ")[0] == "convbench"
    assert len(provenance["lock_sha256"]) == 64
    assert provenance["suite_commit"] == facts_of(folder)["commit"]
    assert asv.calls


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exit_code": 1}, "exit code 1: asv: done"),
        ({"with_facts": False}, r"results of \['mkl-1', 'openblas-1'\].*processes were none"),
        (
            {"with_facts": False, "exit_code": 2},
            "no process of round 1, openblas.*measured anything",
        ),
    ],
)
def test_a_run_that_went_wrong_is_not_published_and_leaves_its_log(
    project: Path, asv: FakeAsv, change: dict[str, Any], message: str
) -> None:
    vars(asv).update(change)

    with pytest.raises(MeasureFailed, match=message):
        measure.run(request(project, "--stamp", f"{project}/stamp"), print)

    assert [folder for folder in published(project) if not folder.name.startswith(".")] == []
    assert not (project / "stamp").exists()
    assert len(list(project.glob("logs/measure/*.log"))) == 1


def test_a_condition_that_selects_nothing_is_told(project: Path, asv: FakeAsv) -> None:
    asv.exit_code, asv.says, asv.with_facts = 1, "No benchmarks selected", False
    asv.before_end = lambda _: None

    with pytest.raises(MeasureFailed, match="No benchmarks selected"):
        measure.run(request(project, "--bench", "no_such"), print)


def test_a_run_interrupted_in_its_first_unit_leaves_nothing(project: Path, asv: FakeAsv) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    asv.before_end = interrupted

    with pytest.raises(KeyboardInterrupt):
        measure.run(request(project), print)

    assert published(project) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_run_killed_at_any_moment_is_continued_and_measures_nothing_twice(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Killed: nothing of Python runs any more, not even `finally`."""
    moments = random.Random(seed)
    monkeypatch.setattr(shutil, "rmtree", killable(shutil.rmtree, moments))
    monkeypatch.setattr(Path, "replace", killable(Path.replace, moments))
    monkeypatch.setattr(Path, "rename", killable(Path.rename, moments))
    asv.before_end = killable(lambda _: None, moments)
    kills = 0
    while True:
        assert kills < 100
        try:
            measure.run(request(project), print)
            break
        except Killed:
            kills += 1
        for folder in published(project):
            if not folder.name.startswith("."):
                assert facts_of(folder)["environments"].keys() == {"openblas-1", "mkl-1"}

    (folder,) = [folder for folder in published(project) if not folder.name.startswith(".")]
    assert kills > 0
    for build in ("openblas", "mkl"):
        (file,) = folder.glob(f"bench/*-{build}-1.json")
        assert Counter(json.loads(file.read_text())["units"]) == {False: 2, True: 1}
    kept = [record for record in facts_of(folder)["units"] if record["kept"]]
    assert len(kept) == len({(r["round"], r["blas"], r["once"]) for r in kept}) == 6


class Killed(BaseException):
    """What no clean-up survives: the fixtures' functions do nothing once it has been raised."""


def killable(function: Callable[..., Any], moments: random.Random) -> Callable[..., Any]:
    """Die before the call, now and then."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        if moments.random() < 0.08:
            raise Killed
        return function(*arguments, **keywords)

    return call


def test_an_interrupted_run_is_not_continued_after_a_day(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_after(asv, 3)
    with pytest.raises(KeyboardInterrupt):
        measure.run(request(project), print)
    monkeypatch.setattr(runs, "CONTINUED_FOR", 0 * runs.CONTINUED_FOR)
    asv.before_end = lambda _: None

    measure.run(request(project), print)

    assert len(asv.calls) == 3 + 6
    assert len(published(project)) == 1


def test_another_request_leaves_an_interrupted_run_alone(project: Path, asv: FakeAsv) -> None:
    interrupt_after(asv, 3)
    with pytest.raises(KeyboardInterrupt):
        measure.run(request(project), print)
    asv.before_end = lambda _: None

    measure.run(request(project, "--blas", "mkl"), print)

    said: list[str] = []
    measure.run(request(project), said.append)
    assert any("2 units are measured" in line for line in said)
    assert len(asv.calls) == 3 + 3 + 4


def interrupt_after(asv: FakeAsv, calls: int) -> None:
    def interrupted(_: Path) -> None:
        if len(asv.calls) == calls:
            raise KeyboardInterrupt

    asv.before_end = interrupted


def test_what_an_unreadable_run_left_is_cleared_by_the_next(project: Path, asv: FakeAsv) -> None:
    leftover = project / "runs" / f"{runs.UNFINISHED}12345678-bench-20200101T000000Z"
    leftover.mkdir(parents=True)

    measure.run(request(project), print)

    assert not leftover.exists()
    assert len(published(project)) == 1
    assert asv.calls


@pytest.mark.parametrize("name", ["ben", "bench-2", "my-bench", "bench-20200101T000000Z"])
def test_what_another_machine_left_is_not_touched(project: Path, asv: FakeAsv, name: str) -> None:
    leftover = project / "runs" / f"{runs.UNFINISHED}12345678-{name}-20200101T000000Z"
    (leftover / "unit").mkdir(parents=True)

    measure.run(request(project), print)

    assert (leftover / "unit").exists()
    assert asv.calls


def test_a_disturbed_unit_is_measured_once_more(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = replace(QUIET, foreign_cpus=0.9)
    seen = iter([QUIET, busy, QUIET, busy, busy, QUIET, QUIET, QUIET])
    monkeypatch.setattr(disturbance, "between", lambda *_: next(seen))

    measure.run(request(project), print)

    (folder,) = published(project)
    facts = facts_of(folder)
    assert asv.calls[1] == asv.calls[2] == ("mkl", "1", False)
    assert asv.calls[3] == asv.calls[4] == ("openblas", "1", True)
    assert len(asv.calls) == 8
    assert facts["disturbed"].startswith("1 of 6 units, 1 of them measured twice: ")
    assert "0.9 CPUs" in facts["disturbed"]
    assert [r["kept"] for r in facts["units"]] == [True, False, True, False, *[True] * 4]
    (file,) = folder.glob("bench/*-mkl-1.json")
    assert len(json.loads(file.read_text())["units"]) == 3  # the disturbed one does not count


def test_the_budget_is_shared_by_the_units_of_the_first_round(project: Path, asv: FakeAsv) -> None:
    asv.before_end = lambda facts: (facts / measuring.LEFT_OUT).write_bytes(b"...") and None

    measure.run(request(project, "--budget-minutes", "1e-9"), print)

    (folder,) = published(project)
    timed = [variables for variables in asv.variables if "CONVBENCH_DEADLINE" in variables]
    assert len(timed) == 4
    assert facts_of(folder)["budget"]["rounds"] == 1
    assert facts_of(folder)["budget"]["cells_left_out"] == 4 * 3


def test_a_budget_is_spent_on_further_rounds(project: Path, asv: FakeAsv) -> None:
    measure.run(request(project, "--budget-minutes", "10"), print)

    (folder,) = published(project)
    assert facts_of(folder)["budget"]["rounds"] == 5
    assert sum("CONVBENCH_DEADLINE" in variables for variables in asv.variables) == 4
    assert asv.created == 1  # environments, before the budget counts


def test_a_measured_commit_is_not_measured_again_unless_asked(project: Path, asv: FakeAsv) -> None:
    measure.run(request(project), print)
    (first,) = published(project)
    asv.exit_code = 1
    said: list[str] = []

    code = measure.run(request(project), said.append)

    assert code == 0
    assert published(project) == [first]
    assert first.name in said[0]
    with pytest.raises(MeasureFailed):
        measure.run(request(project, "--again"), print)
    assert published(project) == [first]


def test_another_build_or_another_version_of_one_is_measured(project: Path, asv: FakeAsv) -> None:
    measure.run(request(project), print)
    assert runs.existing_run(measure.plan(request(project))) is not None

    assert runs.existing_run(measure.plan(request(project, "--blas", "mkl"))) is not None
    assert runs.existing_run(measure.plan(request(project, "--blas", "netlib"))) is None
    (project / "requirements.lock").write_text("mkl==2027.0\n")
    assert runs.existing_run(measure.plan(request(project))) is None
    assert asv.calls


@pytest.mark.parametrize(
    ("measured", "asked", "covered"),
    [
        ([], ["--problems", "question"], True),
        ([], ["--strategies", "fft", "--problems", "question"], True),
        ([], ["--problems", "vit_patch16"], False),  # a run of everything did not have it
        ([], ["--strategies", "auto"], False),  # a later strategy
        (["--strategies", "fft"], [], False),
        (["--strategies", "fft"], ["--strategies", "loops"], False),
        (["--strategies", "fft", "loops"], ["--strategies", "loops"], True),
        (["--strategies", "fft"], ["--strategies", "fft", "loops"], False),
        (["--problems", "question"], ["--problems", "question", "vit_patch16"], False),
        (["--problems", "question"], ["--problems", "question", "--strategies", "fft"], True),
        (["--problems", "question"], ["--strategies", "fft"], False),
    ],
)
def test_a_run_stands_for_a_sweep_that_it_has_all_of(
    project: Path, asv: FakeAsv, measured: list[str], asked: list[str], covered: bool
) -> None:
    measure.run(request(project, *measured), print)

    assert asv.calls
    assert (runs.existing_run(measure.plan(request(project, *asked))) is not None) == covered


def test_a_sweep_names_problems_that_no_other_run_measures(project: Path, asv: FakeAsv) -> None:
    measure.run(request(project, "--problems", "vit_patch16", "question"), print)
    measure.run(request(project), print)

    told = [variables.get("CONVBENCH_PROBLEMS") for variables in asv.variables]
    assert told == ["question vit_patch16"] * 6 + [None] * 6


def test_a_sweep_says_to_its_processes_which_strategies_it_runs(
    project: Path, asv: FakeAsv
) -> None:
    measure.run(request(project, "--strategies", "im2col", "loops"), print)

    assert [set(told["CONVBENCH_STRATEGIES"].split()) for told in asv.variables] == [
        {"im2col", "loops"}
    ] * len(asv.calls)


@pytest.mark.parametrize("words", [["--quick"], ["--bench", "time_dot"]])
def test_a_trial_never_stands_for_a_measurement(
    project: Path, asv: FakeAsv, words: list[str]
) -> None:
    measure.run(request(project, *words), print)

    assert asv.calls
    assert runs.existing_run(measure.plan(request(project))) is None


def test_trials_stay_out_of_the_folder_that_is_collected() -> None:
    parser = argparse.ArgumentParser()
    measure.add_arguments(parser)

    assert measure.default_runs(parser.parse_args(["HEAD"])) == Path("results/runs")
    assert measure.default_runs(parser.parse_args(["HEAD", "--quick"])) == Path("results/trials")


def test_another_machine_measures_the_same_commit_for_itself(project: Path, asv: FakeAsv) -> None:
    measure.run(request(project), print)

    other = measure.plan(request(project, "--machine", "other"))

    assert asv.calls
    assert runs.existing_run(other) is None


@pytest.mark.parametrize("facts", ["{", "[]", '{"format": 2}', '{"format": 2, "host": 3}'])
def test_unreadable_facts_of_another_run_stop_nothing(
    project: Path, asv: FakeAsv, facts: str
) -> None:
    (project / "runs/odd").mkdir(parents=True)
    (project / "runs/odd/facts.json").write_text(facts)

    assert measure.run(request(project), print) == 0
    assert asv.calls


def test_another_processor_under_a_used_name_is_refused(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure.run(request(project), print)
    calls = len(asv.calls)
    here = machine.host()
    monkeypatch.setattr(machine, "host", lambda: replace(here, cpu="Another CPU"))

    with pytest.raises(BadUsage, match=r"machine 'bench' is a .*but this is a Another CPU.*--mach"):
        measure.run(request(project, "--again"), print)

    assert len(asv.calls) == calls
    assert measure.run(request(project, "--machine", "second"), print) == 0


def test_of_many_runs_only_those_that_matter_are_read(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start of each job of a sweep, on a file system that is shared."""
    measure.run(request(project), print)
    (run,) = published(project)
    for second in range(30):
        shutil.copytree(run, run.with_name(f"12345678-bench-20200101T0000{second:02}Z"))
        shutil.copytree(run, run.with_name(f"{run.name[:8]}-x-20200101T0000{second:02}Z"))
    facts = "facts.json"
    read: list[str] = []
    original = Path.read_text

    def counted(path: Path, *arguments: Any, **keywords: Any) -> str:
        read.extend([path.parent.name] if path.name == facts else [])
        return original(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "read_text", counted)

    measure.run(request(project), print)

    assert asv.calls
    assert read == [run.name, run.name]


def test_another_number_of_all_threads_is_refused(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure.run(request(project, "--threads", "all"), print)
    here = machine.host()
    monkeypatch.setattr(machine, "host", lambda: replace(here, affinity=[*here.affinity, 99]))

    with pytest.raises(BadUsage, match=r"all threads of machine 'bench' are \d+ in .*--threads 1"):
        measure.run(request(project, "--threads", "all", "--again"), print)

    assert measure.run(request(project, "--threads", "1"), print) == 0
    assert asv.calls[-1][1] == "1"


def test_what_a_small_budget_left_out_is_measured_with_a_larger_one(
    project: Path, asv: FakeAsv
) -> None:
    asv.before_end = lambda facts: (facts / measuring.LEFT_OUT).write_bytes(b".") and None
    measure.run(request(project, "--budget-minutes", "1e-9"), print)

    same, larger = (
        measure.plan(request(project, "--budget-minutes", minutes)) for minutes in ("1e-9", "10")
    )

    assert runs.existing_run(same) is not None
    assert runs.existing_run(larger) is None


def test_a_machine_has_environments_of_its_own(
    project: Path, asv: FakeAsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    folders: list[str] = []

    def keep(facts: Path) -> None:
        config = json.loads((facts.parent / "home/asv.conf.json").read_text())
        folders.append(config["env_dir"])

    asv.before_end = keep

    measure.run(request(project, "--env-dir", "env of a/b"), print)

    assert set(folders) == {str(project / "env of a/b")}


def test_two_measurements_at_once_are_refused(project: Path, asv: FakeAsv) -> None:
    with claims.exclusive(project / "env"), pytest.raises(BadUsage, match="another measurement"):
        measure.run(request(project), print)

    assert asv.calls == []


def test_a_missing_compiler_is_told_before_anything_is_made(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_alone = project / "bin"
    git_alone.mkdir()
    (git_alone / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(git_alone))

    with pytest.raises(BadUsage, match=r"gcc and nm not found on PATH.*apt-get install gcc"):
        measure.run(request(project, "--environment-type", "virtualenv"), print)

    assert published(project) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--machine", "../up"], "machine name '../up'"),
        (["--config", "/no/such/asv.conf.json"], "no asv configuration"),
        (["--blas", "atlas"], "CONVBENCH_BLAS 'atlas': the values are openblas, mkl"),
        (["--threads", "3"], "CONVBENCH_THREADS '3': the values are 1, all"),
        (["--blas", "blis"], "blis is a build of the PyPI provider alone"),
        (["--budget-minutes", "-1"], "--budget-minutes -1: give a positive number"),
        (["--budget-minutes", "nan"], "--budget-minutes nan: give a positive number"),
        (["--wait", "-1"], "--wait -1: give a number of minutes"),
        (["--wait", "nan"], "--wait nan: give a number of minutes"),
        (["--problems", "qestion"], "no problem is called 'qestion': did you mean question"),
        (["--bench", "("], r"--bench '\(' is no regular expression"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_made(
    project: Path, words: list[str], message: str
) -> None:
    with pytest.raises(ConvbenchError, match=message):
        measure.run(request(project, *words), print)

    assert published(project) == []


def test_a_suite_without_the_axes_is_told_what_to_use(project: Path) -> None:
    (project / "asv.conf.json").write_text('{"environment_type": "virtualenv"}')

    with pytest.raises(BadUsage, match=r"no axis CONVBENCH_BLAS.*asv run.*convbench collect"):
        measure.run(request(project), print)
