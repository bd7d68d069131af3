"""Who uses a lab's transfer service.

Whoever shows a token is whom it names, or nobody if it is not good. Whoever shows none would be
nobody to a real FTS without a certificate; the lab takes them all for one certificate holder.
Deterministic job ids follow from the VO as in FTS.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

# FTS's constant: all its ids are derived from it.
BASE_ID = uuid.UUID("01874efb-4735-4595-bc9c-591aef8240c9")


@dataclass(frozen=True, slots=True)
class Identity:
    """`bearer` is the token that was shown; with it move files that brought none of their own."""

    user_dn: str
    vo: str
    method: str = "certificate"
    bearer: str | None = field(default=None, repr=False)
    claims: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_token(cls, token: str, claims: Mapping[str, Any], vo: str) -> Self:
        return cls(str(claims["sub"]), vo, "oauth2", token, claims)

    @property
    def is_nobody(self) -> bool:
        return self.method == "unauthenticated"

    @property
    def fqan(self) -> str:
        return f"/{self.vo}/Role=NULL/Capability=NULL"

    @property
    def delegation_id(self) -> str:
        by_token = f"{self.claims.get('iss')}{self.user_dn}"
        text = (by_token if self.bearer else self.user_dn + self.fqan).encode()
        return hashlib.sha1(text, usedforsecurity=False).hexdigest()[:16]

    @property
    def vo_id(self) -> uuid.UUID:
        return uuid.uuid5(BASE_ID, self.vo)

    def answer(self) -> dict[str, Any]:
        """What GET /whoami says."""
        if self.is_nobody:
            nothing: list[str] = []
            empty = dict.fromkeys(("voms_cred", "vos", "vos_id", "level"), nothing)
            return {**self._common(), **empty, "delegation_id": None}
        if self.bearer is None:
            return self._common()
        return {
            **self._common(),
            "voms_cred": [],
            "level": {"transfer": "vo", "datamanagement": "all", "deleg": ""},
            "oauth2_scope": self.claims.get("scope"),
            "wlcg_profile": "wlcg.ver" in self.claims,
        }

    def _common(self) -> dict[str, Any]:
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


NOBODY = Identity("anon", "", "unauthenticated")
