"""A lake with all its doors, and who moves its bytes, from its file."""

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from dltest.lake.faults import LabFaults
from dltest.lake.identity import Issuer, open_wallet
from dltest.lake.ports import Carrier, Catalogue, Faults, Storage, Stranger, Tokens, Transfers
from dltest.lake.rucio import RucioCatalogue, RucioStranger
from dltest.lake.simulated import client
from dltest.lake.storage import MoverPool, run_job
from dltest.lake.storage.bearers import Purse, bearers_of
from dltest.lake.token_rules.bearers import Desk
from dltest.lake.transfers import FTS
from dltest.settings import IdentitySettings, LakeSettings, RucioSettings


@dataclass(frozen=True, slots=True)
class OpenLake:
    """`ports.LakePorts` over a real Rucio, real storage elements and a real FTS.

    Or over a simulated lake that another process serves.
    """

    name: str
    catalogue: Catalogue
    storage: Storage
    transfers: Transfers
    faults: Faults | None = None
    tokens: Tokens | None = None
    stranger: Stranger | None = None


def open_lake(settings: LakeSettings, *, storage: Storage) -> OpenLake:
    """Nothing is asked of the lake yet. Whoever moves bytes, here or by workers, is `storage`."""
    if settings.simulated is not None:
        return OpenLake(
            name=settings.name,
            catalogue=client.open_catalogue(settings.simulated),
            storage=storage,
            transfers=client.open_transfers(settings.simulated),
            faults=client.open_faults(settings.simulated),
        )
    return OpenLake(
        name=settings.name,
        catalogue=RucioCatalogue(settings),
        storage=storage,
        transfers=FTS(settings.storage),
        faults=LabFaults(settings.lab) if settings.lab else None,
        tokens=_tokens(settings.identity),
        stranger=_stranger(settings.rucio),
    )


def _stranger(rucio: RucioSettings) -> Stranger | None:
    return RucioStranger(rucio, rucio.stranger) if rucio.stranger is not None else None


def _desk(settings: LakeSettings) -> Desk | None:
    tokens, identity = _tokens(settings.identity), settings.identity
    if tokens is None or identity is None:
        return None
    return Desk(tokens, settings.rucio.url, identity.audience, identity.scopes)


@cache
def _tokens(identity: IdentitySettings | None) -> Tokens | None:
    """Only a client of the issuer can ask for tokens of its choice."""
    return Issuer(identity) if identity is not None and identity.client_id is not None else None


def carrier(settings: LakeSettings, spool: Path) -> Carrier:
    """Who carries out this lake's storage jobs: a mover process, or the simulated lake itself."""
    if settings.simulated is not None:
        return partial(client.move, path=settings.simulated)
    return partial(
        run_job,
        settings=settings.storage,
        spool=spool,
        bearers=bearers_of(settings.storage, _purse(settings.identity)),
        tokens=_desk(settings),
    )


@cache
def _purse(identity: IdentitySettings | None) -> Purse | None:
    """One a process, so that a token is asked for once and not for every job."""
    return open_wallet(identity) if identity is not None else None


def open_movers(settings: LakeSettings, spool: Path) -> MoverPool:
    """The storage of a process that runs scenarios itself; to be closed."""
    return MoverPool(settings.storage, spool, carry=carrier(settings, spool))
