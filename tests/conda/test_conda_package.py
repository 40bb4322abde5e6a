"""Packages and channels as this folder writes them, read by rattler."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import rattler
from conda_package import Link, Package, write_channel

BLAS = Package("libfoo", "1.0", {"lib/libfoo.so": b"content"}, build_suffix="mkl")
LINK = Package("foo", "2.0", {"lib/site/libfoo.so": Link("../libfoo.so")}, depends=("libfoo",))


async def installed(channel: Path, prefix: Path) -> None:
    records = await rattler.solve([channel.as_uri()], ["foo"])
    await rattler.install(records, prefix, cache_dir=prefix / "cache", show_progress=False)


def test_a_package_is_installed_with_its_dependencies_links_and_records(tmp_path: Path) -> None:
    write_channel(tmp_path / "channel", [BLAS, LINK])

    asyncio.run(installed(tmp_path / "channel", tmp_path / "prefix"))

    link = tmp_path / "prefix/lib/site/libfoo.so"
    assert link.is_symlink()
    assert link.read_bytes() == b"content"
    recorded = rattler.PrefixRecord.from_path(
        tmp_path / f"prefix/conda-meta/libfoo-1.0-{BLAS.build}.json"
    )
    assert [str(file) for file in recorded.files] == ["lib/libfoo.so"]


@pytest.mark.parametrize(
    "changed",
    [
        replace(BLAS, files={"lib/libfoo.so": b"other"}),
        replace(BLAS, files={"lib/libbar.so": b"content"}),
        replace(BLAS, files={"lib/libfoo.so": Link("content")}),
        replace(BLAS, depends=("bar",)),
        replace(BLAS, track_features="bar"),
    ],
)
def test_another_content_has_another_build_string(changed: Package) -> None:
    assert changed.build != BLAS.build
    assert changed.build.endswith("_mkl")
