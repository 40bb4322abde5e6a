"""Says the result of a pull request's benchmarks in one comment, which is updated afterwards.

It runs with a token that may write, after a workflow that ran a stranger's code. So of that code's
artifact nothing is believed: not whose it is, which GitHub is asked; not its size; not its text, of
which only what has the form of a comparison is taken, and written so that nothing in it acts.
Standard library only: nothing is installed where the token is.

    GITHUB_TOKEN=… python3 -I ci/bench/comment.py    # in a workflow_run of the benchmarks' workflow

Exit code: 0 said, or there is nobody to tell; 2 refused, or GitHub did not answer.
"""

import io
import json
import math
import os
import re
import sys
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

MARK = "<!-- convbench gate -->"
"""Begins our comment, by which it is found again."""

AUTHOR = "github-actions[bot]"
"""Who writes with a workflow's token; the same words of anybody else are not ours."""

MOST_BYTES = 2_000_000
MOST_CELLS = 100_000
MOST_PAGES = 30

MOST_ROWS = 30
LONGEST = 160
"""Characters of a name, of which each may take ten; a comment has room for 65,536."""

VERDICTS = ("SLOWER", "FAILED", "FASTER", "AMBIGUOUS", "SAME")
HASH = re.compile(r"[0-9a-f]{40}")
SITE = re.compile(r"https://[\w.-]+(?::\d+)?(?:/[\w./~-]*)?", re.ASCII)

SECONDS = 30


class Refused(Exception):
    """What was found is not what a comparison leaves; its text is the whole message."""


def main() -> int:
    """Find the pull request and its artifact, and say what it holds."""
    try:
        print(said(event(), GitHub(), site_url()))
    except Refused as error:
        print(f"comment.py: refused: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        print(f"comment.py: {type(error).__name__}: {error!s:.300}", file=sys.stderr)
        return 2
    return 0


def said(run: dict[str, Any], github: "GitHub", site: str) -> str:
    """Write the comment; tell what was done in one line."""
    number = pull_request(run, github)
    if number is None:
        return f"no open pull request has {run['head_sha']} as its newest commit: nothing to say"
    artifact = newest_artifact(run, number, github)
    if artifact is None:
        return f"the benchmarks of #{number} left no result: nothing to say"
    document = comparison(github.zip(artifact), run["head_sha"])
    address = f"{os.environ['GITHUB_SERVER_URL']}/{github.repository}/actions/runs/{run['id']}"
    return github.comment(number, f"{MARK}\n{body(document, address, site)}")


def event() -> dict[str, Any]:
    """Read what GitHub says of the run that ended."""
    told = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    run = told["workflow_run"]
    if run["event"] != "pull_request" or not HASH.fullmatch(run["head_sha"]):
        raise Refused("the workflow did not run for a pull request")
    return {**run, "id": int(run["id"])}


def site_url() -> str:
    """Read where the site is published from the default branch's file, never from the artifact."""
    script = Path(__file__).resolve()
    for file in sorted(script.parents[2].glob("**/convbench.toml"), key=lambda one: len(one.parts)):
        url = tomllib.loads(file.read_text(encoding="utf-8")).get("compare", {}).get("site_url", "")
        if isinstance(url, str) and SITE.fullmatch(url):
            return url.rstrip("/")
    return ""


def pull_request(run: dict[str, Any], github: "GitHub") -> int | None:
    """Ask which open pull request has the measured commit as its newest one.

    GitHub does not say it with the event when the branch is a fork's; the artifact could name any.
    """
    if run["head_repository"] is None:  # deleted meanwhile
        return None
    branch = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    query = urllib.parse.urlencode({"state": "open", "head": branch, "per_page": 100})
    found = [
        int(one["number"])
        for one in github.get(f"pulls?{query}")
        if one["head"]["sha"] == run["head_sha"]
    ]
    # A branch may have two, into different branches: the artifact's name chooses among them alone.
    named = [number for number in found if newest_artifact(run, number, github)]
    return next(iter([*named, *found]), None)


def newest_artifact(run: dict[str, Any], number: int, github: "GitHub") -> int | None:
    """Give the run's artifact for this pull request, of the newest attempt."""
    name = f"convbench-gate-{number}"
    query = urllib.parse.urlencode({"name": name, "per_page": 100})
    listed = github.get(f"actions/runs/{run['id']}/artifacts?{query}")["artifacts"]
    ours = [one for one in listed if one["name"] == name and not one["expired"]]
    if not ours:
        return None
    newest = max(ours, key=lambda one: int(one["id"]))
    if newest["size_in_bytes"] > MOST_BYTES:
        raise Refused(f"the artifact has {newest['size_in_bytes']} bytes; {MOST_BYTES} are allowed")
    return int(newest["id"])


def comparison(archive: bytes, head: str) -> dict[str, Any]:
    """Take from the archive what has the form of a comparison of this commit."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        if "gate.json" not in opened.namelist():
            raise Refused("the artifact has no gate.json: the comparison gave no answer")
        with opened.open("gate.json") as file:  # read, never unpacked
            text = file.read(MOST_BYTES * 10 + 1)
    if len(text) > MOST_BYTES * 10:
        raise Refused(f"gate.json has more than {MOST_BYTES * 10} bytes")
    document = json.loads(text, parse_constant=refuse)
    if commit(document["commits"]["head"]) != head:
        raise Refused("gate.json is of another commit")
    cells = document["cells"]
    if not isinstance(cells, list) or len(cells) > MOST_CELLS:
        raise Refused(f"gate.json has no list of at most {MOST_CELLS} cells")
    return {
        "base": commit(document["commits"]["base"]),
        "head": head,
        "closed": whole(document["gate"]["exit_code"]) == 1,
        "threshold": ratio(document["settings"]["threshold"]),
        "skipped": len(document["not_comparable"]),
        "cells": [cell(one) for one in cells],
    }


def refuse(constant: str) -> None:
    """Take no NaN and no infinity."""
    raise Refused(f"gate.json holds {constant}")


def cell(given: dict[str, Any]) -> dict[str, Any]:
    """Take a cell's verdict, ratio and name."""
    if given["verdict"] not in VERDICTS or not isinstance(given["name"], str):
        raise Refused("gate.json holds a cell without verdict or name")
    numbers = {key: ratio(given[key]) for key in ("ratio", "ratio_low", "ratio_high")}
    return {"name": given["name"], "verdict": given["verdict"], **numbers}


def ratio(given: object) -> float | None:
    """Take a number that a ratio can be."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise Refused("gate.json holds a ratio that is no number")
    return float(given)


def whole(given: object) -> int:
    """Take a whole number."""
    if isinstance(given, bool) or not isinstance(given, int):
        raise Refused("gate.json holds a count that is no whole number")
    return given


def commit(given: object) -> str:
    """Take a full hash."""
    if not isinstance(given, str) or not HASH.fullmatch(given):
        raise Refused("gate.json names no commits")
    return given


def body(document: dict[str, Any], run: str, site: str) -> str:
    """Write the comment: what the gate says, what changed, and where to look further."""
    cells = sorted(document["cells"], key=attention)
    counts = {one: sum(each["verdict"] == one for each in cells) for one in VERDICTS}
    told = ", ".join(f"{count} {word.lower()}" for word, count in counts.items() if count)
    loud = [one for one in cells if one["verdict"] in VERDICTS[:3]]
    state = "closed: a" if document["closed"] else "open: no"
    links = [f"[this run]({run})"]
    if site:
        query = urllib.parse.urlencode({"base": document["base"], "head": document["head"]})
        compare = f"{site}/#/compare?{query}"
        links.append(f"[Compare on the site]({compare}), once both are measured there")
    parts = [
        f"### Benchmarks: `{document['base'][:8]}` → `{document['head'][:8]}`",
        f"The gate is {state} confirmed regression beyond ×{number(document['threshold'])}. "
        f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'}: {told or 'none'}"
        + (f"; {document['skipped']} not comparable." if document["skipped"] else "."),
    ]
    if loud:
        rows = [row(one) for one in loud[:MOST_ROWS]]
        parts.append("\n".join(["| verdict | head ÷ base | cell |", "|---|---|---|", *rows]))
    if len(loud) > MOST_ROWS:
        parts.append(f"and {len(loud) - MOST_ROWS} more, in the run's artifact")
    parts.append(f"Measured by the pull request's own code: {', '.join(links)}.")
    return "\n\n".join(parts) + "\n"


def attention(one: dict[str, Any]) -> tuple[int, float, str]:
    """Order as `convbench gate` does: by verdict, then by how far the ratio is from one."""
    value = one["ratio"]
    size = max(value, 1 / value) if value and value > 0 else 0.0
    return VERDICTS.index(one["verdict"]), -size, one["name"]


def row(one: dict[str, Any]) -> str:
    """Write a row of the table."""
    interval = "" if one["ratio"] is None else f"×{number(one['ratio'])}"
    if one["ratio_low"] is not None and one["ratio_high"] is not None:
        interval += f" ({number(one['ratio_low'])} to {number(one['ratio_high'])})"
    return f"| {one['verdict']} | {interval or '–'} | {name(one['name'])} |"


def number(value: float | None) -> str:
    """Write a ratio."""
    return (
        "–" if value is None else f"{value:.3f}" if 0.001 <= abs(value) < 1000 else f"{value:.1e}"
    )


def name(text: str) -> str:
    """Write a stranger's text as code in which nothing is a sign of Markdown, HTML, or a mention.

    Letters and digits of ASCII, blanks and a few signs stand as they are, everything else as its
    number; what does not print, and what turns the direction of writing, as an escape.
    """
    escaped = (one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    shown = "".join(escaped)
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    safe = re.sub(r"[^A-Za-z0-9 ,;=+%^/()'-]", lambda found: f"&#{ord(found.group())};", shown)
    return f"<code>{safe or '&#8203;'}</code>"


class GitHub:
    """The interface of GitHub that a workflow's token opens, for one repository."""

    def __init__(self) -> None:
        self.repository = os.environ["GITHUB_REPOSITORY"]
        self._root = f"{os.environ['GITHUB_API_URL']}/repos/{self.repository}"
        self._token = os.environ["GITHUB_TOKEN"]
        self._opener = urllib.request.build_opener(WithoutToken)

    def get(self, path: str) -> Any:
        """Read a JSON answer."""
        return json.loads(self._call("GET", path, None, 20_000_000))

    def zip(self, artifact: int) -> bytes:
        """Read an artifact, whatever size it is said to have."""
        content = self._call("GET", f"actions/artifacts/{artifact}/zip", None, MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise Refused(f"the artifact has more than {MOST_BYTES} bytes")
        return content

    def comment(self, number: int, text: str) -> str:
        """Write our comment, or write it anew."""
        for page in range(1, MOST_PAGES + 1):
            listed = self.get(f"issues/{number}/comments?per_page=100&page={page}")
            for one in listed:
                author = (one["user"] or {}).get("login")  # a deleted account is null
                if author == AUTHOR and (one["body"] or "").startswith(MARK):
                    self._send("PATCH", f"issues/comments/{int(one['id'])}", text)
                    return f"updated the comment of #{number}"
            if len(listed) < 100:
                break
        self._send("POST", f"issues/{number}/comments", text)
        return f"commented on #{number}"

    def _send(self, method: str, path: str, text: str) -> None:
        self._call(method, path, json.dumps({"body": text}).encode(), 1_000_000)

    def _call(self, method: str, path: str, content: bytes | None, most: int) -> bytes:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "User-Agent": "convbench",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        request = urllib.request.Request(f"{self._root}/{path}", content, headers, method=method)
        with self._opener.open(request, timeout=SECONDS) as answer:
            return bytes(answer.read(most))


class WithoutToken(urllib.request.HTTPRedirectHandler):
    """Artifacts lie at another host, which must not see the token."""

    def redirect_request(self, request: Any, *arguments: Any) -> Any:
        """Leave the token out of a request to where an answer leads."""
        further = super().redirect_request(request, *arguments)
        if further is not None:
            further.remove_header("Authorization")
        return further


if __name__ == "__main__":
    sys.exit(main())
