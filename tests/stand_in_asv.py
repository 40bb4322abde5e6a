"""Stands in for `python -m asv` in processes of its own: files results, measures nothing.

STAND_IN_CALLS names a folder: every call leaves a file there for as long as it runs, and two at
once with the same environments are an error. A call goes on until the folder has a file `go`.
"""

import json
import os
import sys
import time
from pathlib import Path


def main(words: list[str]) -> int:
    """Do what the command line asks for."""
    if words[0] == "machine":
        home = Path(os.environ["HOME"])
        (home / ".asv-machine.json").write_text('{"m": {"machine": "m"}, "version": 1}')
        return 0
    config = json.loads(Path(words[words.index("--config") + 1]).read_text())
    calls = Path(os.environ["STAND_IN_CALLS"])
    environments = config["env_dir"].replace("/", "_")
    mine = calls / f"measuring{environments}"
    with mine.open("x"):  # fails where another call is measuring
        pass
    (calls / f"call-{time.monotonic_ns()}").write_text(environments)
    print("· started", flush=True)
    try:
        deadline = time.monotonic() + 60
        while not (calls / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        if words[-1] != "just-discover":
            file_results(config, words[words.index("--machine") + 1])
    finally:
        mine.unlink()
    return 0


def file_results(config: dict, machine: str) -> None:
    """Leave a result and facts of one environment."""
    (build,) = config["matrix"]["env"]["CONVBENCH_BLAS"]
    commit = Path("commits").read_text().strip()
    file = Path(config["results_dir"], machine, f"{commit[:8]}-{build}.json")
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"env_name": build}))
    facts = {"environment": build, "problems": {}, "guard": "ok", "seed": 7}
    Path(os.environ["CONVBENCH_FACTS"], f"{build}.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
