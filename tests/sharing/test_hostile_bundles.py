"""Whoever can push can lie: what a manifest says decides nothing outside of the folder."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_runs import files_below, write_run

from convbench import cli
from convbench.results.collection import say_nothing
from convbench.sharing import open_place, pull, pull_as_asv, push
from convbench.sharing.bundles import (
    MAX_FILES,
    BadBundle,
    Content,
    Manifest,
    check_paths,
    parse_manifest,
)

FINE = Content.of(b"{}")


def manifest(files: dict[str, Content], **changes: str) -> Manifest:
    said = {"kind": "run", "name": "evil", "project": "p", "pushed_by": "x"}
    said |= {"pushed_at": "2026-11-30T00:00:00+00:00"}
    return Manifest(files=files, **(said | changes))


def plant(place: Path, made: Manifest, contents: dict[str, bytes]) -> str:
    """Put a bundle into a folder as somebody would who has a file manager."""
    folder = place / made.bundle
    folder.mkdir(parents=True)
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "manifest.json").write_bytes(made.to_bytes())
    return made.bundle


@pytest.fixture
def scene(tmp_path) -> tuple[Path, Path]:
    """A place with one good bundle, and the folder beside it that nothing may leave."""
    write_run(tmp_path / "runs", 1)
    push([tmp_path / "runs"], open_place(str(tmp_path / "place")), say=say_nothing)
    (tmp_path / "out").mkdir()
    return tmp_path / "place", tmp_path / "out"


@pytest.mark.parametrize(
    "path",
    [
        *("../escaped.json", "m/../../escaped.json", "/etc/escaped.json", "..", ".", ""),
        *(".git/config", ".git", "m/.hidden.json", "a/b/c.json", "m//a.json", "m/"),
        *("a\x1b[2J.json", "new\nline.json", "right\u202eleft.json", "back\\slash", "nul\0.json"),
        *("x" * 256, "manifest.json", "\ud800.json"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_and_the_others_come(scene, path):
    place, out = scene
    made = manifest({path: FINE, "ok.json": FINE})
    plant(place, made, {"ok.json": b"{}"})

    for bring, into in ((pull, "plain"), (pull_as_asv, "asv")):
        done = bring(open_place(str(place)), out / into)
        assert len(done.refused) == 1
        assert done.refused[0].isprintable()
        assert done.pulled
    assert {name.split("/")[1] for name in files_below(out)} == {"m-0001", "m", "benchmarks.json"}
    assert not [path for path in out.parent.rglob("*escaped*") if "place" not in path.parts]


@pytest.mark.parametrize("name", ["..", ".git", "a/b", "x\x1b[2J", "", "n" * 300])
def test_the_name_of_a_run_leads_nowhere_else(scene, name):
    place, out = scene
    plant(place, manifest({"ok.json": FINE}, name=name), {"ok.json": b"{}"})

    pull(open_place(str(place)), out / "there")

    assert {path.parent for path in (out / "there").iterdir()} == {out / "there"}
    assert all(path.name.isprintable() for path in (out / "there").iterdir())
    assert {path.name for path in out.iterdir()} == {"there"}


def test_a_damaged_copy_under_another_name_does_not_hide_the_good_one(scene):
    place, out = scene
    (good,) = open_place(str(place)).names()
    said = parse_manifest((place / good / "manifest.json").read_bytes())
    for name in ("aaa", "zzz"):
        plant(place, manifest(dict(said.files), name=name), {})

    done = pull(open_place(str(place)), out / "there")

    assert done.pulled == ["m-0001"]
    assert len(done.refused) == 2


def test_links_are_not_followed(scene, tmp_path):
    place, out = scene
    secret = tmp_path / "secret"
    secret.write_bytes(b"{}")
    bundle = plant(place, manifest({"ok.json": FINE}), {})
    (place / bundle / "ok.json").symlink_to(secret)
    second = plant(place, manifest({"m/ok.json": FINE}), {})
    (tmp_path / "m").mkdir()
    (tmp_path / "m/ok.json").write_bytes(b"{}")
    (place / second / "m").symlink_to(tmp_path / "m")

    done = pull(open_place(str(place)), out / "there")

    assert len(done.refused) == 2
    assert done.pulled == ["m-0001"]


def test_a_named_pipe_does_not_block(scene):
    place, out = scene
    bundle = plant(place, manifest({"ok.json": FINE}), {})
    os.mkfifo(place / bundle / "ok.json")

    assert len(pull(open_place(str(place)), out / "there").refused) == 1


def test_a_link_is_never_pushed(tmp_path):
    run = write_run(tmp_path / "runs", 1)
    (tmp_path / "secret").write_text("secret")
    (run / "m/stolen.json").symlink_to(tmp_path / "secret")
    (run / "stolen").symlink_to(tmp_path)

    push([tmp_path / "runs"], open_place(str(tmp_path / "place")), say=say_nothing)

    assert not [path for path in files_below(tmp_path / "place") if "stolen" in path]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "3", '{"format": 2}', "[" * 100_000, "\xff"),
        *('{"format": 1}', '{"format": 1, "kind": "run", "files": []}'),
    ],
)
def test_a_manifest_that_is_none_is_refused_in_one_line(scene, capsys, text):
    place, out = scene
    bundle = plant(place, manifest({"ok.json": FINE}), {"ok.json": b"{}"})
    (place / bundle / "manifest.json").write_bytes(text.encode("latin-1"))

    code = cli.main(["pull", str(out / "there"), "--place", str(place)])

    said = capsys.readouterr().out.splitlines()
    assert code == 2
    assert said[0].startswith(f"not pulled: {bundle} in {place}: manifest.json")
    assert len(said) == 2
    assert (out / "there/m-0001").is_dir()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "store"},
        {"name": 3},
        {"name": "x\x1b[2J"},
        {"project": None},
        {"pushed_at": "x" * 300},
        {"files": {}},
        {"files": {"a.json": 3}},
        {"files": {"a.json": {"sha256": "0", "size": 2}}},
        {"files": {"a.json": {"sha256": FINE.sha256, "size": -1}}},
        {"files": {"a.json": {"sha256": FINE.sha256, "size": True}}},
        {"files": {"a.json": {"sha256": FINE.sha256, "size": 10**15}}},
        {"files": {key: {"sha256": FINE.sha256, "size": 2} for key in ("a", "a/b")}},
    ],
)
def test_a_manifest_of_other_types_is_refused(change: dict[str, Any]):
    said = json.loads(manifest({"a.json": FINE}).to_bytes()) | change

    with pytest.raises(BadBundle):
        parse_manifest(json.dumps(said).encode())


def test_too_many_files_are_refused():
    with pytest.raises(BadBundle, match="10,001 files; at most 10,000"):
        check_paths({f"{number}.json": FINE for number in range(MAX_FILES + 1)})


def test_too_many_bytes_are_refused_before_they_are_read(scene):
    place, out = scene
    files = {f"{number}.json": Content(f"{number:064x}", 128_000_000) for number in range(20)}
    plant(place, manifest(files), {})

    (refused,) = pull(open_place(str(place)), out / "there").refused

    assert refused.endswith("2,560,000,000 bytes; at most 2,000,000,000 are taken")


def test_a_file_that_is_longer_than_the_manifest_says_is_not_read_to_its_end(scene):
    place, out = scene
    bundle = plant(place, manifest({"ok.json": FINE}), {})
    with (place / bundle / "ok.json").open("wb") as file:
        file.truncate(50_000_000_000)  # sparse

    (refused,) = pull(open_place(str(place)), out / "there").refused

    assert refused.endswith("ok.json: more than 2 bytes")


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_whatever_path_is_accepted_stays_inside(path):
    try:
        check_paths({path: FINE})
    except BadBundle:
        return

    assert os.path.normpath(f"/folder/{path}") == f"/folder/{path}"
    assert path.isprintable()
    assert not any(part.startswith(".") for part in path.split("/"))


class Repository:
    """A bare repository whose trees no decent program would write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.git("init", "--quiet", "--bare")

    def git(self, *words: str, text: bytes = b"") -> str:
        self._path.mkdir(exist_ok=True)
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words]
        answer = subprocess.run(
            command, input=text, capture_output=True, check=True, cwd=self._path
        )
        return answer.stdout.decode().strip()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", text=content)

    def tree(self, **entries: tuple[str, str]) -> str:
        """Write a tree of modes and objects by name."""
        raw = b"".join(
            f"{mode} {name}\0".encode() + bytes.fromhex(hashed)
            for name, (mode, hashed) in sorted(entries.items())
        )
        return self.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", text=raw)


def test_a_branch_with_links_and_paths_into_git_reaches_no_file_system(tmp_path):
    repository = Repository(tmp_path / "shared.git")
    blob = repository.blob(b"{}")
    hooks = repository.tree(**{"post-checkout": ("100755", blob)})
    folders = {".git": ("40000", hooks), "..": ("40000", hooks)}
    for mode, what in (("120000", repository.blob(b"/etc/passwd")), ("160000", "1" * 40)):
        made = manifest({"ok.json": FINE, f"{mode}.json": FINE}, name=f"mode-{mode}")
        text = ("100644", repository.blob(made.to_bytes()))
        inner = repository.tree(**{"manifest.json": text, "ok.json": (mode, what)})
        folders[made.bundle] = ("40000", inner)
    commit = repository.git("commit-tree", repository.tree(**folders), "-m", "hostile")
    repository.git("update-ref", "refs/heads/results", commit)
    place_text = f"git+file://{tmp_path}/shared.git#results"

    write_run(tmp_path / "runs", 1)
    push([tmp_path / "runs"], open_place(place_text), say=say_nothing)
    done = pull(open_place(place_text), tmp_path / "out/there")

    assert done.pulled == ["m-0001"]
    assert len(done.refused) == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"there"}
    assert not list((tmp_path / "out").rglob("post-checkout"))


def test_the_repository_here_is_not_touched(tmp_path, monkeypatch):
    project, shared = tmp_path / "project", tmp_path / "shared.git"
    subprocess.run(["git", "init", "-q", "--bare", str(shared)], check=True)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    subprocess.run(["git", "-C", str(project), "remote", "add", "team", str(shared)], check=True)
    (project / "staged").write_text("staged")
    subprocess.run(["git", "-C", str(project), "add", "staged"], check=True)
    write_run(project / "results/runs", 1)
    before = {
        path: path.read_bytes() for path in sorted((project / ".git").rglob("*")) if path.is_file()
    }
    monkeypatch.chdir(project)
    # As in a hook of git, which says by variables where its repository is.
    monkeypatch.setenv("GIT_DIR", str(project / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(project / ".git/index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(project / ".git/objects"))

    assert cli.main(["push", "results/runs", "--place", "git+team#results"]) == 0
    assert cli.main(["pull", "there", "--place", "git+team#results"]) == 0

    after = {
        path: path.read_bytes() for path in sorted((project / ".git").rglob("*")) if path.is_file()
    }
    assert after == before
    assert (project / "there/m-0001").is_dir()
