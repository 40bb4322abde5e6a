"""Conda packages and channels as data, written to disk in conda's own formats.

A channel is a folder per platform with packages and `repodata.json`, the list of their records,
which is all that a solver reads. A `.conda` file is an uncompressed zip of two zstd-compressed
tars: `info-*`, what conda must know, and `pkg-*`, what goes into the environment. Source:
conda's documentation of package formats.
"""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

PLATFORM = "linux-64"


@dataclass(frozen=True)
class Link:
    """A symbolic link, which may lead into another package of the same environment."""

    target: str


Files = Mapping[str, bytes | Link]
"""Content by path below the environment's root."""


@dataclass(frozen=True)
class Package:
    """One conda package.

    The middle of its build string is a hash of its content, as conda-forge hashes what a build
    depends on: installers keep packages by name, version and build string, so under a constant
    one they would go on installing what the channel held yesterday.
    """

    name: str
    version: str
    files: Files
    depends: tuple[str, ...] = ()
    build_prefix: str = ""
    build_suffix: str = ""
    track_features: str = ""
    constrains: tuple[str, ...] = ()

    @property
    def build(self) -> str:
        """Build string: `py311h1a2b3c4_0`, `0_h1a2b3c4_mkl`."""
        content = [path_entry(*item) for item in sorted(self.files.items())]
        targets = [item.target for _, item in sorted(self.files.items()) if isinstance(item, Link)]
        decides = json.dumps([content, targets, self.depends, self.constrains, self.track_features])
        digest = sha256(decides.encode())[:7]
        return f"{self.build_prefix}h{digest}_{self.build_suffix or 0}"


def record(package: Package) -> dict[str, Any]:
    """Describe a package as `index.json` and the channel's list do."""
    features = {"track_features": package.track_features} if package.track_features else {}
    return {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": 0,
        "depends": list(package.depends),
        "constrains": list(package.constrains),
        "subdir": PLATFORM,
        "arch": "x86_64",
        "platform": "linux",
        "timestamp": 1_700_000_000_000,  # milliseconds; any, but not the clock
        **features,
    }


def write_channel(folder: Path, packages: Iterable[Package]) -> None:
    """Write packages, one at a time, and the lists of their records."""
    for platform in (PLATFORM, "noarch"):
        (folder / platform).mkdir(parents=True)
    records = dict(write_package(folder / PLATFORM, package) for package in packages)
    write_repodata(folder / PLATFORM, records)
    write_repodata(folder / "noarch", {})


def write_repodata(folder: Path, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the list of a platform's records, by file name."""
    listed = {"info": {"subdir": folder.name}, "packages": {}, "packages.conda": records}
    (folder / "repodata.json").write_text(json.dumps(listed))


def write_package(folder: Path, package: Package) -> tuple[str, dict[str, Any]]:
    """Write one `.conda` file; return its name and its record in the channel's list."""
    about = record(package)
    paths = [path_entry(path, content) for path, content in sorted(package.files.items())]
    stem = f"{package.name}-{package.version}-{about['build']}"
    info = {
        "info/index.json": json.dumps(about).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
    }
    file = folder / f"{stem}.conda"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        archive.writestr(f"pkg-{stem}.tar.zst", compressed_tar(package.files))
        archive.writestr(f"info-{stem}.tar.zst", compressed_tar(info))
    content = file.read_bytes()
    return file.name, about | {"sha256": sha256(content), "size": len(content)}


def path_entry(path: str, content: bytes | Link) -> dict[str, Any]:
    """Describe one file as `paths.json` does."""
    if isinstance(content, Link):
        return {"_path": path, "path_type": "softlink"}
    size = {"sha256": sha256(content), "size_in_bytes": len(content)}
    return {"_path": path, "path_type": "hardlink", **size}


def compressed_tar(files: Files) -> bytes:
    """Pack files, sorted, without clock or owner."""
    buffer = io.BytesIO()
    # Level 1: written and read once per test run.
    with (
        zstandard.ZstdCompressor(level=1).stream_writer(buffer, closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="w|") as archive,
    ):
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            if isinstance(content, Link):
                entry.type, entry.linkname = tarfile.SYMTYPE, content.target
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
