"""Starting programs: their output goes to the log, their failure becomes one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from trouble import SetupError, explain

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / ".tools"
LOG = TOOLS / "setup.log"

# Set by virtual environments, pyenv and callers that configured uv or pip for something else.
FOREIGN = (
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "UV_PYTHON",
    "UV_PROJECT",
    "PIP_REQUIRE_VIRTUALENV",
)


def environment() -> dict[str, str]:
    """The caller's environment, less what would lead uv and pip to another Python or project."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",  # the words that `trouble` looks for
        "UV_PROJECT_ENVIRONMENT": str(ROOT / ".venv"),
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def say(message: str) -> None:
    print(f"setup: {message}", flush=True)


def output_of(command: list[str]) -> str | None:
    """What a quick question prints, or None when it cannot be asked or fails."""
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False, env=environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout if asked.returncode == 0 else None


def _writable(log: Path) -> Path:
    """The log, or one at home where another user set this checkout up."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if os.access(log if log.exists() else log.parent, os.W_OK):
        return log
    (Path.home() / ".cache").mkdir(exist_ok=True)
    return Path.home() / ".cache" / "dltest-setup.log"


def run(command: list[str], *, source: str, mib: int, log: Path = LOG) -> None:
    """Run a program to its end, its output in the log.

    Raises:
        SetupError: it failed; its last lines were printed.
    """
    log = _writable(log)
    with log.open("ab") as sink:
        sink.write(f"\n$ {' '.join(command)}\n".encode())
        sink.flush()
        began_at = sink.tell()
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=ROOT,
            env=environment(), check=False,
        )  # fmt: skip
    if ended.returncode:
        output = log.read_bytes()[began_at:].decode(errors="replace")
        reason = explain(output, source, mib)
        if reason:
            raise SetupError(reason)
        raise SetupError(
            f"`{' '.join(command[:3])}` failed for none of the usual reasons: see the lines above "
            f"and {log}, then run `make setup` again",
            output.splitlines()[-12:],
        )


def require_room(folder: Path, mib: int) -> None:
    """Refuse to begin what the disk below `folder` cannot hold.

    Raises:
        SetupError: less than `mib` MiB are free there.
    """
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // 2**20
    if free < mib:
        raise SetupError(
            f"only {free} MiB are free below {folder} and {mib} MiB are needed: "
            "make room there, then run `make setup` again"
        )


class Stopwatch:
    """Say what is being done, and afterwards how long it took."""

    def __init__(self, doing: str) -> None:
        self.doing = doing

    def __enter__(self) -> None:
        say(f"{self.doing} ...")
        self.began_at = time.monotonic()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            say(f"{self.doing}: done in {time.monotonic() - self.began_at:.0f} s")
