"""The environments that arms run in: asv's own, made by `asv run` where they are missing."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convbench import asv_config, asv_run, machine
from convbench.errors import BadUsage, MeasureFailed

LISTER = Path(__file__).with_name("asv_environments.py")


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of asv.

    Attributes
    ----------
    name : str
        asv's name, which lists all requirements.
    python : Path
        Its interpreter; there once the environment is made.
    variables : mapping of str to str
        What the matrix sets in it.
    existing : bool
        Whether it is a Python of the machine, which asv neither makes nor installs into.
    """

    name: str
    python: Path
    variables: Mapping[str, str]
    existing: bool


@dataclass(frozen=True, slots=True)
class Household:
    """Where asv runs: a folder of its own with HOME, configuration and log.

    Attributes
    ----------
    root : Path
        Folder of the project's configuration.
    folder : Path
        Folder that a comparison writes to.
    config : dict
        asv's configuration, as asked for.
    environment : mapping of str to str
        Variables, without those of the caller's that change timings.
    """

    root: Path
    folder: Path
    config: Mapping[str, Any]
    environment: Mapping[str, str]

    @property
    def log(self) -> Path:
        """All that asv and the builds print."""
        return self.folder / "build.log"


def household(root: Path, folder: Path, config: Mapping[str, Any]) -> Household:
    """Lay the folder out: asv finds its configuration, versions and build requirements there."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    lock = root / "requirements.lock"
    pins = asv_run.constraints_of(lock.read_text()) if lock.exists() else ""
    (home / "constraints.txt").write_text(pins)
    if (root / "pyproject.toml").exists():
        (home / "pyproject.toml").write_bytes((root / "pyproject.toml").read_bytes())
    environment, _ = asv_run.shielded_environment(
        os.environ, home=home, constraints=home / "constraints.txt"
    )
    derived = asv_config.derive(_with_lists(config), root, folder / "results")
    (home / "asv.conf.json").write_text(json.dumps(derived))
    environment = {name: text for name, text in environment.items() if name != "PYTHONPATH"}
    return Household(root, folder, derived, environment | {"PYTHONNOUSERSITE": "1"})


def _with_lists(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the configuration with its commands as lists of lines; asv takes a single line too."""
    lines = {}
    for key in {"build_command", "install_command"} & set(config):
        given = config[key]
        lines[key] = [given] if isinstance(given, str) and given else given or []
        if not isinstance(lines[key], list) or not all(isinstance(one, str) for one in lines[key]):
            raise BadUsage(f"{key} of the configuration is {given!r}: give a list of lines")
    return {**config, **lines}


def listed(house: Household) -> tuple[Environment, ...]:
    """List the environments of the configuration, in asv's order."""
    home = house.folder / "home"
    answer = subprocess.run(
        [sys.executable, str(LISTER), str(home / "asv.conf.json")],
        cwd=home,
        env=dict(house.environment),
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        said = (answer.stderr.strip() or "it said nothing").splitlines()[-1]
        raise MeasureFailed(f"asv can't read its configuration, or is not installed: {said}")
    return tuple(
        Environment(each["name"], Path(each["python"]), each["variables"], each["existing"])
        for each in json.loads(answer.stdout)
    )


def chosen(environments: Sequence[Environment], name: str) -> Environment:
    """Give the environment of this name, or the only one whose name has it as a part."""
    found = [each for each in environments if each.name == name]
    found = found or [each for each in environments if name in each.name]
    if len(found) == 1:
        return found[0]
    what = "several environments" if found else "no environment"
    names = ", ".join(each.name for each in found or environments)
    raise BadUsage(f"{name!r} names {what} of the configuration: {names or 'it has none'}")


def create(
    house: Household,
    environments: Sequence[Environment],
    commit: str,
    lock: int,
    say: Callable[[str], None],
) -> None:
    """Let asv make environments, and install into them what their install command says.

    Raises
    ------
    MeasureFailed
        An environment is not there afterwards.
    """
    missing = list({each.name: each for each in environments if not each.existing}.values())
    if not missing:
        return
    home = house.folder / "home"
    (home / "commits").write_text(f"{commit}\n")
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", platform.node()) or "machine"
    machine.file_machine(name, house.environment)
    for each in missing:
        # One by one: asv installs into the environment alone in which it looks for benchmarks.
        words = ["--config", str(home / "asv.conf.json"), "run", f"HASHFILE:{home / 'commits'}"]
        words += ["--machine", name, "--bench", "just-discover", "--environment", each.name]
        start = house.log.stat().st_size if house.log.exists() else 0
        asv_run.run_asv(
            words,
            environment=house.environment,
            folder=home,
            log=house.log,
            locks=(lock,),
            say=say,
        )
        if not each.python.exists():
            complaint = asv_run.complaint(house.log, start)
            raise MeasureFailed(
                f"asv did not make {each.name}: {complaint}; its output is in {house.log}"
            )


def matching(environments: Sequence[Environment], axis: str, value: str) -> Iterator[Environment]:
    """Give those in which a variable has this value, or that don't set it."""
    return (each for each in environments if each.variables.get(axis, value) == value)
