"""asv's configuration: how it is read, its repository, its builds, and one made for a run."""

import importlib
import json
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from convbench.errors import BadUsage

BLAS_AXIS, THREADS_AXIS = "CONVBENCH_BLAS", "CONVBENCH_THREADS"
"""Variables of the two axes that tell asv's environments apart; results carry them."""

_PYPI_ONLY = ("blis",)
"""Builds that no package of a conda channel is asked for."""


def read(path: Path) -> dict[str, Any]:
    """Read an asv configuration, which may have comments and trailing commas, as asv itself does.

    asv also takes the name `asv.conf.jsonc`, where the usual file is not there.
    """
    if not path.exists() and path.with_suffix(".jsonc").exists():
        path = path.with_suffix(".jsonc")
    try:
        text = path.read_text(encoding="utf-8")
        config = _parsed(text)
    except FileNotFoundError:
        raise BadUsage(f"no asv configuration at {path}; name it with --config") from None
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadUsage(f"{path} is not valid JSON: {said}") from None
    if not isinstance(config, dict):
        raise BadUsage(f"{path} holds no JSON object, as an asv configuration must")
    return config


def _parsed(text: str) -> Any:
    """Parse plain JSON at once, anything else by asv's own reader, which is slow."""
    try:
        return json.loads(text)
    except ValueError:
        try:
            json5 = importlib.import_module("json5")
        except ImportError:  # it comes with asv
            raise ValueError(
                "it may have comments, which only convbench[measure] can read"
            ) from None
        return json5.loads(text)


def with_local_repository(config: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Give the configuration with a folder for its repository, where it names an address.

    asv clones an address; commits of a branch are not there. A checkout of the same repository that
    the configuration lies in has them: one whose name, or that of its remote, is the address's.
    """
    repo = str(config.get("repo", "."))
    if not re.match(r"[a-z+]+://|[\w.-]+@[\w.-]+:", repo):
        return dict(config)
    top = _asked(root, "rev-parse", "--show-toplevel")
    origin = _asked(root, "remote", "get-url", "origin")
    if top and _last_part(repo) in (_last_part(origin), _last_part(top)):
        return {**config, "repo": top}
    raise BadUsage(
        f"repo of the configuration is {repo}, and {root} lies in no checkout of it: clone it, and"
        " name the folder as repo"
    )


def _asked(folder: Path, *words: str) -> str:
    answer = _git(folder, *words)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _last_part(address: str) -> str:
    return re.split(r"[/:]", address.rstrip("/").removesuffix(".git"))[-1].lower()


def resolve(revision: str, repo: Path) -> str:
    """Return the full hash of a commit of a repository."""
    answer = _git(repo, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    if answer.returncode:
        reason = (answer.stderr.strip() or "git says nothing more").splitlines()[0]
        raise BadUsage(f"{revision!r} names no commit of the repository at {repo}: {reason}")
    return answer.stdout.strip()


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True)
    except FileNotFoundError:
        raise BadUsage("git is not installed; it is needed to check commits out") from None


def derive(config: Mapping[str, Any], root: Path, results: Path) -> dict[str, Any]:
    """Make a configuration that can lie anywhere and writes its results to one folder."""
    # asv splits commands like a shell, after it has put its own folder in.
    folder = shlex.quote(str(root))
    commands = {
        key: [line.replace("{conf_dir}", folder) for line in config.get(key, [])]
        for key in ("build_command", "install_command")
    }
    return {
        **config,
        **{key: lines for key, lines in commands.items() if lines},
        "repo": str(root / config.get("repo", ".")),
        "benchmark_dir": str(root / config.get("benchmark_dir", "benchmarks")),
        "env_dir": str(environments_folder(config, root)),
        "results_dir": str(results),
    }


def environments_folder(config: Mapping[str, Any], root: Path) -> Path:
    """Give the folder of asv's environments; asv's own default is `env`."""
    return root / str(config.get("env_dir", "env"))


def builds_of(config: Mapping[str, Any], axis: str) -> tuple[str, ...]:
    """List the values of an axis that a configuration has; none for another project's."""
    matrix = config.get("matrix", {})
    found = matrix.get("env", {}).get(axis) or matrix.get("env_nobuild", {}).get(axis) or ()
    return (found,) if isinstance(found, str) else tuple(found)


def with_builds(
    config: Mapping[str, Any], blas: Iterable[str], threads: Iterable[str]
) -> dict[str, Any]:
    """Make a configuration whose environments are these BLAS builds and numbers of threads.

    Builds that the configuration itself does not have come from the same two providers: a wheel
    that `wheels.py` makes, or a variant of the channel's `libblas`. The environments' names, hence
    their folders and result files, depend on a build alone and not on what stands beside it.
    """
    builds = tuple(dict.fromkeys(blas))
    matrix = config["matrix"]
    rules = [
        {"req": {"libblas": f".*{build}"}, "env": {BLAS_AXIS: f"(?!{build}).*"}}
        for build in builds
        if build not in builds_of(config, BLAS_AXIS)
    ]
    return {
        **config,
        "matrix": {
            **matrix,
            "req": {**matrix["req"], "libblas": [None, *(f"*=*{build}" for build in builds)]},
            "env": {**matrix["env"], BLAS_AXIS: list(builds)},
            "env_nobuild": {**matrix["env_nobuild"], THREADS_AXIS: list(dict.fromkeys(threads))},
        },
        "exclude": [*config.get("exclude", []), *rules],
    }


def refused_build(build: str, environment_type: str) -> str | None:
    """Say why a provider has no such build."""
    if build in _PYPI_ONLY and environment_type != "virtualenv":
        return f"{build} is a build of the PyPI provider alone: use --environment-type virtualenv"
    return None
