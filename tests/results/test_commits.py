"""Order, subjects, tags and branches of commits: from git, or order by date alone."""

import os
import random
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench.errors import BadUsage
from convbench.results import collect, load_table
from convbench.results import commits as commits_module
from convbench.results.commits import positions, read_history

START = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
PERSON = {
    f"GIT_{who}_{what}": "Ada" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


@dataclass(frozen=True)
class Repository:
    """A git repository made with plumbing: every commit has the empty tree and the wanted day."""

    path: Path

    def git(self, *arguments: str, text: bytes = b"", day: int = 1) -> str:
        date = f"{(START + timedelta(days=day)).timestamp():.0f} +0000"
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": os.environ["PATH"]}
        command = ["git", "-C", str(self.path), *arguments]
        environment = SETTINGS | PERSON | dates
        done = subprocess.run(command, input=text, env=environment, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def commit(self, *parents: str, day: int, subject: str = "") -> str:
        tree = self.git("mktree")
        named = [part for parent in parents for part in ("-p", parent)]
        return self.git("commit-tree", tree, *named, "-m", subject or f"day {day}", day=day)

    def branch(self, name: str, commit: str) -> None:
        self.git("update-ref", f"refs/heads/{name}", commit)

    def odd(self, content: bytes, *parents: str) -> str:
        """A commit object of any content behind its tree and parents."""
        lines = [f"tree {self.git('mktree')}\n", *(f"parent {parent}\n" for parent in parents)]
        text = "".join(lines).encode() + content
        return self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", text=text)


def made(path: Path, *options: str) -> Repository:
    path.mkdir()
    repo = Repository(path)
    repo.git("init", "-q", *options)
    repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    return repo


@pytest.fixture
def repo(tmp_path) -> Repository:
    return made(tmp_path / "repo")


def line(repo: Repository, *days: int) -> list[str]:
    """Commits of these days, each the parent of the next; the last is the tip of main."""
    commits: list[str] = []
    for day in days:
        commits.append(repo.commit(*commits[-1:], day=day))
    repo.branch("main", commits[-1])
    return commits


def table_row(commit: str, day: int = 1) -> dict[str, object]:
    return {"project": "p", "commit": commit, "commit_date": START + timedelta(days=day)}


def ordered(repo: Repository, rows: list[dict[str, object]]) -> dict[str, int]:
    """Position by commit, in the order of positions."""
    history = read_history(repo.path, [str(row["commit"]) for row in rows])
    return {row["commit"]: row["position"] for row in positions(rows, history)}


def facts(repo: Repository, commit: str) -> dict[str, object]:
    [row] = positions([table_row(commit)], read_history(repo.path, [commit]))
    return row


# Laws, on random graphs with random clocks; git itself is the oracle.


@dataclass(frozen=True)
class RandomGraph:
    repo: Repository
    days: dict[str, int]
    branches: dict[str, str]
    asked: list[str]

    def chain(self, tip: str) -> list[str]:
        return self.repo.git("log", "--first-parent", "--format=%H", tip).split()

    def is_ancestor(self, older: str, newer: str) -> bool:
        command = ["git", "-C", str(self.repo.path), "merge-base", "--is-ancestor", older, newer]
        return subprocess.run(command, check=False).returncode == 0


@pytest.fixture(params=range(4))
def graph(request, repo) -> RandomGraph:
    rng = random.Random(request.param)
    days: dict[str, int] = {}
    for number in range(16):
        parents = rng.sample(list(days)[-5:], k=min(len(days), rng.choice([0, 1, 1, 1, 2, 3])))
        day = rng.randrange(10)
        days[repo.commit(*parents, day=day, subject=f"commit {number}")] = day
    branches = {name: rng.choice(list(days)[4:]) for name in ("a", "b/c", "d", "main")}
    for name, tip in branches.items():
        repo.branch(name, tip)
    return RandomGraph(repo, days, branches, sorted(rng.sample(list(days), k=7)))


def test_parents_stand_before_children_and_nothing_but_chain_and_asked_is_ranked(graph):
    ranked = list(read_history(graph.repo.path, graph.asked).ranked)

    assert sorted(ranked) == sorted({*graph.asked, *graph.chain("main")})
    for place, older in enumerate(ranked):
        for newer in ranked[place + 1 :]:
            assert not graph.is_ancestor(newer, older)


def test_the_order_does_not_depend_on_the_order_of_the_question(graph):
    backwards = read_history(graph.repo.path, graph.asked[::-1] * 2)

    assert list(backwards.ranked) == list(read_history(graph.repo.path, graph.asked).ranked)


def test_an_unknown_commit_stands_before_the_first_ranked_one_with_a_later_date(graph):
    unknown = {f"{day:x}" * 40: day for day in range(10)}
    known = list(read_history(graph.repo.path, graph.asked).ranked)

    rows = [table_row(c, graph.days[c]) for c in graph.asked]
    places = ordered(graph.repo, rows + [table_row(c, day) for c, day in unknown.items()])

    for commit, day in unknown.items():
        later = [place for place, c in enumerate(known) if graph.days[c] > day]
        before = min(later, default=len(known))
        assert places[commit] == before + sum(other < day for other in unknown.values())


def test_a_commit_has_the_branches_whose_first_parent_chain_holds_it(graph):
    for commit, git in read_history(graph.repo.path, graph.asked).known.items():
        holding = [name for name, tip in graph.branches.items() if commit in graph.chain(tip)]
        assert list(git.branches) == sorted(holding)


# Order, case by case.


def test_a_chain_keeps_its_order_when_the_clocks_of_its_committers_disagree(repo):
    chain = line(repo, 9, 1, 5, 2)

    assert list(ordered(repo, [table_row(commit) for commit in chain])) == chain


def test_unrelated_lines_are_merged_by_date(repo):
    chain = line(repo, 1, 3, 5)
    first = repo.commit(day=2)
    second = repo.commit(first, day=4)  # unmerged, and no branch holds it

    places = ordered(repo, [table_row(commit) for commit in (second, first)])

    assert places == {first: 1, second: 3}
    assert list(read_history(repo.path, [first, second]).ranked) == [
        *(chain[0], first, chain[1], second, chain[2])
    ]


def test_commits_without_results_count_on_the_chain_but_not_on_a_merged_branch(repo):
    root, last = line(repo, 1, 2)
    side = repo.commit(root, day=3)
    tip = repo.commit(side, day=4)
    merge = repo.commit(last, tip, day=5)
    repo.branch("main", merge)

    assert ordered(repo, [table_row(merge)]) == {merge: 2}
    assert ordered(repo, [table_row(merge), table_row(tip)]) == {tip: 2, merge: 3}


def test_without_a_repository_dates_order_and_equal_dates_are_ordered_by_hash():
    rows = [table_row("c", -40_000), table_row("b", 1), table_row("a", 1)]

    assert [row["commit"] for row in positions(rows)] == ["c", "a", "b"]
    assert [row["position"] for row in positions(rows)] == [0, 1, 2]


def test_what_git_does_not_tell_stays_as_it_was_or_is_empty(repo):
    line(repo, 1)
    before = table_row("f" * 40) | {"subject": "told before", "tags": None}

    [after] = positions([before], read_history(repo.path, ["f" * 40]))

    assert after == before | {
        **{"parents": [], "tags": [], "branches": [], "author": ""},
        "position": 1,
    }


def test_what_git_says_today_replaces_what_it_said(repo):
    [commit] = line(repo, 1)
    before = table_row(commit) | {"position": 7, "tags": ["moved"], "branches": ["deleted"]}

    [after] = positions([before], read_history(repo.path, [commit]))

    assert (after["position"], after["tags"], after["branches"]) == (0, [], ["main"])


def test_dates_are_the_authors_as_in_results_and_unreadable_ones_hold_nothing_back(repo):
    seconds = [f"{(START + timedelta(days=day)).timestamp():.0f}" for day in (1, 5)]
    undated = repo.odd(b"author A\ncommitter C\n\nundated")
    content = "author A <a> {} +0000\ncommitter C <c> {} +0000\n\nrebased".format(*seconds)
    repo.branch("main", repo.odd(content.encode(), undated))
    unknown = {"a" * 40: -50_000, "b" * 40: 0, "c" * 40: 3}

    places = ordered(repo, [table_row(commit, day) for commit, day in unknown.items()])

    assert list(places.values()) == [1, 2, 4]  # undated is 0 and rebased is 3


def test_tens_of_thousands_of_hashes_may_be_asked(repo):
    chain = line(repo, 1, 2)

    history = read_history(repo.path, [*chain, *(f"{number:040x}" for number in range(30_000))])

    assert list(history.ranked) == sorted(history.known, key=chain.index) == chain


# What is not simply a hash of this repository.


def test_only_full_hashes_are_asked(repo):
    [commit] = line(repo, 1)
    repo.branch("b" * 64, commit)  # names the commit, but is not its hash
    tree, tag = repo.git("mktree"), repo.git("mktag", text=tag_of(commit))

    history = read_history(repo.path, [commit[:8], "b" * 64, "HEAD", "a\nb", "", tree, tag])

    assert history.known == {}


def tag_of(target: str, kind: str = "commit") -> bytes:
    return f"object {target}\ntype {kind}\ntag v\ntagger A <a> 1 +0000\n\nv\n".encode()


def test_tags_of_every_kind_lead_to_their_commit(repo):
    first, second = line(repo, 1, 2)
    annotated = repo.git("mktag", text=tag_of(second))
    targets = {"v2": annotated, "v10": second, "of a tag": "", "a/b": second, "v0": first}
    targets["nested"] = repo.git("mktag", text=tag_of(annotated, "tag"))
    targets["tree"] = repo.git("mktree")
    for name, target in targets.items():
        if target:
            repo.git("update-ref", f"refs/tags/{name}", target)

    assert facts(repo, second)["tags"] == ["a/b", "nested", "v10", "v2"]
    assert facts(repo, first)["tags"] == ["v0"]


def test_branches_that_are_tracked_count_but_not_the_other_name_of_one(repo):
    [commit] = line(repo, 1)
    repo.git("update-ref", "refs/remotes/origin/main", commit)
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")

    assert facts(repo, commit)["branches"] == ["main", "origin/main"]


def test_a_reference_to_nothing_is_passed_over(repo):
    [commit] = line(repo, 1)
    for ref in ("heads/gone", "tags/gone", "remotes/origin/gone"):
        path = repo.path / ".git/refs" / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("d" * 40 + "\n")

    assert (facts(repo, commit)["branches"], facts(repo, commit)["tags"]) == (["main"], [])


def test_of_too_many_branches_the_local_and_the_newest_are_listed(repo, monkeypatch):
    chain = line(repo, 1)
    for day in (3, 4, 2):
        repo.git("update-ref", f"refs/remotes/origin/{day}", repo.commit(*chain, day=day))
    monkeypatch.setattr(commits_module, "_MOST_BRANCHES", 2)

    assert facts(repo, chain[0])["branches"] == ["main", "origin/4"]


# Repositories of every form.


def test_a_detached_head_has_a_chain_and_no_branch(repo):
    chain = line(repo, 1, 2)
    repo.git("update-ref", "--no-deref", "HEAD", chain[0])
    repo.git("checkout", "-q", "--detach", chain[1])
    repo.git("update-ref", "-d", "refs/heads/main")

    assert list(read_history(repo.path, []).ranked) == chain
    assert facts(repo, chain[0])["branches"] == []


def test_a_bare_repository_and_a_folder_within_a_clone_are_as_good(repo, tmp_path):
    chain = line(repo, 1, 2)
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    (repo.path / "folder").mkdir()

    whole = read_history(repo.path, chain)

    assert read_history(tmp_path / "bare", chain) == whole
    assert read_history(repo.path / "folder", chain) == whole


def test_a_shallow_clone_knows_its_end_and_the_rest_stands_by_date(repo, tmp_path):
    chain = line(repo, 1, 2, 3, 4)
    repo.git("clone", "-q", "--depth=2", repo.path.as_uri(), str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")

    rows = [table_row(commit, day) for day, commit in enumerate(chain, 1)]

    assert list(read_history(shallow.path, chain).known) == sorted(chain[2:])
    assert list(ordered(shallow, rows)) == chain


def test_a_repository_of_sha256_has_hashes_of_64_digits(tmp_path):
    repo = made(tmp_path / "repo", "--object-format=sha256")
    chain = line(repo, 1, 2)

    assert len(chain[0]) == 64
    assert sorted(read_history(repo.path, [*chain, chain[0][:40]]).known) == sorted(chain)


# Refusals are one line.


def is_one_line(error: pytest.ExceptionInfo[BadUsage]) -> bool:
    return len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("form", ["no folder", "a file", "a plain folder", "an empty repository"])
def test_what_has_no_history_is_refused(tmp_path, form):
    path = tmp_path / "given"
    if form == "a file":
        path.touch()
    elif form == "a plain folder":
        path.mkdir()
    elif form == "an empty repository":
        made(path)

    with pytest.raises(BadUsage, match=r"--repo .*given: expected a git repository with") as error:
        read_history(path, [])

    assert is_one_line(error)


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_ancestor_is_refused_with_its_hash(repo, damage):
    chain = line(repo, 1, 2, 3)
    damage_object(repo, chain[0], damage)

    with pytest.raises(BadUsage, match="expected a git repository with") as error:
        read_history(repo.path, chain)

    assert is_one_line(error)
    assert chain[0] in str(error.value) or chain[1] in str(error.value)


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_commit_beside_the_history_is_unknown(repo, damage):
    chain = line(repo, 1, 2)
    beside = repo.commit(day=3)
    damage_object(repo, beside, damage)

    assert sorted(read_history(repo.path, [*chain, beside]).known) == sorted(chain)


def damage_object(repo: Repository, name: str, content: bytes | None) -> None:
    path = repo.path / ".git/objects" / name[:2] / name[2:]
    path.unlink()
    if content is not None:
        path.write_bytes(content)


def test_git_is_needed(repo, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BadUsage, match=r"needs git.*install git"):
        read_history(repo.path, [])


# Commits that no git command would write.

LATE = 9_400_000_000_000  # in the year 299,843


@pytest.mark.parametrize(
    ("content", "author", "subject"),
    [
        (b"author A <a> 1 +0000\ncommitter C <c> 1 +0000\n\ntwo\nlines\n\nbody", "A", "two lines"),
        (b"author A\x1eB <a> 1 +0000\ncommitter C <c> 1 +0000\n\na\x1eb\tc", "A\x1eB", "a\x1eb\tc"),
        (b"author A <a> 1 +0000\ncommitter C <c> 1 +0000\n\nbefore\0after", "A", "before"),
        (b"author \xff <a> 1 +0000\ncommitter C <c> 1 +0000\n\n\xfe!", "\ufffd", "\ufffd!"),
        (
            b"author \xe9 <a> 1 +0000\ncommitter C <c> 1 +0000\nencoding ISO-8859-1\n\n\xe9t\xe9",
            *("é", "été"),
        ),
        (
            b"author %b <a> 1 +0000\ncommitter C <c> 1 +0000\n\n%b" % (b"n" * 10**6, b"s" * 10**6),
            *("n" * 200, "s" * 200),
        ),
        (b"author A <a> -86400 +0000\ncommitter C <c> -86400 +0000\n\nearly", "A", "early"),
        (b"author A <a> %d +0000\ncommitter C <c> %d +0000\n\nlate" % (LATE, LATE), "A", "late"),
        (b"author A <a> %b +0000\ncommitter C <c> 1 +0000\n\nhuge" % (b"9" * 99), "A", "huge"),
        (b"author nobody\ncommitter nobody\n\nno dates", "", "no dates"),
        (b"\n", "", ""),
    ],
    ids=lambda value: None if isinstance(value, str) else value[-12:],
)
def test_an_odd_commit_is_read_and_keeps_its_place(repo, content, author, subject):
    [first] = line(repo, 1)
    repo.git("config", "i18n.logOutputEncoding", "ISO-8859-1")
    odd = repo.odd(content, first)
    last = repo.commit(odd, day=3)
    repo.branch("main", last)

    git = read_history(repo.path, [odd]).known[odd]

    assert (git.author, git.subject, git.parents) == (author, subject, (first,))
    assert list(ordered(repo, [table_row(c) for c in (last, odd, first)])) == [first, odd, last]


# Nothing that a repository names is run, and no other repository is read.


def test_nothing_that_the_configuration_names_is_run(repo, tmp_path):
    [commit] = line(repo, 1)
    ran, program = tmp_path / "ran", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    settings = {
        **{"core.fsmonitor": program, "core.pager": program, "gpg.program": program},
        **{
            "core.hooksPath": tmp_path,
            "alias.rev-list": f"!{program}",
            "log.showSignature": "true",
        },
        # A partial clone asks its origin for what it does not have.
        **{"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin"},
        **{"remote.origin.url": f"ext::{program}", "protocol.ext.allow": "always"},
    }
    for name, value in settings.items():
        repo.git("config", name, str(value))

    history = read_history(repo.path, [commit, "f" * 40])

    assert (list(history.known), ran.exists()) == ([commit], False)
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("cat-file", "-e", "f" * 40)
    assert ran.exists()  # by git as it is


def test_the_variables_of_a_hook_do_not_lead_to_another_repository(repo, tmp_path, monkeypatch):
    chain = line(repo, 7)
    other = made(tmp_path / "other")
    line(other, 1, 2, 3)
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git/objects"))

    assert list(read_history(repo.path, chain).known) == chain


# Through a collection.


@pytest.fixture
def results(tmp_path, repo) -> Path:
    """Results of both ends of a chain (the middle's clock is late) and of an unknown commit."""
    first, _, last = line(repo, 2, 9, 4)
    repo.git("tag", "v1", last)
    days = {first: 2, last: 4, "f" * 40: 6}
    files = {
        f"m/{commit[:8]}-py.json": result_file(
            {"a": row([1.0])},
            commit_hash=commit,
            date=int((START + timedelta(days=day)).timestamp() * 1000),
        )
        for commit, day in days.items()
    }
    return write_source(tmp_path / "p", files)


def test_a_collection_takes_order_and_facts_from_the_repository(results, repo, tmp_path):
    collect(results, tmp_path / "store", repo=repo.path)

    commits = load_table(tmp_path / "store", "commits").sort_values("position")

    assert commits["subject"].tolist() == ["day 2", "", "day 4"]
    assert commits["position"].tolist() == [0, 1, 3]  # the middle has no results and position 2
    assert [list(tags) for tags in commits["tags"]] == [[], [], ["v1"]]
    assert [list(names) for names in commits["branches"]] == [["main"], [], ["main"]]
    assert commits["author"].tolist() == ["Ada", "", "Ada"]
    assert list(commits["parents"].iloc[2]) == [repo.git("rev-parse", "main^")]


def test_new_results_without_the_repository_are_ordered_by_date_and_known_facts_stay(
    results, repo, tmp_path
):
    collect(results, tmp_path / "store", repo=repo.path)
    (results / "m/new.json").write_text(result_file({"a": row([1.0])}, commit_hash="e" * 40))
    collect(results, tmp_path / "store")

    commits = load_table(tmp_path / "store", "commits").sort_values("position")

    assert commits["subject"].tolist() == ["", "day 2", "day 4", ""]  # the new one is of 2023
    assert commits["position"].tolist() == [0, 1, 2, 3]
