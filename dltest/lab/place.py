"""Where a lab's files and dltest's code are put so that the lab's user can reach them."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import dltest
from dltest.errors import LabError
from dltest.lab.layout import Layout, umask, write_atomically
from dltest.lab.privileges import Identity, give, may
from dltest.lab.releases import INTERPRETER

# Tells a folder that holds a lab, or the beginnings of one, from other people's files.
MARK = ".dltest-lab"
LABS = Path("/var/lib/dltest/labs")


def find_root(asked: Path) -> Path | None:
    """The real folder of the lab asked for, if there is one."""
    real = Path(os.path.realpath(asked))
    return real if real.is_dir() else None


def make_root(asked: Path, identity: Identity) -> Path:
    """The real folder for a lab: the one asked for, or one behind it that the user can enter."""
    asked = Path(asked).absolute()
    try:
        asked.parent.mkdir(parents=True, exist_ok=True)
    except OSError as refusal:
        raise LabError(f"{asked} cannot be made: {refusal.strerror}; choose --dir") from refusal
    if asked.is_symlink() and not asked.exists():
        asked.unlink()
    real = Path(os.path.realpath(asked))
    if not real.exists() and not may(identity, "x", asked.parent):
        real = _elsewhere(asked)
    _claim(real, identity)
    return real


def _elsewhere(asked: Path) -> Path:
    """A folder of our own, to which the one asked for becomes a link."""
    digest = hashlib.sha256(str(asked).encode()).hexdigest()[:12]
    real = LABS / digest
    with umask(0o022):
        LABS.mkdir(parents=True, exist_ok=True)
    real.mkdir(exist_ok=True)
    asked.symlink_to(real)
    return real


def _claim(real: Path, identity: Identity) -> None:
    """The folder exists, is the user's own, and is empty or a lab."""
    try:
        real.mkdir(exist_ok=True)
    except OSError as refusal:
        raise LabError(f"{real} cannot be made: {refusal.strerror}; choose --dir") from refusal
    foreign = any(real.iterdir()) and not (real / "lab.json").exists()
    if foreign and not (real / MARK).exists():
        raise LabError(f"{real} holds files that are not a lab's; choose another --dir")
    (real / MARK).touch()
    for path in (real, real / MARK):
        give(path, identity)
    with umask(0o022):
        for folder in Layout(real).folders():
            folder.mkdir(parents=True, exist_ok=True)
            give(folder, identity)


def reachable_code(layout: Layout, identity: Identity) -> tuple[Path, Path]:
    """An interpreter and a folder for PYTHONPATH that the lab's user can use.

    Our own if it can read them; else a copy below the lab, renewed when the original changed.
    """
    own = Path(dltest.__file__).parent.parent
    executable = Path(sys.executable)
    if may(identity, "x", executable) and may(identity, "r", Path(dltest.__file__)):
        return executable, own
    _copy_code(own, layout.code, identity)
    return INTERPRETER, layout.code


def _copy_code(own: Path, copy: Path, identity: Identity) -> None:
    site = Path(next(path for path in sys.path if path.endswith("site-packages")))
    stamp = _stamp(own / "dltest", site)
    mark = copy / ".stamp"
    if mark.exists() and mark.read_text() == stamp:
        return
    shutil.rmtree(copy, ignore_errors=True)
    with umask(0o022):
        shutil.copytree(site, copy, symlinks=False, copy_function=_copy_readable)
        for name in ("dltest", "scenarios"):
            if (own / name).is_dir():
                shutil.copytree(
                    own / name, copy / name, dirs_exist_ok=True, copy_function=_copy_readable
                )
        write_atomically(mark, stamp)
    for folder, folders, _files in os.walk(copy):
        Path(folder).chmod(0o755)
        del folders
    give(copy, identity)


def _copy_readable(source: str, destination: str) -> str:
    shutil.copyfile(source, destination)
    shutil.copystat(source, destination)
    Path(destination).chmod(0o644)
    return destination


def _stamp(code: Path, site: Path) -> str:
    """Changes whenever a module of ours or the set of installed packages does."""
    ours = sorted((str(path), path.stat().st_mtime_ns) for path in code.rglob("*.py"))
    packages = sorted((entry.name, entry.stat().st_mtime_ns) for entry in site.iterdir())
    return hashlib.sha256(repr((ours, packages)).encode()).hexdigest()
