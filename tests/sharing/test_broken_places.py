"""A place that can't be used is one line and exit code 2; nothing is lost, the rest still comes."""

import contextlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared_places import make_place
from shared_runs import files_below, write_run

from convbench import cli
from convbench.results.collection import say_nothing
from convbench.sharing import open_place, pull, push

SECRET = "never-to-be-seen"


@pytest.fixture
def runs(tmp_path) -> Path:
    for number in range(3):
        write_run(tmp_path / "runs", number)
    return tmp_path / "runs"


@pytest.fixture
def complains(capsys):
    """Check that a command ends with code 2 and one line, which is returned, on stderr."""

    def check(*words: str) -> str:
        capsys.readouterr()
        assert cli.main([*words]) == 2
        out, error = capsys.readouterr()
        assert error.count("\n") == 1, (out, error)
        assert error.startswith("convbench: ")
        assert SECRET not in out + error
        return error

    return check


def shared(place_text: str, runs: Path) -> list[str]:
    return push([runs], open_place(place_text), say=say_nothing).pushed


def test_an_empty_place_has_nothing(place_text, tmp_path, capsys):
    assert cli.main(["pull", str(tmp_path / "there"), "--place", place_text]) == 0
    assert capsys.readouterr().out.startswith("nothing new in ")
    assert cli.main(["pull", str(tmp_path / "there"), "--place", place_text, "--as-asv"]) == 0


def damage(place_text: str, bundle: str, path: str, content: bytes) -> None:
    """Replace a file of a bundle behind the back of everybody."""
    if place_text.startswith("s3://"):
        place = open_place(place_text)
        place.client.put_object(Bucket=place.bucket, Key=f"results/{bundle}/{path}", Body=content)
    elif place_text.startswith("git+"):
        url, _, branch = place_text.removeprefix("git+").partition("#")
        clone = Path(url.removeprefix("file://")).parent / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        git = ["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "clone", "-q", "-b", branch, url, str(clone)], check=True)
        (clone / bundle / path).write_bytes(content)
        subprocess.run([*git, "commit", "-qam", "damage"], check=True)
        subprocess.run([*git, "push", "-q"], check=True)
    else:
        (Path(place_text) / bundle / path).write_bytes(content)


def test_a_damaged_file_is_told_and_the_others_come(place_text, runs, tmp_path, capsys):
    check_damage(place_text, runs, tmp_path, capsys, "asv.log", "changed")


@pytest.mark.parametrize("path", ["manifest.json", "asv.log", "m/00000001-py.json"])
@pytest.mark.parametrize("how", ["truncated", "empty", "changed"])
def test_whatever_is_damaged_in_a_folder_is_told(runs, tmp_path, capsys, path, how):
    check_damage(str(tmp_path / "shared"), runs, tmp_path, capsys, path, how)


def check_damage(place_text, runs, tmp_path, capsys, path: str, how: str) -> None:
    """Damage a file of one of three bundles, pull, mend it, and pull again."""
    bundles = shared(place_text, runs)
    (bundle,) = [name for name in bundles if name.startswith("m-0001")]
    whole = open_place(place_text).read(bundle, path, 10**6)
    changes = {"truncated": whole[:-9], "empty": b"", "changed": whole[:-9] + b"x" * 9}
    damage(place_text, bundle, path, changes[how])

    code = cli.main(["pull", str(tmp_path / "there"), "--place", place_text])

    out = capsys.readouterr().out
    assert code == 2
    assert out.count("not pulled: ") == 1
    assert f"not pulled: {bundle} in " in out
    assert {run.name for run in (tmp_path / "there").glob("m-*")} == {"m-0000", "m-0002"}
    damage(place_text, bundle, path, whole)
    assert cli.main(["pull", str(tmp_path / "there"), "--place", place_text]) == 0
    assert files_below(tmp_path / "there") == files_below(runs)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("away/place", "is no folder; is it mounted?"),
        ("a-file", "a-file is a file; expected a folder"),
        ("ftp://host/x", "no such kind; a place is a folder, git+https"),
        ("git+https://host/x", "expected #BRANCH at its end"),
        ("git+https://host/x#a..b", "expected #BRANCH at its end"),
        ("git+https://host/x#-f", "expected #BRANCH at its end"),
        ("git+ext::sh -c true#b", "expected git+https://"),
        ("git+--upload-pack=x#b", "expected git+https://"),
        ("git+nowhere#b", "the repository here has no remote 'nowhere'"),
        ("git+file:///no/such/repository.git#b", "can't be read: "),
        (f"git+https://me:{SECRET}@127.0.0.1:1/x.git#b", "can't be read: fatal: unable to access"),
        (f"git+https://me:{SECRET}@x@127.0.0.1:1/x.git#b", "can't be read: fatal: unable to acc"),
        ("s3://", "expected s3://BUCKET/PREFIX"),
        ("s3://UPPER/x", "expected s3://BUCKET/PREFIX"),
    ],
)
def test_a_place_that_is_none_is_told(complains, tmp_path, monkeypatch, place, message):
    write_run(tmp_path / "runs", 1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()

    assert message in complains("push", "runs", "--place", place)
    assert message in complains("pull", "there", "--place", place)


def test_a_folder_for_results_that_is_a_file_is_told(complains, tmp_path):
    (tmp_path / "there").touch()

    for option in ([], ["--as-asv"]):
        words = ["pull", str(tmp_path / "there"), "--place", str(tmp_path / "place"), *option]
        assert "there is a file; give a folder" in complains(*words)


def test_a_branch_that_refuses_pushes_is_told_at_once(runs, complains, request, tmp_path):
    place_text = make_place("git", request, tmp_path)
    hook = tmp_path / "shared.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    message = complains("push", str(runs), "--place", place_text)

    assert "can't be written: " in message
    assert "pre-receive hook declined" in message


def test_a_damaged_cache_is_made_anew(runs, request, tmp_path):
    place_text = make_place("git", request, tmp_path)
    shared(place_text, runs)
    pull(open_place(place_text), tmp_path / "before")
    (cache,) = (tmp_path / "cache/convbench/shared").iterdir()
    for path in (cache / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"")

    pull(open_place(place_text), tmp_path / "there")

    assert files_below(tmp_path / "there") == files_below(runs)


def test_locks_of_a_git_that_was_killed_hold_up_nobody(runs, request, tmp_path):
    place_text = make_place("git", request, tmp_path)
    shared(place_text, runs)
    (cache,) = (tmp_path / "cache/convbench/shared").iterdir()
    for name in ("shallow.lock", "config.lock", "refs/shared/tip.lock", "refs/shared/new.lock"):
        (cache / name).touch()
    write_run(runs, 7)

    assert len(shared(place_text, runs)) == 1


def test_a_bucket_that_is_not_there_is_told(runs, complains, request, tmp_path):
    make_place("s3", request, tmp_path)

    assert "there is no such bucket" in complains("push", str(runs), "--place", "s3://absent/x")


def test_a_server_out_of_reach_is_told(runs, complains, request, tmp_path, monkeypatch):
    place_text = make_place("s3", request, tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:{SECRET}@127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    message = complains("push", str(runs), "--place", place_text)

    assert "http://127.0.0.1:1 does not answer" in message


def test_without_credentials_the_variables_are_named(complains, request, tmp_path, monkeypatch):
    place_text = make_place("s3", request, tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert "AWS_ACCESS_KEY_ID" in complains("pull", str(tmp_path / "x"), "--place", place_text)


class Refusing(http.server.BaseHTTPRequestHandler):
    """Refuses as S3 does."""

    code, status = "", 403

    def do_GET(self) -> None:
        text = f"<Error><Code>{self.code}</Code><Message>{SECRET}</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def refusing(code: str, status: int) -> Iterator[str]:
    handler = type("Handler", (Refusing,), {"code": code, "status": status})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("InvalidAccessKeyId", 403, "the server does not know this access key"),
        ("SignatureDoesNotMatch", 403, "the secret key is not that of the access key"),
        ("AccessDenied", 403, "these credentials may not do that"),
        ("MethodNotAllowed", 405, "the server says 'MethodNotAllowed'"),
    ],
)
def test_wrong_credentials_are_told(
    runs, complains, request, tmp_path, monkeypatch, code, status, message
):
    place_text = make_place("s3", request, tmp_path)
    with refusing(code, status) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert message in complains("push", str(runs), "--place", place_text)
        assert message in complains("pull", str(tmp_path / "there"), "--place", place_text)


def test_without_boto3_the_command_that_installs_it_is_named(runs, complains, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)

    message = complains("push", str(runs), "--place", "s3://bucket/prefix")

    assert "pip install 'convbench[s3]'" in message


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of a hundred kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=100k", "convbench-test", str(folder)]
    if os.geteuid() or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk, where that is allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_what_was_there(small_disk, runs, tmp_path, complains):
    place_text = str(small_disk / "place")
    shared(place_text, runs)
    large = write_run(tmp_path / "large", 8)
    (large / "asv.log").write_bytes(os.urandom(200_000))
    before = files_below(small_disk)

    assert "No space left on device" in complains("push", str(large), "--place", place_text)

    assert files_below(small_disk) == before
    assert list(Path(place_text).glob(".incoming-*")) == []


@pytest.mark.parametrize("option", [[], ["--as-asv"]])
def test_a_full_disk_here_keeps_what_was_pulled(small_disk, runs, tmp_path, complains, option):
    place_text, there = str(tmp_path / "place"), small_disk / "there"
    shared(place_text, runs)
    words = ["pull", str(there), "--place", place_text, *option]
    assert cli.main(words) == 0
    before = files_below(there)
    large = write_run(tmp_path / "large", 8)
    (large / "m/00000009-py.json").write_text(" " * 200_000 + "{}")
    shared(place_text, tmp_path / "large")

    assert "No space left on device" in complains(*words)

    assert files_below(there) == before
    assert list(there.rglob(".incoming-*")) == []


def test_a_disk_that_can_only_be_read_can_be_pulled_from(small_disk, runs, tmp_path, complains):
    place_text = str(small_disk / "place")
    shared(place_text, runs)
    write_run(runs, 9)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    assert "Read-only file system" in complains("push", str(runs), "--place", place_text)
    assert len(pull(open_place(place_text), tmp_path / "there").pulled) == 3
