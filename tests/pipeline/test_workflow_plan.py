"""What the workflow would do: machines, sweeps, errors of the configuration; thousands of jobs."""

import os
import re
import resource
import shutil
import subprocess
from pathlib import Path

import pytest
from pipeline_project import ROOT, call

MOST_SECONDS = 15
"""For a plan of 10,000 jobs; processor time, which other programs don't lengthen."""
FEW_SECONDS = 1.8
"""For a plan of 4 jobs where 10,000 take 8.7; a host that is slower now is given longer."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of 2,500 commits, of which each changes what is measured."""
    root = tmp_path_factory.mktemp("planned")
    shutil.copytree(ROOT / "workflow", root / "workflow")
    for name in ("asv.conf.json", "requirements.lock", "triage.toml"):
        shutil.copy(ROOT / name, root)
    call(root, "git", "init", "-q", "-b", "main")
    history = "".join(
        f"commit refs/heads/main\ncommitter A <a@example.org> {1_700_000_000 + number} +0000\n"
        f"data 0\nM 100644 inline src/number\ndata {len(str(number))}\n{number}\n"
        for number in range(2500)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input=history.encode(), check=True)
    return root


def plan(project: Path, *config: str, check: bool = True) -> str:
    """A dry run; gives all that was said."""
    words = ("--dry-run", "--printshellcmds", "--config", *config)
    answer = call(project, "snakemake", *words, check=check)
    return answer.stdout + answer.stderr


def measured(said: str) -> list[str]:
    """The commands that would measure."""
    lines = re.findall(r"convbench measure .*", said)
    return [line for line in lines if "--only-environments" not in line]


def stamps(said: str) -> set[str]:
    return {re.search(r"--stamp (\S+)", line)[1] for line in measured(said)}  # type: ignore[index]


def test_every_machine_measures_every_commit_in_environments_of_its_own(project: Path) -> None:
    machines = ["lab-1", "lab-2"]
    said = plan(project, f"machines={machines}", "env_dir=/scratch/my env/{machine}", "commits=2")

    assert len(measured(said)) == 4
    assert len(stamps(said)) == 4
    for machine in machines:
        of_machine = [line for line in measured(said) if f"--machine {machine} " in line]
        assert len(of_machine) == 2
        assert all(f"--env-dir '/scratch/my env/{machine}' --wait" in line for line in of_machine)
    environments = re.findall(r"convbench measure .*--only-environments.*", said)
    assert len(environments) == 2


def test_a_job_takes_its_own_machines_part_of_what_is_measured_at_once(project: Path) -> None:
    said = plan(project, "machines=[a,b]", "env_dir=.asv/env/{machine}", "commits=2")

    taken = re.findall(r"machine=(\w), sweep=.*\n.*\n.*machine_1=(\d), machine_2=(\d)", said)
    assert sorted(taken) == [("a", "1", "0")] * 2 + [("b", "0", "1")] * 2


@pytest.mark.parametrize(
    ("at_once", "of_each"), [(1, 1), (2, 1), (3, 1), (4, 1), (6, 2)], ids=lambda count: str(count)
)
def test_no_machine_has_more_of_it_than_leaves_as_much_to_the_others(
    project: Path, at_once: int, of_each: int
) -> None:
    # Not a dry run, which tells no limits; nothing is there that could be touched.
    words = ("--touch", "--cores=1", f"--resources=machine={at_once}", "--config", "commits=1")
    answer = call(project, "snakemake", *words, "machines=[a,b,c]", "env_dir=.asv/env/{machine}")

    limits = re.findall(r'Resource\("machine_\d", (\d)\)', answer.stdout + answer.stderr)
    assert limits == [str(of_each)] * 3


def test_a_sweep_is_handed_to_the_measurement(project: Path) -> None:
    sweep = ("problems=[question, vit_patch16]", "strategies=[im2col]", 'threads=["1"]')

    (command,) = measured(plan(project, *sweep, "commits=1"))

    assert " --threads 1 --problems question vit_patch16 --strategies im2col --" in command
    (whole,) = measured(plan(project, "commits=1"))
    assert "--problems" not in whole
    assert "--strategies" not in whole


@pytest.mark.parametrize(
    "change", ["problems=[question]", "strategies=[im2col]", "blas=[netlib]", 'threads=["1"]']
)
def test_what_was_measured_for_one_sweep_is_measured_for_another(
    project: Path, change: str
) -> None:
    (stamp,) = stamps(plan(project, "commits=1"))
    made = project / stamp
    made.parent.mkdir(parents=True)
    made.write_text("a run\n")

    assert stamps(plan(project, "commits=1")) == set()
    assert len(stamps(plan(project, "commits=1", change))) == 1
    shutil.rmtree(project / "results")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("machines=[a, b]", "env_dir '.asv/env' is one folder for 2 machines: .*{machine}"),
        ("machines=[a, a]", r"\['a', 'a'\] has non-unique elements"),
        ("machines=[../up]", "'../up' does not match"),
        ("machines=['']", "'' does not match"),
        ("machines=lab", "'lab' is not of type 'array'"),
        ("machine=lab", "'machine' was unexpected"),
        ("env_dir=", "None is not of type 'string'"),
        ("env_dir=/scratch/{node}", "'/scratch/{node}' does not match"),
        ("blas=[]", r"\[\] should be non-empty"),
        ("threads=[]", r"\[\] should be non-empty"),
        ("problems=[qestion]", "no problem is called 'qestion': did you mean question"),
        ("strategies=[im2kol]", "no strategy is called 'im2kol': did you mean im2col"),
        ("strategies=[fft, fft]", "non-unique elements"),
    ],
)
def test_a_wrong_configuration_is_told_without_a_traceback(
    project: Path, config: str, message: str
) -> None:
    said = plan(project, config, check=False)

    assert re.search(message, said), said
    assert "Traceback" not in said
    assert measured(said) == []


def test_empty_lists_stand_for_this_machine_and_the_whole_suite(project: Path) -> None:
    explicit = measured(plan(project, "machines=[]", "problems=[]", "strategies=[]", "commits=1"))

    assert explicit == measured(plan(project, "commits=1"))
    assert f"--machine {os.uname().nodename} " in explicit[0]


@pytest.mark.alone
@pytest.mark.parametrize("jobs", [10_000])
def test_ten_thousand_jobs_are_planned_within_seconds(project: Path, jobs: int) -> None:
    few, many, few_again = (_planning_seconds(project, number) for number in (4, jobs, 4))

    speed = min(1.0, FEW_SECONDS / min(few, few_again))
    print(f"{jobs} jobs: {many:.1f} s, 4 jobs: {few:.2f} and {few_again:.2f} s")
    assert many * speed <= MOST_SECONDS


def _planning_seconds(project: Path, jobs: int) -> float:
    config = ["machines=[a,b,c,d]", "env_dir=.asv/env/{machine}", f"commits={jobs // 4}"]
    before = processor_seconds()
    call(project, "snakemake", "--dry-run", "--quiet", "--config", *config)
    return processor_seconds() - before


def processor_seconds() -> float:
    """Processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
