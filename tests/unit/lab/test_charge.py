"""One part in the supervisor's care, with real processes that do little."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dltest.lab.alteration import Alteration
from dltest.lab.charge import FAILED_AFTER, Charge
from dltest.lab.faults.fault import WELL, Condition
from dltest.lab.layout import Layout
from dltest.lab.nursery import Nursery
from dltest.lab.parts import Part

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
DOWN, HUNG = Condition("down"), Condition("hung")
Make = Callable[[Part], Charge]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    layout = Layout(tmp_path)
    for folder in layout.folders():
        folder.mkdir(parents=True, exist_ok=True)
    made: list[Charge] = []

    def charge(part: Part) -> Charge:
        made.append(Charge(part, layout, {}, Nursery()))
        return made[-1]

    yield charge
    for one in made:
        one.kill()


def tend_until(charge: Charge, state: str, condition: Condition = WELL) -> None:
    deadline = time.monotonic() + 20
    while charge.state != state:
        charge.tend(condition, may_start=True)
        assert time.monotonic() < deadline, f"{charge.state}: {charge.message}"


def test_a_server_is_ready_when_its_probe_says_so(make: Make) -> None:
    answers = iter([False, False, True])
    charge = make(Part("server", SLEEPER, is_ready=lambda: next(answers)))
    charge.tend(may_start=False)
    assert charge.state == "waiting"
    charge.tend(may_start=True)
    assert charge.state == "starting"
    tend_until(charge, "ready")


def test_a_dead_server_is_started_again_and_counted(make: Make) -> None:
    charge = make(Part("server", SLEEPER))
    tend_until(charge, "ready")
    assert charge.running is not None
    first = charge.running.pid
    charge.running.signal(9)
    tend_until(charge, "restarting")
    tend_until(charge, "ready")
    assert charge.restarts == 1
    assert charge.running.pid != first


def test_a_server_that_always_dies_is_called_failed_with_its_last_words(make: Make) -> None:
    words = (sys.executable, "-c", "import sys; sys.exit('no room')")
    charge = make(Part("server", words, is_ready=lambda: False))
    for _ in range(FAILED_AFTER):
        charge.not_before = 0.0
        tend_until(charge, "starting")
        while charge.state == "starting":
            charge.tend(may_start=True)
    assert charge.state == "failed"
    assert charge.message == "ended with 1: no room"


def test_a_task_is_done_once_for_each_fingerprint(make: Make, tmp_path: Path) -> None:
    script = f"open({str(tmp_path / 'ran')!r}, 'a').write('x')"
    command = (sys.executable, "-c", script)
    for fingerprint in ("1", "1", "2"):
        tend_until(make(Part("task", command, fingerprint=fingerprint)), "done")
    assert (tmp_path / "ran").read_text() == "xx"


def test_a_task_that_fails_is_not_done(make: Make) -> None:
    charge = make(Part("task", (sys.executable, "-c", "exit(3)"), fingerprint="1"))
    tend_until(charge, "restarting")
    assert charge.message is not None
    assert charge.message.startswith("ended with 3")


def test_down_stays_down_until_healed(make: Make) -> None:
    charge = make(Part("server", SLEEPER))
    tend_until(charge, "ready")
    tend_until(charge, "down", DOWN)
    assert charge.running is None
    charge.tend(DOWN, may_start=True)
    assert charge.running is None
    tend_until(charge, "ready")
    assert charge.restarts == 0


def test_hung_keeps_its_process_until_healed(make: Make) -> None:
    charge = make(Part("server", SLEEPER))
    tend_until(charge, "ready")
    assert charge.running is not None
    pid = charge.running.pid
    tend_until(charge, "hung", HUNG)
    status = Path(f"/proc/{pid}/status")
    while "T (stopped)" not in status.read_text():
        pass
    tend_until(charge, "ready")
    assert charge.running.pid == pid
    assert "T (stopped)" not in status.read_text()


def test_what_a_full_disk_prevented_is_done_once_there_is_room(make: Make) -> None:
    full = [OSError(28, "No space left on device")]

    def prepare() -> None:
        if full:
            raise full.pop()

    charge = make(Part("server", SLEEPER, prepare=prepare))
    with pytest.raises(OSError, match="No space"):
        charge.tend(may_start=True)
    assert charge.state == "waiting"
    tend_until(charge, "ready")
    assert charge.running is not None
    assert charge.restarts == 0


def otherwise(part: Part, alteration: Alteration) -> Part:
    """Another sleeper, as long as there is an alteration."""
    return replace(part, command=(*SLEEPER, "otherwise")) if alteration else part


def test_altered_it_runs_otherwise_until_healed(make: Make) -> None:
    charge = make(Part("server", SLEEPER))
    charge.alter = otherwise
    tend_until(charge, "ready")
    assert charge.running is not None
    first = charge.running.pid
    altered = Condition(alteration=Alteration(settings={"mood": "bad"}))
    tend_until(charge, "altered", altered)
    assert charge.is_in(altered)
    assert charge.running.pid != first
    assert b"otherwise" in Path(f"/proc/{charge.running.pid}/cmdline").read_bytes()
    tend_until(charge, "ready")
    assert charge.part.command == SLEEPER
    assert charge.restarts == 0


def test_what_is_altered_can_hang_too_and_heals_of_one_after_the_other(make: Make) -> None:
    charge = make(Part("server", SLEEPER))
    charge.alter = otherwise
    altered = Condition(alteration=Alteration(settings={"mood": "bad"}))
    both = HUNG | altered
    tend_until(charge, "hung", both)
    assert charge.is_in(both)
    tend_until(charge, "altered", altered)
    tend_until(charge, "ready")
