"""The commits of a repository between two of them, along first parents."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convbench.comparison.project import resolve
from convbench.errors import BadUsage

_FIELDS = "%H%x00%s%x00%an%x00%aI%x00%P"
"""Hash, subject, author, date of writing, parents, for `git log --format`."""

_LONGEST = 250
"""Characters of a revision: no name of a branch or tag has more."""

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Description:
    """What a commit says of itself.

    Attributes
    ----------
    commit, subject, author, date : str
        The date is ISO 8601, with its time zone.
    is_merge : bool
        Whether it has several parents.
    """

    commit: str
    subject: str
    author: str
    date: str
    is_merge: bool


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository of an asv configuration.

    Attributes
    ----------
    folder : Path
        Where it is.
    root : Path
        Folder of the configuration.
    config : mapping
        asv's configuration.
    """

    folder: Path
    root: Path
    config: Mapping[str, Any]

    def commits(self, good: str, bad: str) -> tuple[str, ...]:
        """List `good`, and what came after it up to `bad`, along first parents: oldest first.

        Raises
        ------
        BadUsage
            A commit is not there, or `good` is no ancestor of `bad`.
        """
        first, last = self._resolved(good), self._resolved(bad)
        if first == last:
            raise BadUsage(f"{good} and {bad} are one commit; give two with a change between them")
        if self._git("merge-base", "--is-ancestor", first, last).returncode:
            raise BadUsage(
                f"{first[:8]} is no ancestor of {last[:8]} in the repository at {self.folder}"
                f"{self._shallow()}; a bisection goes from a commit to a later one of its line"
            )
        listed = self._git("rev-list", "--first-parent", "--reverse", f"{first}..{last}")
        return first, *listed.stdout.split()

    def description(self, commit: str) -> Description:
        """Describe a commit that is there."""
        answer = self._git("log", "-1", f"--format={_FIELDS}", commit)
        name, subject, author, date, parents = answer.stdout.rstrip("\n").split("\0")
        return Description(name, subject, author, date, len(parents.split()) > 1)

    def _resolved(self, revision: str) -> str:
        # A store's commits are anybody's text; git can't even be asked for one with a NUL.
        if not revision.isprintable() or len(revision) > _LONGEST:
            raise BadUsage(f"{revision[:_SHOWN]!r} names no commit; give a hash, branch or tag")
        try:
            return resolve(revision, self.root, self.config)
        except BadUsage as error:
            raise BadUsage(f"{error}{self._shallow()}") from None

    def _shallow(self) -> str:
        shallow = self._git("rev-parse", "--is-shallow-repository").stdout.strip() == "true"
        return "; it is a shallow clone: run git fetch --unshallow" if shallow else ""

    def _git(self, *words: str) -> subprocess.CompletedProcess[str]:
        git = ["git", "-C", str(self.folder), "-c", "log.showSignature=false"]
        return subprocess.run([*git, *words], capture_output=True, text=True, errors="replace")


def repository(root: Path, config: Mapping[str, Any]) -> Repository:
    """Give the repository that a configuration names."""
    return Repository(root / str(config.get("repo", ".")), root, config)
