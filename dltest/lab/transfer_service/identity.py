"""The one user of a lab's transfer service.

Over plain HTTP no credential ever arrives, and a real FTS would call such a caller "anon" and
refuse the rest. The lab takes everyone for one certificate holder instead; deterministic job
ids follow from the VO as in FTS.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

# FTS's constant: all its ids are derived from it.
BASE_ID = uuid.UUID("01874efb-4735-4595-bc9c-591aef8240c9")


@dataclass(frozen=True, slots=True)
class Identity:
    user_dn: str
    vo: str
    method: str = "certificate"

    @property
    def fqan(self) -> str:
        return f"/{self.vo}/Role=NULL/Capability=NULL"

    @property
    def delegation_id(self) -> str:
        text = (self.user_dn + self.fqan).encode()
        return hashlib.sha1(text, usedforsecurity=False).hexdigest()[:16]

    @property
    def vo_id(self) -> uuid.UUID:
        return uuid.uuid5(BASE_ID, self.vo)

    def answer(self) -> dict[str, Any]:
        """What GET /whoami says."""
        return {
            "user_dn": self.user_dn,
            "dn": [self.user_dn],
            "base_id": str(BASE_ID),
            "voms_cred": [self.fqan],
            "vos": [self.vo],
            "vos_id": [str(self.vo_id)],
            "roles": [],
            "level": {"transfer": "all", "datamanagement": "all", "deleg": "all", "config": "all"},
            "delegation_id": self.delegation_id,
            "method": self.method,
            "is_root": False,
        }
