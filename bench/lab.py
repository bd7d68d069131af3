"""The lab that a bench measures on: the one given, or one of its own for the time it runs."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UP_SECONDS = 600
DOWN_SECONDS = 120


@contextmanager
def running_lab(given: Path | None) -> Iterator[Path]:
    """The folder of a lab that is up. One that was started here leaves nothing."""
    if given is not None:
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="dltest-bench-", dir="/var/tmp"))
    # The lab's processes are another user's when root starts it.
    home.chmod(0o755)
    folder = home / "lab"
    try:
        _lab("up", folder, UP_SECONDS)
        yield folder
    finally:
        _lab("down", folder, DOWN_SECONDS, "--purge")
        shutil.rmtree(home, ignore_errors=True)


def _lab(command: str, folder: Path, seconds: int, *options: str) -> None:
    """Its words go to stderr: stdout is for figures."""
    program = [sys.executable, "-m", "dltest.cli.main", "lab", command, "--dir", str(folder)]
    subprocess.run([*program, *options], stdout=sys.stderr, timeout=seconds, check=True)
