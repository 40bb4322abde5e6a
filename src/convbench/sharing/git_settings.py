"""How git is called for a place: its configuration by the environment, its words without secrets.

Credentials may be in the configuration of the repository here, or in an address. They are handed
over by variables, which no other user of the machine sees, and taken out of every message.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence

from convbench.errors import BadUsage
from convbench.results.raw_files import printable

REMOTE = "place"
"""What the place is called in the configuration that git gets."""

URL = f"remote.{REMOTE}.url"

_TO_CONNECT = re.compile(r"(http|credential|url)\.|core\.sshcommand$|ssh\.", re.IGNORECASE)
"""Settings of the repository here that decide how its remotes are reached, and as whom."""


_OF_A_REPOSITORY = {
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "COMMON_DIR", "INDEX_FILE", "PREFIX"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH", "NAMESPACE"),
        *("CONFIG", "GRAFT_FILE", "SHALLOW_FILE", "REPLACE_REF_BASE", "NO_REPLACE_OBJECTS"),
    )
}
"""Variables that name another repository; a hook of git has some of them."""


def environment(settings: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return variables for git: none that name another repository, and no questions."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}
    # Housekeeping does not go on in the background.
    fixed = {"gc.autoDetach": ["false"], "protocol.ext.allow": ["never"]}
    pairs = [(key, value) for key, values in {**settings, **fixed}.items() for value in values]
    given = kept.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdecimal() else 0
    numbered = {"GIT_CONFIG_COUNT": str(first + len(pairs))}
    for number, (key, value) in enumerate(pairs, first):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return kept | numbered | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def of_remote(name: str) -> dict[str, list[str]]:
    """Read how a remote of the repository here is reached, with the credentials of its settings."""
    answer = subprocess.run(
        ["git", "config", "--null", "--list", "--includes", "--show-scope"],
        capture_output=True,
        env=os.environ | {"LC_ALL": "C"},
    )
    found: dict[str, list[str]] = {}
    fields = answer.stdout.decode(errors="surrogateescape").split("\0")
    for scope, entry in zip(fields[::2], fields[1::2], strict=False):
        key, _, value = entry.partition("\n")
        if scope not in ("local", "worktree"):
            continue  # git reads the others by itself
        if key in (f"remote.{name}.url", f"remote.{name}.pushurl", f"remote.{name}.proxy"):
            key = f"remote.{REMOTE}.{key.rpartition('.')[2]}"
        elif not _TO_CONNECT.match(key):
            continue
        found.setdefault(key, []).append(value)
    if URL not in found:
        raise BadUsage(
            f"--place git+{name}#…: the repository here has no remote {name!r}; `git remote` lists"
            " them"
        )
    return found


def shown(text: str) -> str:
    """Write a place without credentials."""
    return re.sub(r"//[^/\s]*@", "//", printable(text))
