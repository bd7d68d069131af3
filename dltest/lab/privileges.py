"""As whom the lab runs: never as root, and only where that user may go."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dltest.errors import LabError


@dataclass(frozen=True, slots=True)
class Identity:
    """An unprivileged user of this machine."""

    uid: int
    gid: int
    name: str

    @property
    def switches(self) -> bool:
        """Whether this process would have to give up privileges to become this user."""
        return os.geteuid() == 0 and self.uid != 0


def chosen_identity() -> Identity:
    """Ourselves; for root the user behind sudo, or `nobody`."""
    if os.geteuid() != 0:
        return _identity(pwd.getpwuid(os.geteuid()))
    behind_sudo = int(os.environ.get("SUDO_UID", "0"))
    if behind_sudo:
        return _identity(pwd.getpwuid(behind_sudo))
    return _identity(pwd.getpwnam("nobody"))


def owner_identity(folder: Path) -> Identity:
    """The user whom an existing lab belongs to."""
    uid = folder.stat().st_uid
    if uid == 0:
        raise LabError(f"{folder} belongs to root, and no lab runs as root; choose another --dir")
    if os.geteuid() not in (0, uid):
        owner = pwd.getpwuid(uid).pw_name
        raise LabError(f"the lab in {folder} belongs to {owner}; run this as {owner} or as root")
    return _identity(pwd.getpwuid(uid))


def may(identity: Identity, access: str, path: Path) -> bool:
    """Whether that user may read (`r`), write (`w`) or enter/execute (`x`) the path.

    The kernel is asked, by a process of that user, so that every kind of permission counts.
    """
    asked = ["/usr/bin/test", f"-{access}", str(path)]
    return subprocess.run(asked, check=False, **as_user(identity)).returncode == 0  # type: ignore[call-overload,no-any-return]


def as_user(identity: Identity) -> dict[str, object]:
    """Arguments for `subprocess` that make the child run as that user."""
    if not identity.switches:
        return {}
    return {"user": identity.uid, "group": identity.gid, "extra_groups": []}


def give(path: Path, identity: Identity) -> None:
    """Make the path the user's own."""
    if identity.switches:
        os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def _identity(entry: pwd.struct_passwd) -> Identity:
    return Identity(entry.pw_uid, entry.pw_gid, entry.pw_name)
