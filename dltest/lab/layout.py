"""Where everything of one lab lies on disk, and how its files are written."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one lab; `root` is its real folder, symlinks resolved."""

    root: Path

    @property
    def description(self) -> Path:
        return self.root / "lab.json"

    @property
    def wish(self) -> Path:
        return self.root / "wish.json"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def lake_file(self) -> Path:
        return self.root / "lake.yaml"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def rounds(self) -> Path:
        """One empty file a daemon; its modification time is the end of the daemon's last round."""
        return self.run / "rounds"

    @property
    def done(self) -> Path:
        """One file a finished set-up task, holding the fingerprint of what it was done for."""
        return self.root / "done"

    @property
    def authority(self) -> Path:
        return self.root / "ca"

    @property
    def identity(self) -> Path:
        """Keys, clients and grants of the token issuer."""
        return self.root / "identity"

    @property
    def storage(self) -> Path:
        return self.root / "storage"

    @property
    def database(self) -> Path:
        return self.root / "postgres"

    @property
    def code(self) -> Path:
        """A copy of dltest and what it imports, where the lab's user cannot read the original."""
        return self.root / "code"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def folders(self) -> Iterator[Path]:
        yield from (self.etc, self.logs, self.run, self.rounds, self.done, self.authority)
        yield from (self.identity, self.storage, self.root / "redis", self.root / "transfers")
        yield from (self.root / "home", self.root / "tmp")


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """The file holds either its old or its new text, whatever happens in between.

    Written by root, it belongs to the owner of the folder.
    """
    handle, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            _leave_to_owner(stream.fileno(), path.parent)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Run the block under another file creation mask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def exclusively(lock: Path) -> Iterator[None]:
    """One process at a time runs the block; the kernel lets the next in if that one dies."""
    with lock.open("a") as stream:
        _leave_to_owner(stream.fileno(), lock.parent)
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _leave_to_owner(descriptor: int, folder: Path) -> None:
    """What root makes belongs to whom the folder belongs."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
