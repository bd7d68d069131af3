"""Faults of what Rucio's catalogue says of the lake."""

from typing import LiteralString

from dltest.lab import rucio_server, storage
from dltest.lab.damage import Damage
from dltest.lab.faults.fault import CATALOGUE, OTHER, RSE, Drill, Fault, Notice
from dltest.model import Verdict

RSES = storage.OPEN_RSES + storage.TOKEN_RSES
AT_RSE: LiteralString = "rse_id = (SELECT id FROM rses WHERE rse = %(target)s)"
TO_RSE: LiteralString = "dest_rse_id = (SELECT id FROM rses WHERE rse = %(target)s)"
NOBODY_LISTENS: LiteralString = "9"


def _noticed(scenario: str, step: str, code: str, blame: str, *at: str) -> Drill:
    return Drill((Notice(scenario, at or (RSE,), step, (code,), blame),), (RSE,))


def _at_rse(name: str, title: str, damage: Damage, drill: Drill) -> Fault:
    return Fault(name, title, damage=damage, kind="RSE", targets=RSES, drills=(drill,))


def _blocked(name: str, title: str, column: str, drill: Drill) -> Fault:
    damage = Damage("rses", "rse = %(target)s", ("id",), {column: "false"})
    return _at_rse(name, title, damage, drill)


def _attribute(
    name: str, title: str, where: LiteralString, drill: Drill, **change: LiteralString
) -> Fault:
    damage = Damage("rse_attr_map", f"{AT_RSE} AND {where}", ("rse_id", "key"), change)
    return _at_rse(name, title, damage, drill)


def _of_account(name: str, title: str, damage: Damage) -> Fault:
    codes = ("sign-in-failed",)
    notice = Notice("upload", (OTHER,), "upload", codes, "identity", Verdict.INCONCLUSIVE)
    return Fault(name, title, damage=damage, drills=(Drill((notice,), (CATALOGUE,)),))


NOT_DELETED = _noticed("delete", "absent", "replica-not-deleted", "rucio")

FAULTS = (
    _blocked(
        "rse-write-blocked",
        "the RSE is blocked for writing",
        "availability_write",
        _noticed("replicate", "replicate", "rse-blocked", "rucio", OTHER, RSE),
    ),
    _blocked(
        "rse-read-blocked",
        "the RSE is blocked for reading",
        "availability_read",
        _noticed("replicate", "replicate", "rse-blocked", "rucio", RSE, OTHER),
    ),
    _blocked(
        "rse-delete-blocked", "the RSE is blocked for deletion", "availability_delete", NOT_DELETED
    ),
    _at_rse(
        "distance-missing",
        "Rucio knows no distance to the RSE, and takes it for not connected",
        Damage("distances", TO_RSE),
        _noticed("replicate", "replicate", "no-distance", "rucio", OTHER, RSE),
    ),
    _at_rse(
        "protocol-port-wrong",
        "Rucio looks for the storage at a port where nobody listens",
        Damage("rse_protocols", AT_RSE, ("rse_id", "scheme"), {"port": NOBODY_LISTENS}),
        _noticed("upload", "upload", "storage-unreachable", f"site {RSE}"),
    ),
    _at_rse(
        "protocol-host-wrong",
        "Rucio looks for the storage at a host that does not exist",
        Damage("rse_protocols", AT_RSE, ("rse_id", "scheme"), {"hostname": "'storage.invalid'"}),
        _noticed("upload", "upload", "storage-host-unknown", f"site {RSE}"),
    ),
    _at_rse(
        "protocols-missing",
        "Rucio knows no way to talk to the storage",
        Damage("rse_protocols", AT_RSE),
        _noticed("upload", "upload", "no-common-protocol", "rucio"),
    ),
    _attribute(
        "fts-missing",
        "the RSE names no transfer service",
        "key = 'fts'",
        _noticed("replicate", "replicate", "not-submitted", "rucio", OTHER, RSE),
    ),
    _attribute(
        "fts-wrong",
        "the RSE names a transfer service that does not exist",
        "key = 'fts'",
        _noticed("replicate", "replicate", "submission-failed", "fts", OTHER, RSE),
        value="'http://127.0.0.1:9'",
    ),
    Fault(
        "rse-unchecked",
        "Rucio has the checksums of transfers from and to the RSE not verified",
        damage=Damage(
            "rse_attr_map",
            f"{AT_RSE} AND key = 'verify_checksum'",
            ("rse_id", "key"),
            {"value": "'false'"},
        ),
        kind="RSE",
        targets=RSES,
        # Stops nothing: only damage that the source does not know of tells.
        drills=(
            _noticed(
                "silent-rot", "replicate", "corruption-undetected", "link {0}->{1}", OTHER, RSE
            ),
        ),
    ),
    _of_account(
        "account-suspended",
        "our account in Rucio is suspended",
        Damage(
            "accounts",
            "account = 'dltest'",
            ("account",),
            {"status": "'SUSPENDED'", "suspended_at": "now() AT TIME ZONE 'UTC'"},
        ),
    ),
    _of_account(
        "password-changed",
        "our password in Rucio is another",
        Damage(
            "identities",
            "identity = 'dltest' AND identity_type = 'USERPASS'",
            ("identity", "identity_type"),
            {"password": "'another'"},
        ),
    ),
    _of_account(
        "identity-unlinked",
        "our identity may no longer use our account",
        Damage("account_map", "identity = 'dltest' AND account = 'dltest'"),
    ),
)

assert rucio_server.ACCOUNT == "dltest"  # noqa: S101 - the statements above name it
