"""The files that a project gets, and what is there of them already."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convbench import __version__
from convbench.errors import BadUsage

CI_FILES = Path(__file__).with_name("ci_files")

SCRIPTS = Path("ci", "bench")

INCLUDE = """\
include:
  - local: ci/bench/gitlab.yml
"""

HOSTS = ("github", "gitlab")

_OF_ALL = (*("askpass.sh", "gate.sh", "install.sh", "measure_new.sh", "publish.sh", "settings.sh"),)
_OF_HOST = {"github": ("comment.py",), "gitlab": ("gitlab.yml",)}


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that a project gets.

    Attributes
    ----------
    path : Path
        From the repository's top.
    text : str
        Its content.
    """

    path: Path
    text: str

    @property
    def is_program(self) -> bool:
        """Tell whether it is called by its name."""
        return self.text.startswith("#!")


@dataclass(frozen=True, slots=True)
class Facts:
    """What scripts need to know of a project.

    Attributes
    ----------
    config : str
        asv's configuration, from the repository's top.
    project : str
        Its name.
    results : str
        asv's folder of results, from the repository's top.
    """

    config: str
    project: str
    results: str


def ci_files(hosts: Sequence[str], facts: Facts) -> Iterator[Planned]:
    """Give the files of continuous integration at these hosts."""
    if not hosts:
        return
    words = {
        "@CONFIG@": shlex.quote(facts.config),
        "@PROJECT@": shlex.quote(facts.project),
        "@RESULTS@": shlex.quote(facts.results),
        "@VERSION@": __version__,
    }
    for name in (*_OF_ALL, *(name for host in hosts for name in _OF_HOST[host])):
        yield Planned(SCRIPTS / name, _filled(CI_FILES / "bench" / name, words))
    if "github" in hosts:
        for path in sorted((CI_FILES / "github").glob("*.yml")):
            target = Path(".github", "workflows", f"convbench-{path.name}")
            yield Planned(target, path.read_text(encoding="utf-8"))
    if "gitlab" in hosts:
        yield Planned(Path(".gitlab-ci.yml"), INCLUDE)


def _filled(path: Path, words: Mapping[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def state(top: Path, planned: Planned) -> str:
    """Say whether a file is to be `written`, is the `same` already, or is `kept` as it is."""
    target = top / planned.path
    if not target.exists() and not target.is_symlink():
        return "written"
    try:
        return "same" if target.read_text(encoding="utf-8") == planned.text else "kept"
    except (OSError, ValueError):
        return "kept"


def write(top: Path, planned: Planned) -> None:
    """Write a file that is not there.

    Raises
    ------
    BadUsage
        A link leads out of the repository.
    """
    target = top / planned.path
    if not target.parent.resolve().is_relative_to(top.resolve()):
        raise BadUsage(f"{planned.path.parent} leads out of the repository: remove that link")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8") as file:  # never over what came meanwhile
        file.write(planned.text)
    if planned.is_program:
        target.chmod(0o755)
