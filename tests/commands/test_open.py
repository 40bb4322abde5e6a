"""`convbench open`: what of a site is served, to whom, and how it begins and ends."""

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from convbench.commands import open as open_command
from convbench.errors import BadUsage


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site's folder, with a secret beside it."""
    folder = tmp_path / "site"
    (folder / "assets").mkdir(parents=True)
    for name, text in {
        "index.html": "<!doctype html><title>é</title>",
        "plotly.min.js": "plotly",
        "assets/app.js": "app",
        "assets/style.css": "css",
        "events.atom": "<feed/>",
        "summary.json": "{}",
        "overview.svg": "<svg/>",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def port(site: Path) -> Iterator[int]:
    """The port of a server of the site."""
    with open_command.bound(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ask(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Ask for a path as it stands, which `urllib` would tidy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


@pytest.mark.parametrize("path", ["/", "/index.html", "/?a=b", "/./index.html"])
def test_the_index_is_served(port: int, site: Path, path: str) -> None:
    status, headers, body = ask(port, path)

    assert (status, body) == (200, (site / "index.html").read_bytes())
    assert headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/style.css", "text/css; charset=utf-8"),
        ("/events.atom", "application/atom+xml; charset=utf-8"),
        ("/summary.json", "application/json"),
        ("/overview.svg", "image/svg+xml"),
    ],
)
def test_types_are_told_and_not_to_be_guessed(port: int, path: str, kind: str) -> None:
    status, headers, _ = ask(port, path)

    assert (status, headers["Content-Type"]) == (200, kind)
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_head_is_an_answer_without_its_body(port: int) -> None:
    status, headers, body = ask(port, "/assets/app.js", "HEAD")

    assert (status, headers["Content-Length"], body) == (200, "3", b"")


def test_nothing_is_written_to(port: int) -> None:
    assert ask(port, "/index.html", "PUT")[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..\\secret.txt",
        "/%00",
        pytest.param("/" + "x" * 5000, id="long"),
        "//etc/passwd",
        "/%2fetc/passwd",
        "/leads-out",
        "/leads-out-too/secret.txt",
        "/index.html/",
    ],
)
def test_nothing_outside_is_served(port: int, site: Path, path: str) -> None:
    (site / "leads-out").symlink_to(site.parent / "secret.txt")
    (site / "leads-out-too").symlink_to(site.parent)

    status, headers, body = ask(port, path)

    assert status == 404
    assert b"secret" not in body.replace(path.encode(), b"")
    assert "Location" not in headers


@pytest.mark.parametrize("path", ["/assets", "/assets/"])
def test_folders_are_not_listed(port: int, path: str) -> None:
    status, headers, body = ask(port, path)

    assert status == 404
    assert b"app.js" not in body
    assert "Location" not in headers


def test_nobody_is_sent_elsewhere(port: int) -> None:
    status, headers, _ = ask(port, "http://elsewhere/../..", Host=f"127.0.0.1:{port}")

    assert (status, headers["Location"]) == (404, None)


def test_a_page_elsewhere_whose_name_leads_here_gets_nothing(port: int) -> None:
    for host in (f"elsewhere.example:{port}", "127.0.0.1.example", f"localhost:{port + 1}"):
        assert ask(port, "/index.html", Host=host)[0] == 421
    assert ask(port, "http://elsewhere/index.html")[0] == 421
    for host in (f"localhost:{port}", f"127.0.0.1:{port}"):
        assert ask(port, "/index.html", Host=host)[0] == 200


def test_another_site_that_the_browser_remembers_under_the_address_is_not_shown(port: int) -> None:
    later = "Wed, 01 Jan 2098 00:00:00 GMT"

    status, headers, _ = ask(port, "/index.html", If_Modified_Since=later)

    assert (status, headers["Cache-Control"]) == (200, "no-store")


def test_only_this_machine_is_served(site: Path) -> None:
    with open_command.bound(site, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_taken_port_is_told(site: Path) -> None:
    with open_command.bound(site, 0) as server:
        taken = server.server_port

        with pytest.raises(BadUsage, match=f"port {taken} is taken .* --port 0 takes any"):
            open_command.bound(site, taken)


def test_without_a_port_the_next_free_one_is_taken(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        first = other.getsockname()[1]
        monkeypatch.setattr(open_command, "FIRST_PORT", first)

        with open_command.bound(site, None) as server:
            assert first < server.server_port < first + open_command.PORTS

        monkeypatch.setattr(open_command, "PORTS", 1)
        with pytest.raises(BadUsage, match=f"ports {first} to {first} are taken"):
            open_command.bound(site, None)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_none_is_is_refused(site: Path, port: int) -> None:
    with pytest.raises(BadUsage, match=f"from 0 to 65535; got {port}"):
        open_command.bound(site, port)


def test_a_folder_that_is_no_site_names_the_command_that_makes_one(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    arguments = argparse.Namespace(site=tmp_path, port=0, no_browser=True)

    with pytest.raises(BadUsage, match=r"no site at .*; `convbench report STORE --output"):
        open_command.run(arguments, print)


def test_it_prints_the_address_opens_the_browser_and_ends_with_ctrl_c(
    site: Path, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part; mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "convbench.cli", "open", str(site), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"BROWSER": str(browser)},
        # A shell's background job ignores Ctrl-C, and so would its child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    address = process.stdout.readline().split()[0]
    status, _, body = ask(int(address.rsplit(":", 1)[1].rstrip("/")), "/")
    for _ in range(100):
        if opened.exists():
            break
        threading.Event().wait(0.1)

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)

    assert (status, body) == (200, (site / "index.html").read_bytes())
    assert opened.read_text().strip() == address
    assert (process.returncode, output, errors) == (0, "ended\n", "")
