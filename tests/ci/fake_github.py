"""The part of GitHub's interface that the comment needs, on loopback; artifacts at another host."""

import contextlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "owner/project"
TOKEN = "secret-token"


def archive(**members: bytes | str) -> bytes:
    """Zip members; `_json` in a name stands for its dot."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in members.items():
            opened.writestr(name.replace("_json", ".json"), text)
    return content.getvalue()


@dataclass
class State:
    """What the repository has; tests set it and read what became of it."""

    pulls: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    content: bytes = b""
    comments: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    unauthorised: list[str] = field(default_factory=list)
    storage_headers: list[dict[str, str]] = field(default_factory=list)
    storage: str = ""


def _handler(state: State) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def answer(self, document: object, code: int = 200) -> None:
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def handle_one(self, method: str) -> None:
            address = urlsplit(self.path)
            path = address.path.removeprefix(f"/repos/{REPOSITORY}/")
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
            state.calls.append((method, path))
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                state.unauthorised.append(self.path)
            length = int(self.headers["Content-Length"] or 0)
            given = json.loads(self.rfile.read(length)) if length else {}
            match method, path.split("/"):
                case "GET", ["pulls"]:
                    branch = query["head"]
                    self.answer([one for one in state.pulls if one["branch"] == branch])
                case "GET", ["actions", "runs", _, "artifacts"]:
                    named = [one for one in state.artifacts if one["name"] == query["name"]]
                    self.answer({"artifacts": named})
                case "GET", ["actions", "artifacts", _, "zip"]:
                    self.send_response(302)
                    self.send_header("Location", state.storage)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                case "GET", ["issues", _, "comments"]:
                    start = 100 * (int(query["page"]) - 1)
                    self.answer(state.comments[start : start + 100])
                case "POST", ["issues", _, "comments"]:
                    user = {"login": "github-actions[bot]"}
                    state.comments.append({"id": 1000, "user": user, "body": given["body"]})
                    self.answer({}, 201)
                case "PATCH", ["issues", "comments", number]:
                    (one,) = (each for each in state.comments if each["id"] == int(number))
                    one["body"] = given["body"]
                    self.answer({})
                case _:
                    self.answer({"message": "Not Found"}, 404)

        def do_GET(self) -> None:
            self.handle_one("GET")

        def do_POST(self) -> None:
            self.handle_one("POST")

        def do_PATCH(self) -> None:
            self.handle_one("PATCH")

    return Handler


def _storage(state: State) -> type[BaseHTTPRequestHandler]:
    class Storage(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            state.storage_headers.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):  # the reader has seen enough
                self.wfile.write(state.content)

    return Storage


@contextlib.contextmanager
def serve() -> Iterator[tuple[State, str]]:
    """Serve on loopback; gives the state and the address of the interface."""
    state = State()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), make(state)) for make in (_handler, _storage)]
    threads = [threading.Thread(target=one.serve_forever, args=(0.02,)) for one in servers]
    for thread in threads:
        thread.start()
    try:
        state.storage = f"http://127.0.0.1:{servers[1].server_port}/blob"
        yield state, f"http://127.0.0.1:{servers[0].server_port}"
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
