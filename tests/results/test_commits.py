"""Order, subjects and tags of commits: from git where there is a repository, else by date."""

import subprocess
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench.errors import BadUsage
from convbench.results import collect, load_table


def git(repo: Path, *arguments: str, day: int = 1) -> str:
    date = f"2024-01-{day:02d}T00:00:00Z"
    environment = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin"}
    environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    names = [
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@example.org",
        "-c",
        "init.defaultBranch=main",
    ]
    done = subprocess.run(
        ["git", "-C", str(repo), *names, *arguments],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path) -> Path:
    """Commits one, two, three on the chain (two's clock is late); a merged branch with side."""
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q")
    for day, subject in ((2, "one"), (9, "two")):
        git(repo, "commit", "--allow-empty", "-qm", subject, day=day)
    git(repo, "checkout", "-qb", "branch")
    git(repo, "commit", "--allow-empty", "-qm", "side", day=5)
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", "three", "branch", day=4)
    git(repo, "tag", "v1", "HEAD")
    git(repo, "tag", "-am", "annotated", "v2", "HEAD")
    return repo


@pytest.fixture
def results(tmp_path, repo) -> Path:
    """Results of three, one and side, and of a commit from elsewhere dated between one and two."""
    dates = {"HEAD": 4, "HEAD~2": 2, "branch": 5}
    commits = {git(repo, "rev-parse", name): day for name, day in dates.items()} | {"f" * 40: 6}
    files = {
        f"m/{commit[:8]}-py.json": result_file(
            {"a": row([1.0])}, commit_hash=commit, date=1_704_067_200_000 + (day - 1) * 86_400_000
        )
        for commit, day in commits.items()
    }
    return write_source(tmp_path / "p", files)


def test_the_first_parent_chain_orders_commits_and_others_stand_by_date(results, repo, tmp_path):
    collect(results, tmp_path / "store", repo=repo)

    commits = load_table(tmp_path / "store", "commits").sort_values("position")

    assert commits["subject"].tolist() == ["one", "side", "", "three"]
    assert commits["position"].tolist() == [0, 1, 2, 4]  # "two" has no results and position 3


def test_git_gives_parents_author_and_tags(results, repo, tmp_path):
    collect(results, tmp_path / "store", repo=repo)

    commits = load_table(tmp_path / "store", "commits").set_index("subject")

    assert list(commits.loc["three", "tags"]) == ["v1", "v2"]
    assert list(commits.loc["three", "parents"]) == [
        git(repo, "rev-parse", "HEAD~1"),
        git(repo, "rev-parse", "branch"),
    ]
    assert commits.loc["one", "author"] == "Ada"
    assert list(commits.loc["", "tags"]) == []


def test_without_a_repository_dates_order_and_known_subjects_stay(results, repo, tmp_path):
    collect(results, tmp_path / "store", repo=repo)
    collect(results, tmp_path / "store")

    commits = load_table(tmp_path / "store", "commits").sort_values("position")

    assert commits["subject"].tolist() == ["one", "three", "side", ""]
    assert commits["position"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_that_is_no_repository_is_one_line(results, tmp_path, make):
    if make:
        (tmp_path / "plain").mkdir()

    with pytest.raises(BadUsage, match=r"--repo .*expected a git repository.*"):
        collect(results, tmp_path / "store", repo=tmp_path / "plain")
