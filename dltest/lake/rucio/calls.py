"""What all calls to Rucio share; each family of calls is a class of its own above this one."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeVar

from dltest.lake.identity import open_wallet
from dltest.lake.ports import TokenRequest
from dltest.lake.rucio.session import Bearer, RucioSession
from dltest.settings import LakeSettings

T = TypeVar("T")

BATCH = 500


class RucioCalls:
    """A signed-in session, and the names that dltest goes by."""

    def __init__(self, settings: LakeSettings) -> None:
        self._account = settings.rucio.account
        self._scope = settings.rucio.scope
        self._session = RucioSession(
            settings.rucio, bearer=_bearer(settings), proxy=settings.storage.proxy
        )


def _bearer(settings: LakeSettings) -> Bearer | None:
    """The token that Rucio is shown, where it is one and not a password or a certificate."""
    identity = settings.identity
    if settings.rucio.auth_type != "oidc" or identity is None:
        return None
    request = TokenRequest(scopes=identity.scopes, audiences=(identity.audience,))
    return partial(open_wallet(identity).bearer, request)


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Slices that a server answers best, and below the 1,000 items that its schema allows."""
    return (items[start : start + size] for start in range(0, len(items), size))
