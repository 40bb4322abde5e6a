"""The kinds of places that tests make."""

import subprocess
import uuid
from pathlib import Path

import pytest

KINDS = ("folder", "git", "s3")

S3_KEY, S3_SECRET = "key", "never-to-be-seen"


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
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", S3_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", S3_SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    import boto3

    bucket = f"bench-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return f"s3://{bucket}/results"
