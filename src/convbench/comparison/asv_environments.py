"""List the environments of an asv configuration: a plain file, run as a process of its own.

asv has no stable interface for this (0.6.6), and importing it loads every plugin; what its names,
folders and variables are, nobody else can say. Creates nothing.

    asv_environments.py CONFIG
"""

import contextlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any


def main(config: str) -> None:
    """Print one JSON list: name, interpreter and variables of each environment."""
    asv_config = importlib.import_module("asv.config")
    asv_environment = importlib.import_module("asv.environment")
    with contextlib.redirect_stdout(sys.stderr):  # asv's warnings
        loaded = asv_config.Config.load(config)
        found = [described(each) for each in asv_environment.get_environments(loaded, None)]
    print(json.dumps(found))


def described(environment: Any) -> dict[str, Any]:
    """Say what an environment is called, where its Python will be, and what it sets."""
    existing = environment.tool_name == "existing"
    python = environment._executable if existing else Path(environment._path, "bin", "python")
    return {
        "name": environment.name,
        "python": str(python),
        "variables": dict(environment.env_vars),
        "existing": existing,
    }


if __name__ == "__main__":
    main(sys.argv[1])
