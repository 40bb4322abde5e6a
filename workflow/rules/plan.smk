# Which commits to measure is asked of git while the workflow is read, not by a checkpoint: a commit
# that touches nothing measured then leaves nothing to do, and nothing is drawn again.
import math
import platform
import subprocess
import time
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

from convbench import asv_config, runs, sweep
from convbench.errors import BadUsage
from convbench.wheels import WheelsError

MACHINES = config["machines"] or [platform.node()]
PROVIDER = config["environment_type"]
SWEEP = sweep.Sweep(
    **{axis: config[axis] for axis in ("blas", "threads", "problems", "strategies")}
)
MEASURED = "results/measured/{provider}/{machine}/{sweep}/{commit}"
# What a workflow that was killed has left may have begun just now, and make environments first.
WAIT_MINUTES = 2 * config["budget_minutes"] + 30
# A job that takes longer than waiting for another one and measuring after it hangs.
MOST_MINUTES = math.ceil(2 * WAIT_MINUTES)
STARTED_AT = time.monotonic()

try:
    sweep.check(SWEEP.problems, SWEEP.strategies)
except BadUsage as error:
    raise WorkflowError(str(error))
if len(MACHINES) > 1 and "{machine}" not in config["env_dir"]:
    raise WorkflowError(
        f"env_dir {config['env_dir']!r} is one folder for {len(MACHINES)} machines: each needs"
        " environments of its own, as in env_dir: .asv/env/{machine}"
    )


def counts_for(machine: str):
    """Resource that jobs of one machine take, and no others."""
    return lambda wildcards: int(wildcards.machine == machine)


# Which of the ready jobs is taken next is left to chance: two of one machine, and another has
# nothing to do. So each machine has its own part of what is measured at once, rounded down: what
# one had more would be missing to another. Snakemake on a node is told no limit, and has none.
at_once = getattr(workflow.global_resources.get("machine"), "value", None)
ON_EACH_MACHINE = {}
if at_once is not None and len(MACHINES) > 1:
    for number, machine in enumerate(MACHINES, 1):
        ON_EACH_MACHINE[f"machine_{number}"] = counts_for(machine)
        workflow.register_resource(
            f"machine_{number}", max(1, at_once // len(MACHINES))
        )


def env_dir(wildcards) -> str:
    """Folder of the environments of a job's machine."""
    return config["env_dir"].replace("{machine}", wildcards.machine)


@cache  # the same answer for every job
def environments_by_content() -> str:
    """Name the environments by what they are made of, as far as this machine knows."""
    described = asv_config.read(Path("asv.conf.json"))
    parts = [runs.environments_sha256(described, Path("."))]
    for build in config["blas"]:
        # Where the workflow is started may lack the libraries of where it measures.
        with suppress(WheelsError):
            parts.append(runs.build_recipe(build, PROVIDER))
    return " ".join(parts)


def environments(wildcards) -> str:
    """With the trigger `params`, a commit is measured again over another BLAS."""
    return environments_by_content()


@cache  # the same question for every job
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
        stamp.read_text().strip() for stamp in Path("results/measured").glob("*/*/*/*")
    }
    facts = Path("results/runs").glob("[!.]*/facts.json")
    return sorted(str(file) for file in facts if file.parent.name not in ours)


def measured_commits(wildcards) -> list[str]:
    """Stamps of the runs that the site needs at least."""
    return expand(
        MEASURED,
        provider=PROVIDER,
        machine=MACHINES,
        sweep=SWEEP.digest,
        commit=commits_to_measure(),
    )


onstart:
    planned = sum(not Path(stamp).exists() for stamp in measured_commits({}))
    if planned:
        minutes = config["budget_minutes"]
        counted = f"{planned} run{'' if planned == 1 else 's'}"
        print(
            f"planned: {counted} to measure, {minutes:g} minutes each", flush=True
        )


onerror:
    missing = [Path(s) for s in measured_commits({}) if not Path(s).exists()]
    machines = Counter(stamp.parents[1].name for stamp in missing)
    by_machine = ", ".join(f"{name}: {count}" for name, count in machines.items())
    print(
        f"stopped, runs not measured: {by_machine or 'none'};"
        " what is measured is kept: the same command goes on (logs/ says why it stopped; take a"
        " machine that is gone for good out of the configuration)",
        flush=True,
    )


onsuccess:
    minutes = (time.monotonic() - STARTED_AT) / 60
    print(f"real: {minutes:.1f} minutes for everything", flush=True)
