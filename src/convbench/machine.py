"""Facts of a host, as asv files them beside its results."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convbench.errors import MeasureFailed


def file_machine(machine: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Let asv look at this machine, and file what it finds under the configured name.

    Parameters
    ----------
    machine : str
        Name that results are filed under; a host name may change, this one should not.
    environment : mapping
        Variables for asv; it reads and writes `.asv-machine.json` in their HOME.

    Raises
    ------
    MeasureFailed
        When asv is not installed or can't look.
    """
    file = Path(environment["HOME"], ".asv-machine.json")
    # With --machine asv would store the name alone and ask for nothing else.
    answer = subprocess.run(
        [sys.executable, "-m", "asv", "machine", "--yes"],
        env=dict(environment),
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        reason = (answer.stderr.strip() or "it said nothing").splitlines()[-1]
        raise MeasureFailed(
            f"asv could not describe this machine: {reason}"
            " (asv comes with `pip install convbench[measure]`)"
        )
    found = json.loads(file.read_text())
    facts = next(entry for name, entry in found.items() if name != "version")
    facts["machine"] = machine
    file.write_text(json.dumps({machine: facts, "version": 1}))
    return dict(facts)
