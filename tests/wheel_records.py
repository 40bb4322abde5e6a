"""The RECORD of a wheel, checked against its content."""

import base64
import csv
import hashlib
import zipfile
from pathlib import Path


def assert_record_is_true(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        rows = list(csv.reader(archive.read(record).decode().splitlines()))
        assert sorted(name for name, _, _ in rows) == sorted(archive.namelist())
        for name, digest, size in rows:
            content = archive.read(name)
            if name == record:
                assert (digest, size) == ("", "")
                continue
            padded = digest.removeprefix("sha256=") + "="
            assert base64.urlsafe_b64decode(padded) == hashlib.sha256(content).digest()
            assert int(size) == len(content)
