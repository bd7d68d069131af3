"""The processes of a lab, found in /proc by the mark that every one of them carries."""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
MIB = 1024 * 1024


def lab_processes(root: Path) -> set[int]:
    """All processes started by that lab, however they were started or orphaned.

    A process belongs to a lab if its environment says so or if it works below its folder
    (PostgreSQL's workers overwrite their environment).
    """
    mark = f"DLTEST_LAB={root}\0".encode()
    return {pid for pid in _pids() if pid != os.getpid() and _belongs(pid, mark, root)}


def _belongs(pid: int, mark: bytes, root: Path) -> bool:
    try:
        if mark in (PROC / str(pid) / "environ").read_bytes():
            return True
        return (PROC / str(pid) / "cwd").readlink().is_relative_to(root / "postgres")
    except OSError:
        return False


def end_processes(root: Path, seconds: float = 3.0) -> int:
    """End what is left of a lab, gently and then by force; how many there were."""
    found = lab_processes(root)
    for number in (signal.SIGCONT, signal.SIGTERM):
        _send(found, number)
    if found and not _gone(root, seconds):
        _send(lab_processes(root), signal.SIGKILL)
        _gone(root, seconds)
    return len(found)


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _gone(root: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not lab_processes(root):
            return True
        time.sleep(0.05)
    return not lab_processes(root)


def pss_bytes(parts: Mapping[str, int]) -> dict[str, int]:
    """Memory of each part, its own share of shared pages included, children added.

    A child that is a part itself is counted there only.
    """
    children: dict[int, list[int]] = {}
    for pid in _pids():
        children.setdefault(_parent(pid), []).append(pid)
    owners = set(parts.values())
    return {name: _pss_of_tree(pid, children, owners) for name, pid in parts.items()}


def _pss_of_tree(pid: int, children: Mapping[int, list[int]], owners: set[int]) -> int:
    below = (child for child in children.get(pid, ()) if child not in owners)
    return _pss(pid) + sum(_pss_of_tree(child, children, owners) for child in below)


def _pss(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _parent(pid: int) -> int:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return 0
    # The second field, the name in brackets, may hold spaces.
    return int(text.rpartition(")")[2].split()[1])


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
