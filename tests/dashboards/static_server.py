"""A static web server on loopback that compresses, as hosts of static pages do."""

import gzip
import mimetypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

RATE, LATENCY, PIECE = 200_000, 0.15, 8192
"""A slow line: 1.6 Mbit/s as bytes per second, seconds to each answer, bytes sent in one go."""

COMPRESSED = (".html", ".js", ".json", ".css", ".svg", ".xml", ".atom", ".txt")


class Server:
    """Serves a folder; `sent` lists path and bytes of what was sent, headers not counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: list[tuple[str, int]] = []
        self.missing: list[str] = []
        self.address = ""
        self.slow = False
        self._line = threading.Lock()

    def send(self, write: Callable[[bytes], object], body: bytes) -> None:
        """Write a body; on the slow line all answers share its rate."""
        if not self.slow:
            write(body)
            return
        time.sleep(LATENCY)
        for start in range(0, len(body), PIECE):
            with self._line:
                piece = body[start : start + PIECE]
                time.sleep(len(piece) / RATE)
                write(piece)

    @cache  # noqa: B019  # one server lives as long as its measurement
    def body(self, path: str) -> bytes | None:
        file = self.folder / path
        if not file.is_file():
            return None
        content = file.read_bytes()
        return gzip.compress(content, 6, mtime=0) if file.suffix in COMPRESSED else content


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Serve a folder while the block runs."""
    server = Server(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
            body = server.body(path)
            if body is None:
                server.missing.append(path)
                self.send_error(404)
                return
            server.sent.append((path, len(body)))
            self.send_response(200)
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "max-age=600")
            if path.endswith(COMPRESSED):
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            try:
                server.send(self.wfile.write, body)
            except ConnectionError:
                self.close_connection = True  # the reader left

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a browser that leaves resets its connections

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_port}/"
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield server
        http.shutdown()
