"""Places of every kind, made anew for each test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ceph_gateway
import pytest
from shared_places import KINDS, S3_KEY, S3_SECRET, make_place


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the server that S3_SERVER names: moto, or Ceph, which is no imitation and slower."""
    server = SERVERS[os.environ.get("S3_SERVER", "moto")]
    with server(tmp_path_factory.mktemp("s3")) as address:
        yield address


@contextmanager
def moto(_: Path) -> Iterator[str]:
    pytest.importorskip("moto", reason="moto is not installed: no server for S3")
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("s3_server.py"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert server.stdout is not None
    try:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
    finally:
        server.kill()
        server.communicate()


@contextmanager
def ceph(folder: Path) -> Iterator[str]:
    if reason := ceph_gateway.missing():
        pytest.skip(reason)
    with ceph_gateway.gateway(folder, S3_KEY, S3_SECRET) as address:
        yield address


SERVERS = {"moto": moto, "ceph": ceph}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(params=KINDS)
def place_text(request, tmp_path) -> str:
    """An empty place of each kind, as --place takes it."""
    return make_place(request.param, request, tmp_path)
