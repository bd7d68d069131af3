"""Accounts with the attribute `admin` may declare replicas bad; else the generic policy decides."""

from typing import Any

from rucio.core.account import has_account_attribute

OF_ADMINS = {"declare_bad_file_replicas", "add_bad_pfns"}


def has_permission(issuer: Any, action: str, kwargs: dict[str, Any], *, session: Any) -> Any:  # noqa: ARG001 - Rucio's signature
    """None leaves it to the generic policy."""
    if action not in OF_ADMINS:
        return None
    return has_account_attribute(account=issuer, key="admin", session=session) or None
