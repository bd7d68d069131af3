"""Folders that files pass through, one a job, in memory where they fit; gone with their job.

A folder is locked by the process that made it. One without a holder was left by a process that
was killed, and is removed by the next that needs a folder.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - its folders are private, and made by mkdtemp


@contextmanager
def spool_folder(on_disk: Path, needed_bytes: int) -> Iterator[Path]:
    """A private empty folder for one job, removed on leaving with all that lies in it.

    In memory if twice the need is free there, else below `on_disk`.
    """
    root = _root(on_disk, needed_bytes)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove_stale(root)
    folder, lock = _locked_folder(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_stale(root: Path) -> None:
    """Remove the folders below `root` whose makers are gone."""
    for folder in root.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            _remove_unless_locked(folder)


def memory_root() -> Path:
    """This user's part of the memory file system."""
    return MEMORY / f"dltest-spool-{os.getuid()}"


def _root(on_disk: Path, needed_bytes: int) -> Path:
    root = memory_root()
    if _free_memory() < 2 * needed_bytes or not _is_ours(root):
        return on_disk
    return root


def _is_ours(root: Path) -> bool:
    """Whether the folder is, or can be made, ours alone: others may write where it lies."""
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        facts = root.lstat()
    except OSError:
        return False
    return facts.st_uid == os.getuid() and facts.st_mode & 0o77 == 0 and root.is_dir()


def _free_memory() -> int:
    """Bytes free on the memory file system, and in memory itself."""
    try:
        disk = os.statvfs(MEMORY)
    except OSError:
        return 0
    return min(disk.f_bavail * disk.f_frsize, _available_memory())


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _locked_folder(root: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix="job-", dir=root))
        # Somebody who removes stale folders may come between us and our lock.
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _remove_unless_locked(folder: Path) -> None:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
