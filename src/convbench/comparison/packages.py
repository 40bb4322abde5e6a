"""A commit's package, built once per environment into a folder of its own.

Two commits can't share the one package that is installed in an environment. So each gets a folder
that goes in front of PYTHONPATH; interpreter and dependencies stay those of the environment.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from convbench.comparison.environments import Environment, Household
from convbench.comparison.processes import end_group
from convbench.errors import BadUsage, MeasureFailed

BUILD = ("python -m pip wheel --no-deps -w {build_cache_dir} {build_dir}",)
"""Where the configuration says nothing. asv's default also builds a wheel per dependency."""


def package(house: Household, environment: Environment, commit: str, lock: int) -> Path:
    """Give the folder with a commit's package, and build it if it is not there.

    Raises
    ------
    MeasureFailed
        The commit can't be built.
    """
    commands = house.config.get("build_command") or BUILD
    recipe = json.dumps([environment.name, str(environment.python), commands])
    folder = house.folder / "packages" / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    target = folder / commit
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as name:
        work = Path(name)
        build = _Build(house, environment, commit, lock)
        source = build.checked_out(work / "source")
        wheels = work / "wheels"
        wheels.mkdir()
        for command in [commands] if isinstance(commands, str) else commands:
            build.command(command, source, wheels)
        found = sorted(wheels.glob("*.whl"))
        if len(found) != 1:
            raise MeasureFailed(
                f"building {commit[:8]} left {len(found)} wheels in {{build_cache_dir}}; a"
                " comparison needs one: see build_command of the configuration"
            )
        install = ["python", "-m", "pip", "install", "--no-deps", "--no-index", "--target"]
        build.run([*install, str(work / "package"), str(found[0])], work, {}, {0})
        # Renamed when whole: a build that was interrupted is never taken for one.
        (work / "package").rename(target)
    return target


class _Build:
    """Commands in an environment, for one commit."""

    def __init__(self, house: Household, environment: Environment, commit: str, lock: int) -> None:
        self._house = house
        self._environment = environment
        self._commit = commit
        self._lock = lock

    def checked_out(self, folder: Path) -> Path:
        """Clone the repository at the commit; builds may ask git for their version."""
        clone = ["git", "clone", "--quiet", "--shared", "--no-checkout"]
        self.run([*clone, str(self._house.config["repo"]), str(folder)], folder.parent, {}, {0})
        self.run(["git", "checkout", "--quiet", "--detach", self._commit], folder, {}, {0})
        return folder / str(self._house.config.get("repo_subdir", ""))

    def command(self, command: str, source: Path, wheels: Path) -> None:
        """Run a line of the configuration, with asv's placeholders and prefixes."""
        places = {
            "build_dir": str(source),
            "build_cache_dir": str(wheels),
            "env_dir": str(self._environment.python.parent.parent),
            "env_name": self._environment.name,
            "commit": self._commit,
            "project": str(self._house.config.get("project", "")),
            "conf_dir": str(self._house.root),
        }
        words: list[str] = []
        variables: dict[str, str] = {}
        codes, folder = {0}, source
        try:
            parts = [part.format(**places) for part in shlex.split(command)]
        except (KeyError, IndexError, ValueError) as error:
            raise BadUsage(
                f"build_command {command!r} has {error}; known are {', '.join(places)}"
            ) from None
        for part in parts:
            name, sign, value = part.partition("=")
            if words or not sign:
                words.append(part)
            elif name == "in-dir":
                folder = Path(value)
            elif name == "return-code":
                codes = _codes(command, value)
            elif re.fullmatch(r"[A-Za-z_]\w*", name):
                variables[name] = value
            else:
                words.append(part)
        if not words:
            raise BadUsage(f"build_command {command!r} runs nothing; give a program")
        self.run(words, folder, variables, codes)

    def run(
        self, words: Sequence[str], folder: Path, variables: Mapping[str, str], codes: set[int]
    ) -> None:
        """Run one command with the environment's programs first; `codes` are good, none: all."""
        ours = self._house.environment
        bin_folder = str(self._environment.python.parent)
        path = os.pathsep.join([bin_folder, ours.get("PATH", os.defpath)])
        if words[0] == "python":
            words = [str(self._environment.python), *words[1:]]
        program = shutil.which(words[0], path=path) or words[0]
        start = self._house.log.stat().st_size if self._house.log.exists() else 0
        with self._house.log.open("ab") as log:
            try:
                process = subprocess.Popen(
                    [program, *words[1:]],
                    cwd=folder,
                    env={**ours, **self._environment.variables, "PATH": path, **variables},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=[self._lock],
                )
            except OSError as error:
                raise MeasureFailed(
                    f"{self._commit[:8]} can't be built: {words[0]} does not start in {folder}:"
                    f" {error.strerror}: {error.filename}"
                ) from None
        try:
            code = process.wait()
        finally:
            end_group(process)
        if codes and code not in codes:
            raise MeasureFailed(
                f"{self._commit[:8]} can't be built: {_complaint(self._house.log, start)};"
                f" all output is in {self._house.log}"
            )


def _codes(command: str, value: str) -> set[int]:
    """Read the exit codes that are good; none stands for all."""
    try:
        return set() if value == "any" else set(map(int, value.split(",")))
    except ValueError:
        raise BadUsage(
            f"build_command {command!r}: return-code={value}: give numbers with commas, or any"
        ) from None


def _complaint(log: Path, start: int) -> str:
    """Find the line that says what went wrong, or give the last one."""
    text = log.read_bytes()[start:].decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if re.match(r"(fatal:|ERROR:|\w*Error\b)", line)]
    return (wrong or lines or ["it printed nothing"])[-1]
