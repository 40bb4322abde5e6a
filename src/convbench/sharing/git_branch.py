"""A branch of a git repository as a place: bundles are folders of its newest commit.

    git+https://HOST/PATH#BRANCH, git+ssh://…, git+file:///…    any repository
    git+REMOTE#BRANCH                                           a remote of the repository here

Git is spoken to by its plumbing, in a bare repository of our own in the user's cache: nothing is
ever checked out, so names in somebody's commit reach no file system, and work tree, index and
configuration of the repository here are never touched. One push is one commit on top of the
branch. Of several at once git takes one; the others fetch again, after a random while.
"""

import contextlib
import fcntl
import hashlib
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convbench.errors import BadUsage
from convbench.sharing.bundles import MANIFEST, BadBundle, Bundle, is_bundle_name
from convbench.sharing.git_settings import REMOTE, URL, environment, of_remote, shown
from convbench.sharing.places import unusable

_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ADDRESS = re.compile(r"(https|ssh|file)://[^\s\x00-\x1f]+")
_SECONDS = 300
"""How long a push is tried while others push."""

_AUTHOR = "convbench <convbench@localhost>"

_NEW = "refs/shared/new"


class GitFailed(Exception):
    """Git ended with an error; the text is what it said."""


@dataclass(frozen=True)
class _File:
    """A file in the branch's newest commit."""

    blob: str
    size: int


@dataclass
class GitPlace:
    """Bundles as folders of a branch.

    Attributes
    ----------
    settings : mapping
        Git's configuration for reaching the repository; handed over by the environment, as it may
        hold credentials.
    """

    shown: str
    branch: str
    settings: Mapping[str, Sequence[str]]
    readers: int = 1
    _files: dict[str, _File] | None = field(default=None, repr=False)
    _blobs: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _lock: int | None = field(default=None, repr=False)

    @classmethod
    def of(cls, text: str) -> "GitPlace":
        """Open a branch; the first push makes it."""
        where, mark, branch = text.removeprefix("git+").partition("#")
        if not mark or not _BRANCH.fullmatch(branch) or ".." in branch:
            raise BadUsage(f"--place {shown(text)}: expected #BRANCH at its end")
        if _ADDRESS.fullmatch(where):
            settings = {URL: [where]}
        elif _NAME.fullmatch(where):
            settings = of_remote(where)
        else:
            raise BadUsage(
                f"--place {shown(text)}: expected git+https://, git+ssh://, git+file:/// or"
                " git+REMOTE before the #"
            )
        return cls(shown(text), branch, settings)

    def names(self) -> set[str]:
        """Name the folders of the newest commit that have a manifest."""
        with self._cache():
            self._files = self._tree(self._fetch())
        folders = (path.rpartition("/")[0] for path in self._files if path.endswith(MANIFEST))
        return {name for name in folders if is_bundle_name(name)}

    def read(self, bundle: str, path: str, limit: int) -> bytes:
        """Read a file of the commit that was fetched when the names were asked for."""
        if self._files is None:
            self.names()
        file = (self._files or {}).get(f"{bundle}/{path}")
        if file is None:
            raise BadBundle(f"{path}: it is not there, or no regular file")
        if file.size > limit:
            raise BadBundle(f"{path}: {file.size:,} bytes; expected at most {limit:,}")
        return self._blob(file)

    def _blob(self, file: _File) -> bytes:
        """Read a file's bytes from one process that gives them all."""
        if self._blobs is None:
            self._blobs = subprocess.Popen(
                ["git", "--git-dir=.", "cat-file", "--batch"],
                cwd=self._repository,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._variables,
            )
            weakref.finalize(self, _end, self._blobs)
        to_git, of_git = self._blobs.stdin, self._blobs.stdout
        assert to_git is not None
        assert of_git is not None
        with contextlib.suppress(BrokenPipeError):
            to_git.write(file.blob.encode() + b"\n")
            to_git.flush()
        if not of_git.readline().endswith(f" blob {file.size}\n".encode()):
            raise unusable(self.shown, "read", f"remove {self._repository}: it is damaged")
        return of_git.read(file.size + 1)[:-1]

    def add(self, bundles: Sequence[Bundle]) -> None:
        """Make one commit of all bundles, on top of what is there at that moment."""
        if not bundles:
            return
        deadline, pause = time.monotonic() + _SECONDS, 0.1
        while True:
            with self._cache():
                tip = self._fetch()
                commit = self._commit(tip, bundles)
                refused = self._push(commit)
            if refused is None:
                return
            if time.monotonic() > deadline:
                raise unusable(
                    self.shown, "written", f"still refused after {_SECONDS} s: {refused}"
                )
            time.sleep(random.uniform(0, pause))
            pause = min(2 * pause, 5)

    def _fetch(self) -> str | None:
        """Fetch the branch's newest commit; None where there is no such branch yet."""
        spec = f"+refs/heads/{self.branch}:refs/shared/tip"
        try:
            self._git("fetch", "--quiet", "--depth=1", "--no-tags", REMOTE, spec)
        except GitFailed as error:
            if "couldn't find remote ref" in str(error):
                return None
            raise unusable(self.shown, "read", str(error)) from None
        return self._git("rev-parse", "refs/shared/tip").decode().strip()

    def _tree(self, tip: str | None) -> dict[str, _File]:
        """List the regular files of a commit."""
        if tip is None:
            return {}
        found = {}
        for line in self._git("ls-tree", "-r", "-z", "-l", "--full-tree", tip).split(b"\0"):
            about, _, path = line.partition(b"\t")
            if about.startswith(b"100"):  # neither links (120000) nor other repositories (160000)
                _, _, blob, size = about.split()
                found[path.decode(errors="surrogateescape")] = _File(blob.decode(), int(size))
        return found

    def _commit(self, tip: str | None, bundles: Sequence[Bundle]) -> str:
        """Write a commit that adds bundles; the trees of others are never looked into."""
        with tempfile.TemporaryFile() as said:
            git = subprocess.Popen(
                ["git", "--git-dir=.", "fast-import", "--quiet", "--force"],
                cwd=self._repository,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env=self._variables,
                pass_fds=self._held,
            )
            assert git.stdin is not None
            try:
                with contextlib.suppress(BrokenPipeError), git.stdin as stream:
                    for piece in _commit_stream(tip, bundles):
                        stream.write(piece)
            except BaseException:
                git.kill()
                raise
            finally:
                code = git.wait()
            said.seek(0)
            if code:
                raise unusable(self.shown, "written", _complaint(said.read()))
        return self._git("rev-parse", _NEW).decode().strip()

    def _push(self, commit: str) -> str | None:
        """Push a commit; return git's words where somebody else was faster."""
        spec = f"{commit}:refs/heads/{self.branch}"
        try:
            self._git("push", "--quiet", "--porcelain", REMOTE, spec)
        except GitFailed as error:
            if _is_race(str(error)):
                return str(error)
            raise unusable(self.shown, "written", str(error)) from None
        return None

    @contextlib.contextmanager
    def _cache(self) -> Iterator[None]:
        """Hold the repository in the cache; one that can't be used is made anew."""
        self._repository.mkdir(parents=True, exist_ok=True)
        with (self._repository / "convbench.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Git inherits it: should this process be killed, the lock stays until git has ended.
            self._lock = lock.fileno()
            for left in self._repository.rglob("*.lock"):
                if left.name != "convbench.lock":  # of a git that was killed: nobody else is here
                    left.unlink(missing_ok=True)
            if not self._is_whole():
                for entry in self._repository.iterdir():
                    if entry.is_dir():
                        shutil.rmtree(entry)
                    elif entry.name != "convbench.lock":
                        entry.unlink()
                self._git("init", "--quiet", "--bare", ".")
            try:
                yield
            finally:
                self._lock = None

    def _is_whole(self) -> bool:
        try:
            self._git("rev-parse", "--is-bare-repository")
            # Every object of the newest commit, or git would believe that it has them.
            if (self._repository / "refs/shared/tip").exists():
                self._git("rev-list", "--objects", "--quiet", "refs/shared/tip")
        except GitFailed:
            return False
        return True

    @property
    def _held(self) -> tuple[int, ...]:
        return () if self._lock is None else (self._lock,)

    @property
    def _variables(self) -> dict[str, str]:
        return environment(self.settings)

    @property
    def _repository(self) -> Path:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        # Without credentials: in CI they are other ones each time.
        where = f"{shown(self.settings[URL][0])}#{self.branch}"
        named = hashlib.sha256(where.encode()).hexdigest()[:16]
        return Path(base).expanduser() / "convbench" / "shared" / f"{named}.git"

    def _git(self, *words: str) -> bytes:
        """Run git in the repository in the cache; raise `GitFailed` with a line of what it said."""
        answer = subprocess.run(
            ["git", "--git-dir=.", *words],
            cwd=self._repository,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self._variables,
            pass_fds=self._held,
        )
        if answer.returncode:
            raise GitFailed(_complaint(answer.stdout + b"\n" + answer.stderr))
        return answer.stdout


def _commit_stream(tip: str | None, bundles: Sequence[Bundle]) -> Iterator[bytes]:
    """Yield what `git fast-import` makes a commit of."""
    title = bundles[0].name if len(bundles) == 1 else f"{len(bundles)} bundles"
    yield f"commit {_NEW}\ncommitter {_AUTHOR} {int(time.time())} +0000\n".encode()
    yield _data(f"Add {title}\n".encode())
    if tip is not None:
        yield f"from {tip}\n".encode()
    for bundle in bundles:
        for path in (*bundle.manifest.files, MANIFEST):
            content = bundle.manifest.to_bytes() if path == MANIFEST else bundle.read(path)
            quoted = f"{bundle.name}/{path}".replace("\\", "\\\\").replace('"', '\\"')
            yield f'M 100644 inline "{quoted}"\n'.encode() + _data(content)


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


_RACES = (
    "fetch first",
    "non-fast-forward",
    "failed to update ref",
    "cannot lock ref",
    "reference already exists",
    "incorrect old value",
    "stale info",
)


def _is_race(said: str) -> bool:
    return any(words in said for words in _RACES)


def _complaint(said: bytes) -> str:
    """Return the line of git's words that says most, without credentials."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(fatal|error|remote|!)\b|!", line)]
    races = [line for line in lines if _is_race(line)]
    return shown((races or telling or lines or ["git said nothing"])[0])[:300]
