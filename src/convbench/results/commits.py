"""The table `commits`: order, parents, subject and tags of the commits that results name.

With a repository, `position` is the place on the first-parent chain of its HEAD, as asv walks it;
a commit off the chain stands where its date puts it. Without one, position is the order of dates.
"""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from convbench.errors import BadUsage

Row = dict[str, Any]

# Fields end with NUL, commits with a record separator; the date is the author's, as in asv.
_FORMAT = "%H%x00%P%x00%at%x00%an%x00%s%x1e"


@dataclass(frozen=True)
class GitCommit:
    """What git knows of one commit."""

    commit: str
    parents: tuple[str, ...]
    date: datetime
    author: str
    subject: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class GitHistory:
    """The first-parent chain of HEAD, oldest first, and the known ones of the asked commits."""

    chain: tuple[GitCommit, ...]
    known: Mapping[str, GitCommit]


def read_history(repo: Path, commits: Iterable[str]) -> GitHistory:
    """Read the chain of HEAD and every one of `commits` that the repository has."""
    tags: dict[str, list[str]] = {}
    listing = _git(
        repo,
        "for-each-ref",
        "refs/tags",
        "--format=%(refname:strip=2) %(objectname) %(*objectname)",
    )
    for line in listing.splitlines():
        tag, *objects = line.split(" ")
        tags.setdefault(objects[-1] or objects[0], []).append(tag)
    chain = _parse(_git(repo, "log", "--first-parent", "--reverse", f"--format={_FORMAT}"), tags)
    known = {commit.commit: commit for commit in chain}
    others = sorted({commit for commit in commits if _is_hash(commit)} - known.keys())
    checked = _git(repo, "cat-file", "--batch-check", text="".join(f"{c}\n" for c in others))
    there = [line.split(" ")[0] for line in checked.splitlines() if " commit " in line]
    if there:
        listing = _git(
            repo, "log", "--no-walk", "--stdin", f"--format={_FORMAT}", text="\n".join(there)
        )
        known |= {commit.commit: commit for commit in _parse(listing, tags)}
    return GitHistory(chain=tuple(chain), known=known)


def _is_hash(commit: str) -> bool:
    return len(commit) == 40 and all(digit in "0123456789abcdef" for digit in commit)


def _git(repo: Path, *arguments: str, text: str = "") -> str:
    command = ["git", "-C", str(repo), *arguments]
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, check=True, encoding="utf-8", errors="replace"
        )
    except FileNotFoundError:
        raise BadUsage("--repo needs git, which is not on PATH; install git") from None
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BadUsage(f"--repo {repo}: expected a git repository with commits: {reason}") from None
    return done.stdout


def _parse(listing: str, tags: Mapping[str, list[str]]) -> list[GitCommit]:
    commits = []
    for record in listing.split("\x1e"):
        if not record.strip():
            continue
        commit, parents, seconds, author, subject = record.lstrip("\n").split("\0")
        commits.append(
            GitCommit(
                commit=commit,
                parents=tuple(parents.split()),
                date=datetime.fromtimestamp(int(seconds), UTC),
                author=author,
                subject=subject,
                tags=tuple(sorted(tags.get(commit, ()))),
            )
        )
    return commits


def with_history(rows: Iterable[Row], history: GitHistory) -> list[Row]:
    """Return the rows with what git knows of their commits; the others as they were."""
    completed = []
    for row in rows:
        git = history.known.get(row["commit"])
        known = (
            {}
            if git is None
            else {
                "parents": list(git.parents),
                "subject": git.subject,
                "author": git.author,
                "tags": list(git.tags),
            }
        )
        completed.append(row | known)
    return completed


def positions_by_date(rows: Iterable[Row]) -> list[Row]:
    """Give the commits of one project positions by date; equal dates by hash."""
    ordered = sorted(rows, key=lambda row: (row["commit_date"], row["commit"]))
    return [_complete(row, position) for position, row in enumerate(ordered)]


def _complete(row: Row, position: int) -> Row:
    """Return the row with its position; what git did not tell is empty, not null."""
    unknown: Row = {"parents": [], "subject": "", "author": "", "tags": []}
    told = {name: value for name, value in row.items() if value is not None}
    return unknown | told | {"position": position}


def positions_by_history(rows: Iterable[Row], chain: Iterable[GitCommit]) -> list[Row]:
    """Give the commits of one project positions on a chain; those off it stand by their date.

    Every commit of the chain counts, with results or without, so gaps are visible.
    """
    rows = list(rows)
    on_chain = {commit.commit: place for place, commit in enumerate(chain)}
    ranks: list[tuple[Any, ...]] = []
    newest = None
    for commit in chain:
        # Committers' clocks disagree: a place on the chain is never earlier than the one before.
        newest = commit.date if newest is None else max(newest, commit.date)
        ranks.append((newest, 0, on_chain[commit.commit], commit.commit))
    off_chain = [row for row in rows if row["commit"] not in on_chain]
    ranks += [(row["commit_date"], 1, 0, row["commit"]) for row in off_chain]
    place = {rank[-1]: position for position, rank in enumerate(sorted(ranks))}
    ordered = [_complete(row, place[row["commit"]]) for row in rows]
    return sorted(ordered, key=lambda row: row["position"])
