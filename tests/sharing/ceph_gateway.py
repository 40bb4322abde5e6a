"""Ceph's gateway for S3 on loopback, with a monitor and a store in memory behind it, for tests.

Needs Debian's ceph-mon, ceph-osd, radosgw and ceph-common. What it stores is gone with it.
"""

import shutil
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "ceph", "radosgw-admin")

_CONFIGURATION = """
[global]
fsid = {fsid}
mon_host = {monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = {folder}/keyring
log_file = {folder}/$name.log
admin_socket =
# One store, and one copy of everything.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_objectstore = memstore
memstore_device_bytes = 4294967296
mon_data = {folder}/mon
osd_data = {folder}/osd
rgw_frontends = beast endpoint=127.0.0.1:{port}
"""


class GatewayError(Exception):
    """The gateway can't be started."""


def missing() -> str:
    """Say what this machine lacks for the gateway; empty where there is everything."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    debian = "Debian: ceph-mon ceph-osd radosgw ceph-common"
    return f"{', '.join(lacking)} not installed ({debian})" if lacking else ""


@contextmanager
def gateway(folder: Path, key: str, secret: str) -> Iterator[str]:
    """Start the gateway with one user; give its address, and end it with the block."""
    first, second, port = _free_ports(3)
    monitor = f"[v2:127.0.0.1:{first},v1:127.0.0.1:{second}]"
    fsid = str(uuid.uuid4())
    settings = folder / "ceph.conf"
    settings.write_text(_CONFIGURATION.format(fsid=fsid, monitor=monitor, folder=folder, port=port))
    own = ("-c", str(settings))
    keyring, monitors = str(folder / "keyring"), str(folder / "monitors")
    _call("ceph-authtool", "--create-keyring", keyring)
    for name, rights in _RIGHTS.items():
        capabilities = [word for part in rights for word in ("--cap", *part)]
        _call("ceph-authtool", keyring, "--gen-key", "-n", name, *capabilities)
    _call("monmaptool", "--create", "--addv", "a", monitor, "--fsid", fsid, monitors)
    for name in ("mon", "osd"):
        (folder / name).mkdir()
    _call("ceph-mon", *own, "-i", "a", "--mkfs", "--monmap", monitors, "--keyring", keyring)
    with ExitStack() as started:
        started.enter_context(_daemon("ceph-mon", *own, "-i", "a"))
        store = str(uuid.uuid4())
        _call("ceph", *own, "osd", "new", store)
        _call("ceph-osd", *own, "-i", "0", "--mkfs", "--osd-uuid", store)
        started.enter_context(_daemon("ceph-osd", *own, "-i", "0"))
        started.enter_context(_daemon("radosgw", *own, "-n", "client.admin", "--keyring", keyring))
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, 90)
        user = ("--uid", "bench", "--display-name", "bench")
        keys = ("--access-key", key, "--secret-key", secret)
        _call("radosgw-admin", *own, "user", "create", *user, *keys)
        yield address


_RIGHTS = {
    "mon.": [("mon", "allow *")],
    "osd.0": [("mon", "allow profile osd"), ("osd", "allow *")],
    "client.admin": [("mon", "allow *"), ("osd", "allow *"), ("mgr", "allow *")],
}


def _call(*words: str) -> None:
    answer = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if answer.returncode:
        raise GatewayError(f"{' '.join(words)}: {answer.stderr.strip()}")


@contextmanager
def _daemon(*words: str) -> Iterator[None]:
    """Run a daemon in the foreground, which ends with the block."""
    process = subprocess.Popen([*words, "-f"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()  # nothing that it stores is needed again
        process.wait()


def _wait_for(address: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError), urllib.request.urlopen(address, timeout=1):
            return
        if time.monotonic() > deadline:
            raise GatewayError(f"{address} does not answer within {seconds:g} seconds")
        time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    """Find ports of loopback that nobody listens on."""
    with ExitStack() as bound:
        sockets = [bound.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
