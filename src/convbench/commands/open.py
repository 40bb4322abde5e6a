"""Serve the built site on this machine alone, and show it in the browser.

It answers on 127.0.0.1 only, and only for files of the site, until Ctrl-C.
"""

import argparse
import errno
import sys
import threading
import webbrowser
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from socketserver import TCPServer
from typing import Any, BinaryIO, ClassVar

from convbench.errors import BadUsage
from convbench.report.site import is_site

EXAMPLES = """\
convbench open
convbench open public --port 0 --no-browser
"""
SEE_ALSO = "reports/README.md; convbench report"

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""Names under which the site answers: a page elsewhere whose name leads here is not one of them."""

FIRST_PORT, PORTS = 8000, 20
"""Where a free port is looked for unless one is given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convbench open`."""
    parser.add_argument(
        "site",
        nargs="?",
        type=Path,
        metavar="DIR",
        default=Path("reports/site"),
        help="the folder that `convbench report` wrote (default: reports/site)",
    )
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        help=f"port; 0 is any free one (default: the first free one from {FIRST_PORT})",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only serve, and print the address"
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Serve the site until Ctrl-C."""
    site = arguments.site
    if not (is_site(site) and (site / "index.html").is_file()):
        raise BadUsage(
            f"there is no site at {site}; `convbench report STORE --output {site}` makes one"
        )
    with bound(site, arguments.port) as server:
        address = f"http://{HOST}:{server.server_port}/"
        try:
            say(f"{address} shows {site}; Ctrl-C ends it")
            if not arguments.no_browser:
                # In a thread: a browser of the terminal returns when it is closed.
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
            server.serve_forever()
        except KeyboardInterrupt:
            say("ended")
    return 0


def bound(site: Path, port: int | None) -> "SiteServer":
    """Make the server of a site on a port; without one on the first free port of a few."""
    if port is not None and not 0 <= port <= 65535:
        raise BadUsage(f"--port must be from 0 to 65535; got {port}")
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS) if port is None else (port,):
        try:
            return SiteServer(site, candidate)
        except OSError as error:
            if error.errno == errno.EACCES:
                raise BadUsage(f"port {candidate} needs rights; give --port above 1023") from error
            if error.errno != errno.EADDRINUSE:
                raise
    last = FIRST_PORT + PORTS - 1
    taken = f"ports {FIRST_PORT} to {last} are" if port is None else f"port {port} is"
    raise BadUsage(f"{taken} taken by another program; --port 0 takes any free port")


class SiteServer(ThreadingHTTPServer):
    """Serves one site's files on the loopback interface."""

    def __init__(self, site: Path, port: int) -> None:
        # Absolute, so that nothing changes with the working directory.
        super().__init__((HOST, port), partial(SiteHandler, directory=str(site.absolute())))

    def server_bind(self) -> None:
        """Bind without asking the network for this machine's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class SiteHandler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD with a file of the site, and with nothing else.

    There is no listing of folders, no redirect, and no file that a link leads out of the site to.
    """

    # Not from the system's table, which a machine may lack or have wrong. Typeshed calls it one of
    # the instance, though http.server makes it one of the class.
    extensions_map: ClassVar[dict[str, str]] = {  # type: ignore[misc]
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".json": "application/json",
        ".csv": "text/csv; charset=utf-8",
        ".atom": "application/atom+xml; charset=utf-8",
        "": "application/octet-stream",
    }

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Send the head of an answer; of a file that is asked for under a name of ours."""
        if not self._is_asked_here():
            # Else a page elsewhere, whose name was made to lead here, could read the site.
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return None
        if not self._is_file_of_site():
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        # The browser may remember another site, of a younger date, under this address.
        del self.headers["If-Modified-Since"]
        return super().send_head()

    def _is_asked_here(self) -> bool:
        host = self.headers.get("Host")
        return host is None or host.lower() in {
            name for own in NAMES for name in (own, f"{own}:{self.connection.getsockname()[1]}")
        }

    def _is_file_of_site(self) -> bool:
        root = Path(self.directory).resolve()
        try:
            path = Path(self.translate_path(self.path)).resolve()
            if path == root:
                return self.path.split("?")[0] == "/"  # the index, and no redirect to it
            return path.is_relative_to(root) and path.is_file()
        except (ValueError, OSError):  # a NUL, or a name too long
            return False

    def end_headers(self) -> None:
        """Add what keeps a browser from guessing types, and from showing another site here."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a line per file helps nobody."""
