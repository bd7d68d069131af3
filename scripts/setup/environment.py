"""The Python side of a checkout: uv, the virtual environment, gfal2 in it, the Rucio release."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from programs import ROOT, TOOLS, Stopwatch, output_of, require_room, run
from trouble import SetupError

SYSTEM_PYTHON = "/usr/bin/python3"
EXTRAS = ("lab", "postgres", "web", "worker")
PYPI = "the Python package index"
TOOLS_MIB, VENV_MIB, RELEASE_MIB = 100, 400, 400  # with what uv keeps in its cache
ASK_RELEASE = """
from dltest.lab.releases import DEFAULT_RELEASE, cache_folder, is_whole
print("" if is_whole(cache_folder() / f"rucio-{DEFAULT_RELEASE}") else cache_folder(), end="")
"""
RELEASE = """
from dltest.lab.releases import DEFAULT_RELEASE, ensure_release
ensure_release(DEFAULT_RELEASE, lambda message: print(message, flush=True))
"""

UV = TOOLS / "bin" / "uv"
UV_PIN = Path(__file__).with_name("uv.txt")
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".set-up"
UNFINISHED = TOOLS / "venv-unfinished"
GFAL2 = "gfal2" + EXTENSION_SUFFIXES[0]


def ensure_uv() -> None:
    """Put the pinned uv into .tools."""
    pin = UV_PIN.read_text(encoding="utf-8").strip()
    version = pin.partition("==")[2]
    if version in (output_of([str(UV), "--version"]) or "").split():
        return
    require_room(TOOLS, TOOLS_MIB)
    with Stopwatch(f"installing uv {version}"):
        for part in ("bin", "include", "lib", "lib64", "pyvenv.cfg"):  # an interrupted run's
            _remove(TOOLS / part)
        run([SYSTEM_PYTHON, "-m", "venv", str(TOOLS)], source=PYPI, mib=TOOLS_MIB)
        pip = [str(TOOLS / "bin" / "python"), "-m", "pip", "--no-input", "install", "--quiet", pin]
        run(pip, source=PYPI, mib=TOOLS_MIB)


def ensure_venv() -> None:
    """Make .venv what uv.lock says, on the distribution's Python, with Debian's gfal2 in it."""
    if _is_current():
        return
    require_room(VENV, VENV_MIB)
    with Stopwatch("installing the Python packages of uv.lock into .venv"):
        if UNFINISHED.exists() or not _is_ours():
            _remove(VENV)
        UNFINISHED.touch()  # uv trusts a package whose files a killed run had begun to lay out
        extras = [word for extra in EXTRAS for word in ("--extra", extra)]
        command = [str(UV), "sync", "--locked", "--python", SYSTEM_PYTHON, *extras]
        # The lab runs as a user who cannot write bytecode here.
        run([*command, "--compile-bytecode", "--no-progress"], source=PYPI, mib=VENV_MIB)
        _link_gfal2()
        run([str(PYTHON), "-c", "import dltest, gfal2"], source=PYPI, mib=VENV_MIB)
        STAMP.write_text(_fingerprint(), encoding="utf-8")
        UNFINISHED.unlink()


def ensure_release() -> None:
    """Install the Rucio server that the lab runs by default; all labs of a user share it."""
    missing_below = output_of([str(PYTHON), "-c", ASK_RELEASE])
    if missing_below == "":
        return
    require_room(Path(missing_below or VENV), RELEASE_MIB)
    with Stopwatch("installing the Rucio server of the lab"):
        run([str(PYTHON), "-c", RELEASE], source=PYPI, mib=RELEASE_MIB)


def _is_current() -> bool:
    return (
        STAMP.is_file()
        and not UNFINISHED.exists()
        and STAMP.read_text(encoding="utf-8") == _fingerprint()
        and os.access(PYTHON, os.X_OK)
        and os.access(VENV / "bin" / "dltest", os.X_OK)
        and _gfal2_link().exists()
    )


def _is_ours() -> bool:
    """Whether .venv was made here and from the distribution's Python, whose gfal2 it must load."""
    config = VENV / "pyvenv.cfg"
    if not config.is_file() or "home = /usr/bin\n" not in config.read_text(encoding="utf-8"):
        return False
    return not STAMP.is_file() or STAMP.read_text(encoding="utf-8").startswith(f"{ROOT}\n")


def _fingerprint() -> str:
    """What .venv was made from: the place, because its programs name it, and everything else."""
    digest = hashlib.sha256(f"{sys.version} {EXTRAS} {GFAL2}".encode())
    for name in ("pyproject.toml", "uv.lock"):
        digest.update((ROOT / name).read_bytes())
    return f"{ROOT}\n{digest.hexdigest()}\n"


def _gfal2_link() -> Path:
    version = "python{}.{}".format(*sys.version_info)
    return VENV / "lib" / version / "site-packages" / GFAL2


def _link_gfal2() -> None:
    """Let .venv see the one module that PyPI has no wheel of, and nothing else of Debian's."""
    binding = Path("/usr/lib/python3/dist-packages", GFAL2)
    if not binding.exists():
        raise SetupError(
            f"{binding} is missing although python3-gfal2 is installed: its Python is not "
            f"{SYSTEM_PYTHON}, so use the distribution's own python3 there"
        )
    _remove(_gfal2_link())
    _gfal2_link().symlink_to(binding)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
