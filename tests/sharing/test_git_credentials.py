"""`git+REMOTE#BRANCH` reaches the server with what the repository here knows, and tells nobody."""

import http.server
import subprocess
import threading
from collections.abc import Iterator

import pytest

from convbench import cli

SECRET = "bmV2ZXItdG8tYmUtc2Vlbg=="


class Recording(http.server.BaseHTTPRequestHandler):
    """Keeps the credentials of requests, and refuses them."""

    seen: list[str | None]

    def do_GET(self) -> None:
        self.seen.append(self.headers["Authorization"])
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[str | None]]]:
    handler = type("Handler", (Recording,), {"seen": []})
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}", handler.seen
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


@pytest.mark.parametrize("included", [False, True])
def test_credentials_of_the_checkout_are_used_and_not_shown(
    server, tmp_path, monkeypatch, capfd, included
):
    url, seen = server
    monkeypatch.chdir(tmp_path)

    def git(*words: str) -> None:
        subprocess.run(["git", *words], check=True)

    git("init", "--quiet")
    git("remote", "add", "origin", f"{url}/team/project.git")
    # As actions/checkout leaves them: in the configuration, or in a file that it includes.
    key, value = f"http.{url}/.extraheader", f"AUTHORIZATION: basic {SECRET}"
    if included:
        git("config", "--file", "credentials", key, value)
        git("config", f"includeIf.gitdir:{tmp_path}/.git.path", str(tmp_path / "credentials"))
    else:
        git("config", key, value)

    code = cli.main(["pull", "there", "--place", "git+origin#results"])

    out, error = capfd.readouterr()
    assert code == 2
    assert seen == [f"basic {SECRET}"]
    assert error.count("\n") == 1
    assert SECRET not in out + error
    cached = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert cached
    assert not [path for path in cached if SECRET.encode() in path.read_bytes()]
