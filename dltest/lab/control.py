"""The face of the lab: bring it up, look at it, break it, heal it, take it down."""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dltest.errors import LabError
from dltest.lab import rucio_server, storage
from dltest.lab.census import end_processes, lab_processes
from dltest.lab.damage import Damage, Shut, inflict
from dltest.lab.description import BrokenThing, Lab, State, Wish, read_lab
from dltest.lab.faults import check_names, find_fault
from dltest.lab.healing import ailing, is_meant, mend_rows, order_of_mending, throws_out
from dltest.lab.identity import nodes
from dltest.lab.lake_file import write_lake_file
from dltest.lab.layout import Layout, exclusively
from dltest.lab.parts import base_environment, dltest_environment
from dltest.lab.place import LABS, MARK, find_root, make_root, reachable_code
from dltest.lab.port import assign
from dltest.lab.postgres import find_programs
from dltest.lab.privileges import as_user, chosen_identity, give, owner_identity
from dltest.lab.releases import DEFAULT_RELEASE, ensure_release

SERVERS = ("postgres", "redis", "rucio", "identity", "transfers", "transfers-tls", "web")
RSES = tuple(one.rse for one in storage.ELEMENTS)
# While a front stands before one of these, the server itself is on a port behind it.
FRONTED = (*RSES, "rucio", nodes.BALANCER, "transfers")
PORT_NAMES = (*SERVERS, *nodes.NODES, *RSES, *(storage.behind(part) for part in FRONTED))
NEEDED_BYTES = 1 * storage.GIB
READY_SECONDS = 180.0
CHANGE_SECONDS = 60.0
DOWN_SECONDS = 30.0
LOOK_SECONDS = 0.1
WELL = ("ready", "done")

BIRTH_SECONDS = 20.0

Tell = Callable[[str], None]
Watch = Callable[[State], None]


class SupervisorGoneError(LabError):
    """The supervisor was there and is no more."""


class NotYetError(LabError):
    """What was asked for is under way, and not reached in the time given."""


def up(
    asked: Path,
    *,
    release: str | None = None,
    service: bool = False,
    tell: Tell = lambda _: None,
    watch: Watch = lambda _: None,
) -> Lab:
    """Bring the lab up, or finish bringing it up; returns when a rule would be carried out.

    `tell` gets a sentence before anything slow; `watch` gets every new state.
    """
    lab = _supervised(asked, release, tell)
    with _changing(lab):
        wish = _read_wish(lab)
        wish = wish.model_copy(update={"service": wish.service or service})
        wish.write(lab.layout.wish)
    wanted = _is_up(wish)
    try:
        _await(lab, wanted, READY_SECONDS, watch)
    except SupervisorGoneError:
        # It was killed while we looked; what it left behind is repaired.
        lab = _supervised(asked, release, tell)
        _await(lab, wanted, READY_SECONDS, watch)
    return lab


def is_up(asked: Path, *, service: bool) -> bool:
    """Whether `up` would have nothing to do."""
    lab = read_lab(asked)
    if lab is None or not is_running(lab.layout):
        return False
    state = State.read(lab.layout.state)
    return state is not None and state.is_ready and (state.service or not service)


def down(asked: Path, *, purge: bool = False, tell: Tell = lambda _: None) -> None:
    """End every process of the lab; with `purge` remove every file of it too."""
    root = find_root(asked)
    if root is None or not (root / MARK).exists():
        if purge and Path(asked).is_symlink():
            Path(asked).unlink()
        return
    owner_identity(root)
    layout = Layout(root)
    if is_running(layout):
        tell("stopping the parts")
        _stop_supervisor(layout)
    end_processes(root)
    if left := lab_processes(root):
        raise LabError(f"processes {sorted(left)} do not end; end them, then `dltest lab down`")
    if purge:
        tell("removing the files")
        _remove(root, asked)


def break_(
    asked: Path,
    name: str,
    target: str | None = None,
    *,
    by: str = "",
    seconds: float = CHANGE_SECONDS,
) -> BrokenThing:
    """Inject a fault; returns when it is in effect. Done twice it is the same as once.

    Raises:
        NotYetError: it is not in effect after so many seconds; ask again.
    """
    fault = find_fault(name, target)
    lab = running_lab(asked)
    with _changing(lab):
        wish = _read_wish(lab)
        wanted = (name, target, by)
        same = [one for one in wish.broken if (one.fault, one.target, one.by) == wanted]
        thing = BrokenThing(fault=name, target=target, since=datetime.now(UTC), by=by)
        if not same:
            wish.model_copy(update={"broken": (*wish.broken, thing)}).write(lab.layout.wish)
        if fault.damage is not None:
            _inflict(lab, thing, fault.damage, wish)
    thing = same[0] if same else thing
    _await(lab, lambda state: thing in state.broken, seconds)
    return thing


def _inflict(lab: Lab, thing: BrokenThing, damage: Damage | Shut, before: Wish) -> None:
    """What cannot be done is not wished either."""
    try:
        inflict(lab, thing.fault, thing.target, damage)
    except LabError:
        before.write(lab.layout.wish)
        raise


def heal(
    asked: Path,
    fault: str | None = None,
    target: str | None = None,
    *,
    by: str | None = None,
    seconds: float = CHANGE_SECONDS,
) -> tuple[BrokenThing, ...]:
    """Undo one fault, all of its kind, or all; returns what was healed, in good health again.

    With `by`, only what is theirs; a part that others want broken stays so.

    Raises:
        NotYetError: a part is not in good health after so many seconds; ask again.
    """
    if fault is not None:
        check_names(fault, target)
    lab = running_lab(asked)
    with _changing(lab):
        wish = _read_wish(lab)
        healed = tuple(one for one in wish.broken if is_meant(one, fault, target, by))
        rest = tuple(one for one in wish.broken if one not in healed)
        for thing in sorted(healed, key=order_of_mending):
            mend_rows(lab, thing, rest)
        renewal = wish.renewal + any(throws_out(thing) for thing in healed)
        wish.model_copy(update={"broken": rest, "renewal": renewal}).write(lab.layout.wish)
    # Also when nothing was to be healed: what an earlier call healed may not be well yet.
    _await(lab, partial(_is_healed, lab), seconds)
    return healed


def _is_healed(lab: Lab, state: State) -> bool:
    """Whether nothing is ill but what is wished to be, by now also by others."""
    wish = _read_wish(lab)
    heard = set(state.broken) <= set(wish.broken) and state.renewal == wish.renewal
    return heard and _others_are_well(state, wish)


def _read_wish(lab: Lab) -> Wish:
    return Wish.read(lab.layout.wish) or Wish()


def _changing(lab: Lab) -> AbstractContextManager[None]:
    """Changes of the wish come one after another."""
    return exclusively(lab.root / "wish.lock")


def running_lab(asked: Path) -> Lab:
    """The lab there; an error with the remedy if it is not up."""
    lab = read_lab(asked)
    if lab is None:
        raise LabError(f"there is no lab in {asked}; make one with `dltest lab up --dir {asked}`")
    if not is_running(lab.layout):
        raise LabError(f"the lab in {asked} is not up; bring it up with `dltest lab up`")
    return lab


def is_running(layout: Layout) -> bool:
    """Whether a supervisor holds the lab's lock; the kernel frees it when it dies."""
    try:
        with layout.lock.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _supervised(asked: Path, release: str | None, tell: Tell) -> Lab:
    """The lab with a living supervisor; of several `up` at once, one makes it."""
    _check_programs()
    existing = find_root(asked)
    is_lab = existing is not None and (existing / MARK).exists()
    identity = owner_identity(existing) if existing and is_lab else chosen_identity()
    root = make_root(asked, identity)
    with exclusively(root / "up.lock"):
        lab = read_lab(asked)
        if lab is not None and release not in (None, lab.release):
            raise _wrong_release(lab, str(release))
        if lab is None or not is_running(lab.layout):
            lab = _prepare(root, lab, release, tell)
            _start_supervisor(lab)
    return lab


def _prepare(root: Path, before: Lab | None, release: str | None, tell: Tell) -> Lab:
    chosen = release or (before.release if before else DEFAULT_RELEASE)
    identity = owner_identity(root)
    if count := end_processes(root):
        tell(f"ended {count} processes left by an interrupted run")
    _check_space(root)
    rucio_python = ensure_release(chosen, tell)
    python, code = reachable_code(Layout(root), identity)
    lab = Lab(
        root=root,
        release=chosen,
        rucio_python=rucio_python,
        dltest_python=python,
        code=code,
        ports=_choose_ports(root, before.ports if before else {}, tell),
        passwords={**_new_passwords(), **(before.passwords if before else {})},
    )
    try:
        lab.write(lab.layout.description)
        write_lake_file(lab)
    except OSError as full:
        raise LabError(f"{root} cannot be written: {full.strerror}; make room") from full
    return lab


def _choose_ports(root: Path, before: dict[str, int], tell: Tell) -> dict[str, int]:
    ports = assign(PORT_NAMES, before, str(root))
    for name in PORT_NAMES:
        if name in before and before[name] != ports[name]:
            tell(f"port {before[name]} is taken by another process; {name} moves to {ports[name]}")
    return ports


def _new_passwords() -> dict[str, str]:
    clients = (nodes.secret_of(client) for client in nodes.CLIENTS)
    return {
        name: secrets.token_hex(16)
        for name in ("root", "dltest", rucio_server.STRANGER, nodes.USER, *clients)
    }


def _start_supervisor(lab: Lab) -> None:
    identity = owner_identity(lab.root)
    log = lab.layout.log("supervisor")
    environment = base_environment(lab) | dltest_environment(lab)
    lab.layout.state.unlink(missing_ok=True)
    log.touch()
    give(log, identity)
    # Forked once more, so that it is nobody's child but init's, whoever calls us.
    command = ["setsid", "--fork", str(lab.dltest_python), "-m", "dltest.lab.supervisor"]
    with log.open("ab") as stream:
        subprocess.run(  # type: ignore[call-overload]
            [*command, str(lab.root)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=lab.root,
            env=environment,
            **as_user(identity),
        )
    deadline = time.monotonic() + BIRTH_SECONDS
    while not is_running(lab.layout):
        if time.monotonic() > deadline:
            raise LabError(f"the lab's supervisor does not start; see {log}")
        time.sleep(LOOK_SECONDS)


def _stop_supervisor(layout: Layout) -> None:
    state = State.read(layout.state)
    if state is not None:
        with suppress(ProcessLookupError):
            os.kill(state.supervisor, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while is_running(layout) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)


def _is_up(wish: Wish) -> Callable[[State], bool]:
    """Every part is ready but those that somebody broke."""

    def reached(state: State) -> bool:
        return _others_are_well(state, wish) and (state.service or not wish.service)

    return reached


def _others_are_well(state: State, wish: Wish) -> bool:
    """Whether every part is well but those that cannot be, as they are broken."""
    ill = ailing(wish.broken)
    others = [part for part in state.parts if part.name not in ill]
    return bool(others) and all(part.state in WELL for part in others)


def _await(
    lab: Lab, reached: Callable[[State], bool], seconds: float, watch: Watch = lambda _: None
) -> None:
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        if not is_running(lab.layout):
            log = lab.layout.log("supervisor")
            raise SupervisorGoneError(f"the lab's supervisor ended; see {log}, then `lab up` again")
        state = State.read(lab.layout.state)
        if state is not None and state != last:
            last = state
            watch(state)
            if reached(state):
                return
        time.sleep(LOOK_SECONDS)
    raise NotYetError(_what_is_missing(lab, last, seconds))


def _what_is_missing(lab: Lab, state: State | None, seconds: float) -> str:
    waiting = [part for part in state.parts if part.state not in WELL] if state else []
    culprits = [part for part in waiting if part.message or part.state == "starting"] or waiting
    told = "; ".join(f"{part.name} is {part.state} ({part.message})" for part in culprits[:3])
    trouble = f"; {state.trouble}" if state and state.trouble else ""
    return (
        f"not there after {seconds:.0f} s: {told}{trouble}; "
        f"the logs are in {lab.layout.logs}; `dltest lab up` waits on, `lab down` gives up"
    )


def _check_programs() -> None:
    find_programs()
    missing = [name for name in ("xrootd", "xrdcp", "redis-server") if shutil.which(name) is None]
    if missing:
        raise LabError(f"{', '.join(missing)} not found; run `make setup` to install them")


def _check_space(root: Path) -> None:
    free = storage.free_bytes(root)
    if free < NEEDED_BYTES:
        raise LabError(
            f"only {free // 2**20} MiB are free in {root} and a lab wants {NEEDED_BYTES // 2**20}; "
            "make room or choose another --dir"
        )


def _wrong_release(lab: Lab, release: str) -> LabError:
    return LabError(
        f"this lab runs Rucio {lab.release}, not {release}; "
        "take it down with `dltest lab down --purge` first, or choose another --dir"
    )


def _remove(root: Path, asked: Path) -> None:
    try:
        shutil.rmtree(root)
    except OSError as refusal:
        raise LabError(f"{refusal.filename} cannot be removed: {refusal.strerror}") from refusal
    if Path(asked).is_symlink():
        Path(asked).unlink()
    if root.parent == LABS:
        with suppress(OSError):
            LABS.rmdir()  # only once it is empty
