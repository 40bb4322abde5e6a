"""Put convbench into an asv project: what its words mean, and files for continuous integration.

Writes convbench.toml beside asv's configuration, with what the suite's parameters seem to mean, and
workflows and scripts for GitHub or GitLab. A file that is there is never changed.
"""

import argparse
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from convbench import asv_config
from convbench.adoption.planned_files import HOSTS, Facts, Planned, ci_files, state, write
from convbench.adoption.proposal import proposed
from convbench.adoption.suite_parameters import read_parameters
from convbench.commands.options import add_config
from convbench.errors import BadUsage
from convbench.report.links import is_site_url
from convbench.results.descriptions import parse_benchmarks
from convbench.results.raw_files import printable
from convbench.results.words import CONFIG as WORDS

EXAMPLES = r"""
convbench init --dry-run
convbench init --ci github gitlab --site-url https://example.org/benchmarks/
convbench init --config benchmarks/asv.conf.json --ci none
"""
SEE_ALSO = "docs/ci.md; convbench gate, convbench collect"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench init`."""
    add_config(parser)
    parser.add_argument(
        "--ci",
        nargs="+",
        choices=(*HOSTS, "none"),
        metavar="HOST",
        help="write files for github, gitlab, or none (default: what the repository shows)",
    )
    parser.add_argument(
        "--site-url", default="", metavar="URL", help="where the site will be published"
    )
    parser.add_argument("--dry-run", action="store_true", help="show all, write nothing")


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Write the files that are not there, and say of each what became of it."""
    if arguments.site_url and not is_site_url(arguments.site_url):
        raise BadUsage(
            "--site-url must be the address of a folder, such as https://example.org/benchmarks/; "
            f"got {arguments.site_url!r}"
        )
    config = read_config(arguments.config)
    folder = arguments.config.resolve().parent
    top = repository(folder)
    hosts = hosts_of(arguments.ci, top)
    files = list(planned(config, arguments.config.resolve(), top, hosts, arguments.site_url))
    states = {one.path: state(top, one) for one in files}
    for one in files:
        say(f"{_word(states[one.path], arguments.dry_run):<11} {one.path}")
        if arguments.dry_run and states[one.path] == "written":
            for line in one.text.splitlines():
                say(printable(f"    {line}"))
        elif states[one.path] == "written":
            write(top, one)
    for line in advice(files, states, hosts, top):
        say(line)
    return 0


def _word(found: str, dry_run: bool) -> str:
    """Say it as it is: a dry run writes nothing, and nothing that is there is ever changed."""
    return "would write" if dry_run and found == "written" else found


def read_config(path: Path) -> Mapping[str, Any]:
    """Read asv's configuration; where there is none, say which ones lie below."""
    if not path.exists() and not path.with_suffix(".jsonc").exists():
        below = sorted(Path().glob("*/asv.conf.json*")) + sorted(Path().glob("*/*/asv.conf.json*"))
        hint = f"; there is {below[0]}" if below else "; `asv quickstart` makes one"
        raise BadUsage(f"no asv configuration at {path}: name it with --config{hint}")
    return asv_config.read(path)


def repository(folder: Path) -> Path:
    """Give the top of the git repository that a folder lies in."""
    return Path(_git(folder, "rev-parse", "--show-toplevel"))


def _git(folder: Path, *words: str) -> str:
    try:
        answer = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True)
    except FileNotFoundError:
        raise BadUsage("git is not installed; convbench init needs it") from None
    if answer.returncode:
        said = (answer.stderr.strip() or "git says nothing more").splitlines()[0]
        raise BadUsage(f"{folder} is in no git repository that can be read: {said}")
    return answer.stdout.strip()


def hosts_of(asked: Sequence[str] | None, top: Path) -> tuple[str, ...]:
    """Give the hosts that were asked for, or that the repository is at, as far as it shows."""
    if asked is not None:
        if "none" in asked and len(set(asked)) > 1:
            raise BadUsage("--ci none stands alone")
        return tuple(host for host in HOSTS if host in asked)
    remotes = _git(top, "remote", "--verbose")
    signs = {"github": top / ".github", "gitlab": top / ".gitlab-ci.yml"}
    return tuple(host for host, sign in signs.items() if sign.exists() or host in remotes)


def planned(
    config: Mapping[str, Any], path: Path, top: Path, hosts: Sequence[str], site_url: str
) -> Iterator[Planned]:
    """Give all files: the project's words beside asv's configuration, then those of the hosts."""
    folder = path.parent
    results = folder / str(config.get("results_dir", "results"))
    suite = folder / str(config.get("benchmark_dir", "benchmarks"))
    matrix = config.get("matrix")
    words = proposed(
        read_parameters(suite, _described(results)),
        matrix if isinstance(matrix, dict) else {},
        site_url,
    )
    yield Planned(_within(folder / WORDS, top), words)
    facts = Facts(
        config=_within(path, top).as_posix(),
        project=str(config.get("project") or top.name),
        results=_within(results, top).as_posix(),
    )
    yield from ci_files(hosts, facts)


def _within(path: Path, top: Path) -> Path:
    resolved = path.resolve()
    if not resolved.is_relative_to(top.resolve()):
        raise BadUsage(f"{path} lies outside of the repository at {top}; give a folder within it")
    return resolved.relative_to(top.resolve())


def _described(results: Path) -> list[tuple[str, ...]]:
    """Read the names of parameters that results tell of; there need be none."""
    try:
        known = parse_benchmarks((results / "benchmarks.json").read_bytes())
    except (OSError, ValueError):
        return []
    return [one.param_names for one in known.values()]


def advice(
    files: Sequence[Planned], states: Mapping[Path, str], hosts: Sequence[str], top: Path
) -> Iterator[str]:
    """Say what to do next."""
    kept = [path for path, found in states.items() if found == "kept"]
    if kept:
        yield ""
        yield "kept: there already, with other content; to get convbench's, move yours away first"
    if Path(".gitlab-ci.yml") in kept:
        text = (top / ".gitlab-ci.yml").read_text(encoding="utf-8", errors="replace")
        if "ci/bench/gitlab.yml" not in text:
            yield "add to .gitlab-ci.yml under `include:` the line `- local: ci/bench/gitlab.yml`"
    yield ""
    yield "next:"
    yield f"  look through {files[0].path}: which of the suite's parameters mean what"
    yield "  convbench gate HEAD~1 HEAD --budget-minutes 5    # asv makes an environment, once"
    yield "  add to .gitignore: .asv/ convbench-gate/ convbench-measured/ convbench-site/"
    if hosts:
        yield "  commit these files; a pull or merge request is compared from then on"
        yield "  for the nights: a runner of your own, else idle, with the label or tag `bench`"
    if "github" in hosts:
        yield "  GitHub: Settings, Pages, Source: GitHub Actions"
        yield "  GitHub: the comment begins once convbench-comment.yml is on the default branch"
    if "gitlab" in hosts:
        yield "  GitLab: a pipeline schedule, and a protected, masked variable CONVBENCH_PLACE"
    yield "  docs/ci.md of convbench says what each file and each right is for"
