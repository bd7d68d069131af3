"""Uses of tokens until their end and on, and for how long storages may go on accepting them."""

from dataclasses import dataclass

from dltest.lake.token_rules.catalogue import Action

_READ = ("storage.read:{file}",)
_CHANGE = ("storage.create:{file}", "storage.modify:{file}")
_WRITES = (*_READ, *_CHANGE)


@dataclass(frozen=True, slots=True)
class Expiry:
    """A use of a token until its end and on."""

    name: str
    does: Action
    scopes: tuple[str, ...]


EXPIRIES = {
    expiry.name: expiry
    for expiry in (
        Expiry("read", Action.READ, _READ),
        Expiry("list", Action.LIST, ("storage.read:{folder}",)),
        Expiry("write", Action.OVERWRITE, _CHANGE),
        Expiry("delete", Action.DELETE, _WRITES),
        Expiry("copy", Action.COPY, _WRITES),
        Expiry("upload", Action.UPLOAD, _WRITES),
        Expiry("download", Action.DOWNLOAD, _READ),
    )
}

# For how long implementations document that they go on accepting a token they have seen good, by
# the beginning of their `Server` header. XRootD: `m_expiry_secs` of XrdSciTokensAccess.cc.
GRACE_SECONDS = {"xrootd": 60.0}


def documented_grace(server: str) -> float:
    """Of the implementation that names itself so; an unknown one has none."""
    told = server.lower()
    return next((grace for name, grace in GRACE_SECONDS.items() if told.startswith(name)), 0.0)
