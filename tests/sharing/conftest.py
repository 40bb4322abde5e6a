"""Places of every kind, made anew for each test."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

KINDS = ("folder", "git", "s3")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
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


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def make_place(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Make an empty place; return what --place takes."""
    if kind == "folder":
        return str(folder / "shared")
    if kind == "git":
        repository = folder / "shared.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(repository)], check=True)
        return f"git+file://{repository}#results"
    monkeypatch = request.getfixturevalue("monkeypatch")
    endpoint = request.getfixturevalue("s3_endpoint")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never-to-be-seen")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    import boto3

    bucket = f"bench-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return f"s3://{bucket}/results"


@pytest.fixture(params=KINDS)
def place_text(request, tmp_path) -> str:
    """An empty place of each kind, as --place takes it."""
    return make_place(request.param, request, tmp_path)
