"""Rucio's server in a virtual environment of its own per release, shared by all labs.

Rucio's server and its clients own the same Python package, so the server cannot live in
dltest's environment. An environment counts only once its marker is written, as the last act,
so that an interrupted installation is never taken for a whole one.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dltest.errors import LabError
from dltest.lab.layout import exclusively, umask

DEFAULT_RELEASE = "41.5.1"
# gfal2's Python binding exists only compiled for the distribution's own interpreter.
INTERPRETER = Path("/usr/bin/python3")
RECIPE = "1"
INSTALL_SECONDS = 900


def ensure_release(release: str, tell: Callable[[str], None]) -> Path:
    """The interpreter of an environment that holds that Rucio release, installed if need be."""
    if not re.fullmatch(r"\d+\.\d+\.\d+(\.\w+)?", release):
        raise LabError(f"{release!r} is not a Rucio release; say, for example, 41.5.1")
    home = cache_folder() / f"rucio-{release}"
    python = home / "bin" / "python"
    if is_whole(home):
        return python
    with umask(0o022):
        home.parent.mkdir(parents=True, exist_ok=True)
        with exclusively(home.with_suffix(".lock")):
            if not is_whole(home):
                tell(f"installing Rucio {release} into {home}")
                _install(release, home)
    return python


def is_whole(home: Path) -> bool:
    """Whether the installation there came to its end."""
    marker = home / "COMPLETE"
    return marker.exists() and marker.read_text() == RECIPE


def cache_folder() -> Path:
    """Where environments are kept: outside of any lab, readable by the lab's user."""
    if os.geteuid() == 0:
        return Path("/var/cache/dltest")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "dltest"


def _install(release: str, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    requirements = [f"rucio[postgresql]=={release}", "gunicorn"]
    try:
        for command in _commands(home, requirements):
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
            )
        _borrow_gfal2(home)
        (home / "COMPLETE").write_text(RECIPE)
    except subprocess.CalledProcessError as failure:
        shutil.rmtree(home, ignore_errors=True)
        said = (failure.stderr or failure.stdout).strip().splitlines()[-3:]
        raise LabError(
            f"Rucio {release} could not be installed ({' / '.join(said)}); "
            "check the release, the network and the package index, then `dltest lab up` again"
        ) from failure
    except (OSError, subprocess.TimeoutExpired) as failure:
        shutil.rmtree(home, ignore_errors=True)
        raise LabError(
            f"Rucio {release} could not be installed in {home}: {failure}; "
            "make room or check the network, then `dltest lab up` again"
        ) from failure


def _commands(home: Path, requirements: list[str]) -> list[list[str]]:
    uv = _find_uv()
    python = str(home / "bin" / "python")
    if uv is None:
        return [
            [str(INTERPRETER), "-m", "venv", str(home)],
            [python, "-m", "pip", "install", "--quiet", *requirements],
        ]
    return [
        [uv, "venv", "--quiet", "--no-project", "--python", str(INTERPRETER), str(home)],
        [uv, "pip", "install", "--quiet", "--python", python, "--compile-bytecode", *requirements],
    ]


def _find_uv() -> str | None:
    """The uv beside our own environment, or the one on the path."""
    own = Path(sys.prefix).parent / ".tools" / "bin" / "uv"
    return str(own) if own.exists() else shutil.which("uv")


def _borrow_gfal2(home: Path) -> None:
    """Rucio's reaper deletes with gfal2, which only the distribution provides."""
    site = next((home / "lib").glob("python3.*/site-packages"))
    for library in Path("/usr/lib/python3/dist-packages").glob("gfal2.cpython-*.so"):
        (site / library.name).symlink_to(library)
