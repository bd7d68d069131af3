"""A lab's faults behind the faults port: its own command breaks and heals it.

The command is a process of its own, as a person would start it, since what a lab is made of is
no business of a lake's adapters. It is given little time and asked again: nothing waits here.
"""

import subprocess
import sys
from pathlib import Path

from dltest.errors import FaultError

# How long the command looks whether it is so; and when its process is given up as hung.
LOOK_SECONDS = 0.2
LIMIT_SECONDS = 60
DONE, NOT_YET, UNKNOWN = 0, 75, 2


class LabFaults:
    """The faults of the lab in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def break_(self, fault: str, target: str | None, by: str) -> bool:
        return self._ask("break", fault, target, by)

    def heal(self, fault: str, target: str | None, by: str) -> bool:
        return self._ask("heal", fault, target, by)

    def _ask(self, verb: str, fault: str, target: str | None, by: str) -> bool:
        what = [fault, *([target] if target else [])]
        options = ["--dir", str(self._folder), "--by", by, "--wait", str(LOOK_SECONDS)]
        command = [sys.executable, "-m", "dltest.cli.lab", verb, *what, *options]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FaultError(f"{_told(verb, what)}: {error}", operation=verb) from error
        if done.returncode in {DONE, NOT_YET}:
            return done.returncode == DONE
        message = f"{_told(verb, what)}: {' '.join(done.stderr.split())}"
        raise FaultError(message, operation=verb, is_known=done.returncode != UNKNOWN)


def _told(verb: str, what: list[str]) -> str:
    return f"the lab does not {verb} {' '.join(what)}"
