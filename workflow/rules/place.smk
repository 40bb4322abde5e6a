# The place where machines share their runs, if there is one. What others pushed is pulled while jobs
# are planned, for the same reason as git is asked then: where nothing is new, nothing is drawn again.
import subprocess
from functools import cache
from pathlib import Path

from convbench.errors import BadUsage
from convbench.sharing.places import configured_place

try:
    PLACE = config["place"] or configured_place(Path(".")) or ""
except BadUsage as error:
    raise WorkflowError(str(error))


@cache  # once, whoever asks
def pull_runs() -> None:
    """Bring what others pushed, where jobs are planned in earnest."""
    if PLACE and workflow.is_main_process and not workflow.dryrun:
        pull = ["convbench", "pull", "results/runs", "--place", PLACE]
        # What can't be pulled now is pulled the next time; measuring needs nobody else's runs.
        if subprocess.run(pull).returncode:
            print("going on with the runs that are here", flush=True)


def pulled_results(wildcards) -> list[str]:
    """Pull; name manifests of results that are no runs: those of `asv run` in CI, say."""
    pull_runs()
    return sorted(map(str, Path("results/runs").glob("[!.]*/manifest.json")))


def pushed(wildcards) -> list[str]:
    """What tells that the runs were pushed, where there is a place for them."""
    return ["results/pushed"] if PLACE else []
