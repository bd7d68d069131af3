"""Faults of what Rucio's catalogue says of the lake."""

from dltest.lab import storage
from dltest.lab.damage import Damage
from dltest.lab.faults.fault import Fault

RSES = tuple(element.rse for element in storage.ELEMENTS)

FAULTS: tuple[Fault, ...] = (
    Fault(
        "rse-unchecked",
        "Rucio has the checksums of transfers from and to the RSE not verified",
        damage=Damage(
            table="rse_attr_map",
            where="key = 'verify_checksum'"
            " AND rse_id = (SELECT id FROM rses WHERE rse = %(target)s)",
            keys=("rse_id", "key"),
            change={"value": "'false'"},
        ),
        kind="RSE",
        targets=RSES,
    ),
)
