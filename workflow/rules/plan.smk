# Which commits to measure is asked of git while the workflow is read, not by a checkpoint: a commit
# that touches nothing measured then leaves nothing to do, and nothing is drawn again.
import platform
import subprocess
import time
from pathlib import Path

from convbench import asv_run, runs

MACHINE = config["machine"] or platform.node()
PROVIDER = config["environment_type"]
STARTED_AT = time.monotonic()


def environments(wildcards) -> str:
    """Name the environments by their content: over another BLAS a commit is measured again."""
    described = asv_run.read_config(Path("asv.conf.json"))
    parts = [runs.environments_sha256(described, Path("."))]
    parts += [runs.build_recipe(build, PROVIDER) for build in config["blas"]]
    return " ".join(parts)


def commits_to_measure() -> list[str]:
    """Newest commits of the first-parent chain that touch what can change a number."""
    skipped = tuple(config["skip_commits"])
    wanted = config["commits"] + len(skipped)
    command = ["git", "rev-list", "--first-parent", f"--max-count={wanted}"]
    command += [config["revision"], "--", *config["paths"]]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        raise WorkflowError(f"git can't list commits: {answer.stderr.strip()}")
    if not answer.stdout.split():
        raise WorkflowError(
            f"no commit of {config['revision']} touches {', '.join(config['paths'])}"
        )
    commits = [
        commit for commit in answer.stdout.split() if not commit.startswith(skipped)
    ]
    return commits[: config["commits"]]


def newest_commit(wildcards) -> str:
    """The commit that environments are tried with."""
    return commits_to_measure()[0]


def runs_from_elsewhere(wildcards) -> list[str]:
    """Facts of runs that this workflow did not ask for: other machines', repeated ones."""
    ours = {
        stamp.read_text().strip() for stamp in Path("results/measured").glob("*/*/*")
    }
    facts = Path("results/runs").glob("[!.]*/facts.json")
    return sorted(str(file) for file in facts if file.parent.name not in ours)


def measured_commits(wildcards) -> list[str]:
    """Stamps of the runs that the site needs at least."""
    return expand(
        "results/measured/{provider}/{machine}/{commit}",
        provider=PROVIDER,
        machine=MACHINE,
        commit=commits_to_measure(),
    )


onstart:
    commits = sum(not Path(stamp).exists() for stamp in measured_commits({}))
    if commits:
        minutes = config["budget_minutes"]
        counted = f"{commits} commit{'' if commits == 1 else 's'}"
        print(
            f"planned: {counted} to measure, {minutes:g} minutes each", flush=True
        )


onsuccess:
    minutes = (time.monotonic() - STARTED_AT) / 60
    print(f"real: {minutes:.1f} minutes for everything", flush=True)
