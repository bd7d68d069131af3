"""The system packages of packages.debian: what is missing, and installing it as root.

Debian starts and enables the servers of the packages that it installs. This machine's owner asked
for a test lake, not for a database and a cache at every boot, so ours are kept from starting while
they are installed and are disabled afterwards; servers that were there before are not touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from programs import ROOT, Stopwatch, output_of, require_room, run, say
from trouble import SetupError

LIST = ROOT / "packages.debian"
MIB = 600  # measured: 470 installed (a third of it LLVM, for PostgreSQL) and 110 of archives
LOG = Path("/var/log/dltest-setup.log")
SAID = 3  # exit code of --only-packages after it has said what went wrong; sudo's own is 1

# Servers that packages.debian brings. cron (of logrotate, of xrootd-server) may start at the next
# boot as on any Debian, and postgresql has nothing to start without a cluster.
SERVERS = ("cron", "postgresql", "prometheus", "redis-server")
DISABLED = ("prometheus", "redis-server")
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_MARK = "# made by dltest's set-up, which removes it; new servers:"
POLICY_TEXT = """#!/bin/sh
{mark} {new}
case " {new} " in *" ${{1%.service}} "*) exit 101 ;; esac
exit 0
"""
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/dltest-setup.conf")

LOCK_SECONDS = 300
APT = [
    "apt-get", "-y", "--no-install-recommends",
    "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30",
    "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}",
    "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
]  # fmt: skip


def wanted() -> list[str]:
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def missing() -> list[str]:
    """The wanted packages that are not fully installed."""
    names = wanted()
    # dpkg-query fails when it does not know one of the names, and still answers for the others.
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    installed = {
        line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" installed")
    }
    return [name for name in names if name not in installed]


def was_interrupted() -> bool:
    """Whether an earlier installation was killed before it could tidy up."""
    return NO_CLUSTER.exists()


def ensure() -> None:
    """Install what is missing, through sudo where this user is not root."""
    names = missing()
    if not names and not was_interrupted():
        return
    if os.geteuid() == 0:
        install(names)
        return
    command = [sys.executable, "-B", str(Path(__file__).resolve().parent), "--only-packages"]
    ended = 1
    if _may_sudo():
        say(f"{len(names)} system packages are missing; sudo installs them")
        ended = subprocess.run(["sudo", *command], check=False).returncode
    if ended == SAID:
        raise SetupError("")
    if ended:
        raise SetupError(
            f"{len(names)} system packages are missing ({', '.join(names)}) and this user may not "
            f"install them: run `{' '.join(command)}` as root once, then `make setup` again"
        )


def install(names: list[str]) -> None:
    """Install packages as root, leaving no new server running or enabled."""
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    _wait_for_dpkg()
    with _servers_kept_down():
        if output_of(["dpkg", "--audit"]):  # an installation that was killed half-way
            _apt(["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"])
        if not names:
            return
        require_room(Path("/usr"), MIB)
        with Stopwatch(f"installing {len(names)} system packages"):
            _update(names)
            _apt([*APT, "--fix-broken", "install", *names])


def _wait_for_dpkg() -> None:
    """Wait for other installations; a killed set-up's dpkg goes on for a while without it."""
    with Path("/var/lib/dpkg/lock").open("w") as lock:
        for _ in range(LOCK_SECONDS):
            with contextlib.suppress(BlockingIOError):
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(1)
    raise SetupError(
        f"another program has been installing packages for {LOCK_SECONDS} s: wait for it to end, "
        "then run `make setup` again"
    )


def _update(names: list[str]) -> None:
    try:
        _apt([*APT, "-o", "APT::Update::Error-Mode=any", "update"])
    except SetupError:
        # One broken source of many does no harm while the lists at hand name all that we need.
        policy = output_of(["apt-cache", "policy", *names]) or ""
        if policy.count("Candidate: ") - policy.count("Candidate: (none)") < len(names):
            raise


def _apt(command: list[str]) -> None:
    run(command, source="Debian's mirror", mib=MIB, log=LOG)


@contextlib.contextmanager
def _servers_kept_down() -> Iterator[None]:
    """Keep new servers from starting now (policy-rc.d) and at the next boot.

    The policy file doubles as a journal: a killed installation leaves it behind, and the next one
    finds in it which servers it still has to disable.
    """
    unknown = [name for name in SERVERS if not Path("/etc/init.d", name).exists()]
    new = sorted({*unknown, *_servers_in_policy()})
    foreign = POLICY.exists() and POLICY_MARK not in POLICY.read_text(encoding="utf-8")
    NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_CLUSTER.write_text("create_main_cluster = false\n", encoding="utf-8")
    if not foreign:
        POLICY.write_text(POLICY_TEXT.format(mark=POLICY_MARK, new=" ".join(new)), encoding="utf-8")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        for name in sorted({*new} & {*DISABLED}):
            output_of(["update-rc.d", name, "disable"])
        NO_CLUSTER.unlink()
        if not foreign:
            POLICY.unlink()


def _servers_in_policy() -> list[str]:
    if not POLICY.is_file():
        return []
    for line in POLICY.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(POLICY_MARK):
            return line[len(POLICY_MARK) :].split()
    return []


def _may_sudo() -> bool:
    if shutil.which("sudo") is None:
        return False
    return sys.stdin.isatty() or output_of(["sudo", "-n", "true"]) is not None
