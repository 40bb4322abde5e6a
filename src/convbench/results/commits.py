"""The table `commits`: order, parents, subject, tags and branches of the commits of results.

With a repository, `position` is the place among the first-parent chain of its HEAD, as asv walks it
(with results or without, so gaps are visible), and all else that results name: parents before their
children, unrelated lines merged by commit date, as git's ``--date-order`` does. A commit that git
does not have stands where its date puts it; without a repository all do.
"""

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import IO, Any

from convbench.errors import BadUsage

Row = dict[str, Any]

# Abbreviations are never asked of git: what they name may change with every fetch.
_FULL_HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")

# Git ends a name or a message at its first NUL and folds the newlines of a subject.
_FORMAT = "%P%x00%at%x00%an%x00%s"

_MOST_CHARACTERS = 200
_NONE: frozenset[str] = frozenset()

# Old commits are on every branch, and some repositories have one for each pull request.
_MOST_BRANCHES = 50

# A hook's environment names its own repository; the user's choice of configuration files stays.
_KEPT_VARIABLES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")

# Nothing that a repository's configuration names is run, and a partial clone is not completed.
_CONFIGURATION = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_VARIABLES = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "LC_ALL": "C",
}


@dataclass(frozen=True, kw_only=True)
class GitCommit:
    """What git knows of one commit.

    Parameters
    ----------
    date : float
        The author's, as in asv's files, in seconds since 1970. Git reads none before; then it is
        minus infinity.
    parents : tuple of str
        Hashes; in a shallow clone those that it has.
    author, subject : str
        At most 200 characters of each.
    tags : tuple of str
        Names of the tags, annotated or not, that lead to the commit.
    branches : tuple of str
        Names of the branches, ``main`` or ``origin/main``, whose first-parent chain holds the
        commit, so it was not merged into them; of more than 200, local ones and then the newest.
    """

    date: float
    parents: tuple[str, ...]
    author: str
    subject: str
    tags: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


@dataclass(frozen=True)
class GitHistory:
    """The order of a repository's commits, and what git knows of the asked ones.

    Parameters
    ----------
    ranked : mapping of str to float
        The first-parent chain of HEAD and the asked commits, in their order, each with the newest
        author's date up to there in seconds since 1970. Clocks disagree; these dates never fall.
    known : mapping of str to GitCommit
        The asked commits that the repository has.
    """

    ranked: Mapping[str, float] = field(default_factory=dict)
    known: Mapping[str, GitCommit] = field(default_factory=dict)


def positions(rows: Iterable[Row], history: GitHistory | None = None) -> list[Row]:
    """Give the commits of one project their positions, and what git knows of them.

    Parameters
    ----------
    rows : iterable of dict
        Rows of the table `commits`, of one project.
    history : GitHistory, optional
        What `read_history` found. A commit that is not in it stands before the first one with a
        later date; without a history all do, and equal dates are ordered by hash.

    Returns
    -------
    list of dict
        Complete rows by position. What git does not tell stays as it was, or is empty, not null.
    """
    rows, history = list(rows), history or GitHistory()
    ranks: list[tuple[float, int, int, str]] = [
        (newest, 0, place, commit) for place, (commit, newest) in enumerate(history.ranked.items())
    ]
    ranks += [
        (row["commit_date"].timestamp(), 1, 0, row["commit"])
        for row in rows
        if row["commit"] not in history.ranked
    ]
    position = {rank[-1]: place for place, rank in enumerate(sorted(ranks))}
    completed = [
        _complete(row, position[row["commit"]], history.known.get(row["commit"])) for row in rows
    ]
    return sorted(completed, key=lambda row: row["position"])


def order_of(rows: Iterable[Row]) -> GitHistory:
    """Return the order that git once gave to some commits, for when no repository is given."""
    told = [row for row in rows if row.get("subject") or row.get("parents")]
    newest, ranked = -math.inf, {}
    for row in sorted(told, key=lambda row: row["position"]):
        newest = max(newest, row["commit_date"].timestamp())
        ranked[row["commit"]] = newest
    return GitHistory(ranked=ranked)


def _complete(row: Row, position: int, git: GitCommit | None) -> Row:
    empty: Row = {"parents": [], "subject": "", "author": "", "tags": [], "branches": []}
    told = {name: value for name, value in row.items() if value is not None}
    known: Row = {}
    if git is not None:
        known = {name: list(getattr(git, name)) for name in ("parents", "tags", "branches")}
        known |= {"subject": git.subject, "author": git.author}
    return empty | told | known | {"position": position}


def read_history(repo: Path, commits: Iterable[str]) -> GitHistory:
    """Read the order of a repository's commits, and what it knows of some.

    Parameters
    ----------
    repo : path
        A git repository, bare or shallow too. It is only read; nothing that it configures is run.
    commits : iterable of str
        Hashes; those that are cut, or that the repository does not have, are passed over.

    Raises
    ------
    BadUsage
        There is no git, no repository, no commit at its HEAD, or git can't read it.
    """
    branches, tags = _references(repo)
    asked = sorted({commit for commit in commits if _FULL_HASH.fullmatch(commit)})
    there = _commits(repo, ["HEAD", *branches.values(), *tags.values(), *asked])
    if "HEAD" not in there:
        raise _refusal(repo, "HEAD names none that can be read; check out a branch that has some")
    # 64 digits may name something else where hashes have 40, and 40 where they have 64.
    found = {commit for commit in asked if there.get(commit) == commit}
    tips = _newest(repo, {ref: tip for ref, tip in branches.items() if tip in there})
    holders = _holders(repo, tips | {"HEAD": there["HEAD"]})
    order = [
        commit
        for commit in _walk(repo, "--date-order", "--reverse", tips={there["HEAD"], *found})
        if commit in found or "HEAD" in holders.get(commit, ())
    ]
    read = dict(_read(repo, order))
    tags_of = _by_commit({ref: there[tag] for ref, tag in tags.items() if tag in there})
    # Many commits share a set; they share its names too.
    names_of = {refs: _names(refs) for refs in {*holders.values(), *tags_of.values(), _NONE}}
    return GitHistory(
        ranked=dict(zip(order, accumulate((read[c].date for c in order), max), strict=True)),
        known={
            commit: replace(
                read[commit],
                tags=names_of[tags_of.get(commit, _NONE)],
                branches=names_of[holders.get(commit, _NONE)],
            )
            for commit in sorted(found)
        },
    )


def _references(repo: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return branches and tags by full name, each with what asks git for its commit."""
    branches, tags = {}, {}
    listing = ("for-each-ref", "--format=%(objectname) %(refname) %(symref)")
    for line in _git(repo, *listing, "refs/heads", "refs/remotes", "refs/tags"):
        target, ref, symbolic = line.split(" ")
        if ref.startswith("refs/tags/"):
            tags[ref] = f"{target}^{{commit}}"
        elif not symbolic:  # origin/HEAD is another name of a branch
            branches[ref] = target
    return branches, tags


def _commits(repo: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the hashes of those of `names` that name a commit which the repository has."""
    names = list(dict.fromkeys(names))
    answers = _git(repo, "cat-file", "--batch-check=%(objectname) %(objecttype)", asked=names)
    words = (answer.rsplit(" ", 1) for answer in answers)
    return {
        name: found for name, (found, kind) in zip(names, words, strict=True) if kind == "commit"
    }


def _newest(repo: Path, tips: Mapping[str, str]) -> dict[str, str]:
    """Return the branches that are listed: of too many the local ones, then the newest."""
    if len(tips) <= _MOST_BRANCHES:
        return dict(tips)
    newest_first = _walk(repo, "--no-walk=sorted", tips=tips.values())
    place = {tip: place for place, tip in enumerate(newest_first)}
    ordered = sorted(tips, key=lambda ref: (not ref.startswith("refs/heads/"), place[tips[ref]]))
    return {ref: tips[ref] for ref in ordered[:_MOST_BRANCHES]}


def _holders(repo: Path, tips: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return, for every commit of a first-parent chain, the references whose chain holds it.

    Chains that meet stay together: one walk, children first, hands the references on. Along a line
    the set is the same object, and a new one is made only where chains meet.
    """
    holders = _by_commit(tips)
    walk = ("--topo-order", "--first-parent", "--parents")
    for line in _walk(repo, *walk, tips=tips.values()):
        commit, *parents = line.split(" ")
        if parents:
            refs, met = holders[commit], holders.get(parents[0])
            holders[parents[0]] = refs if met is None else refs | met
    return holders


def _by_commit(tips: Mapping[str, str]) -> dict[str, frozenset[str]]:
    refs: dict[str, frozenset[str]] = {}
    for ref, commit in tips.items():
        refs[commit] = refs.get(commit, _NONE) | {ref}
    return refs


def _names(refs: frozenset[str]) -> tuple[str, ...]:
    """Return references as people write them: without ``refs/heads/`` and its like."""
    return tuple(sorted({ref.split("/", 2)[2] for ref in refs if ref != "HEAD"}))


def _walk(repo: Path, *options: str, tips: Iterable[str]) -> Iterator[str]:
    return _git(repo, "rev-list", *options, "--stdin", asked=sorted(set(tips)))


def _read(repo: Path, commits: Iterable[str]) -> Iterator[tuple[str, GitCommit]]:
    options = ("--no-walk=unsorted", "--encoding=UTF-8", f"--format={_FORMAT}")
    lines = _walk(repo, *options, tips=commits)
    for heading, line in zip(lines, lines, strict=True):
        parents, date, author, subject = line.split("\0", 3)
        yield (
            heading.removeprefix("commit "),
            GitCommit(
                parents=tuple(parents.split()),
                date=float(date) if date else -math.inf,
                author=author[:_MOST_CHARACTERS],
                subject=subject[:_MOST_CHARACTERS],
            ),
        )


def _git(repo: Path, *arguments: str, asked: Iterable[str] = ()) -> Iterator[str]:
    """Yield the lines that git answers to the lines of `asked`."""
    command = ("git", "-C", str(repo), "--no-pager", *_CONFIGURATION, *arguments)
    with TemporaryFile() as questions, TemporaryFile() as complaints:
        questions.write("".join(f"{line}\n" for line in asked).encode())
        questions.seek(0)
        try:
            git = Popen(
                command, stdin=questions, stdout=PIPE, stderr=complaints, env=_environment()
            )
        except OSError as error:
            reason = f"--repo needs git, which can't be run: {error.strerror}; install git"
            raise BadUsage(reason) from None
        with git:
            assert git.stdout
            for line in git.stdout:
                yield line.decode(errors="replace").removesuffix("\n")
        if git.returncode:
            raise _refusal(repo, _reason(complaints))


def _environment() -> dict[str, str]:
    """Return the environment without what a hook or a caller's git left in it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT_VARIABLES
    }
    return kept | _VARIABLES


def _reason(complaints: IO[bytes]) -> str:
    """Return the end of what git complained of, without its advice."""
    end = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, end - 4096))
    lines = complaints.read().decode(errors="replace").splitlines()
    told = [line.strip() for line in lines if line.startswith(("error: ", "fatal: "))]
    return "; ".join(told[-2:]) or "git gives no reason"


def _refusal(repo: Path, reason: str) -> BadUsage:
    return BadUsage(f"--repo {repo}: expected a git repository with commits: {reason}")
