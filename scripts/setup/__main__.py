"""Set this checkout up: system packages, uv, the virtual environment, the lab's Rucio release.

Every target of the Makefile that needs something runs this first, so a run that finds everything
in place is quick and needs no root. Each part looks at what is there and not at what an earlier
run believed, and can be repeated after an interruption at any point.

Runs before anything is installed: the distribution's Python, the standard library, and a syntax
that older Pythons can read, so that their users get a sentence and not a traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import environment
import packages
from programs import ROOT, say
from trouble import SetupError


def main() -> int:
    parser = argparse.ArgumentParser(prog="setup", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only-packages", action="store_true", help="install the system packages only (needs root)"
    )
    only_packages = parser.parse_args().only_packages
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _set_up(only_packages=only_packages)
    except (SetupError, OSError) as error:
        _tell(error)
        return packages.SAID if only_packages else 1
    except KeyboardInterrupt:
        print("setup: interrupted; `make setup` goes on from here", file=sys.stderr)
        return 130
    return 0


def _tell(error: Exception) -> None:
    if isinstance(error, OSError):
        print(f"setup: {error}: see to that, then run `make setup` again", file=sys.stderr)
        return
    for line in getattr(error, "last_lines", ()):
        print(f"  | {line}", file=sys.stderr)
    if str(error):
        print(f"setup: {error}", file=sys.stderr)


def _set_up(*, only_packages: bool) -> None:
    _check_distribution()
    if only_packages:
        packages.install(packages.missing())
        return
    with _alone():
        packages.ensure()
        environment.ensure_uv()
        environment.ensure_venv()
        environment.ensure_release()
    say("everything is in place")


def _check_distribution() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - here it is a question to the machine
        raise SetupError(
            f"{sys.executable} is Python {sys.version.split()[0]} and dltest needs 3.11: "
            "use a newer distribution (Debian 12 is the one that is tested)"
        )
    if shutil.which("apt-get") is None or shutil.which("dpkg-query") is None:
        raise SetupError(
            "this is no Debian: the lab needs the packages of Debian 12, so use such a machine or "
            "container (dltest without the lab needs only `pip install`)"
        )
    if not environment.STAMP.exists() and not _is_tested():
        say("this is not Debian 12; no other distribution is tested, so packages may be missing")


def _is_tested() -> bool:
    lines = Path("/etc/os-release").read_text(encoding="utf-8").replace('"', "").splitlines()
    return "ID=debian" in lines and "VERSION_ID=12" in lines


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait for another set-up of this checkout to end (`make -j demo test` starts two)."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this checkout to end")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
