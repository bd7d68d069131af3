"""What a mover does with one file: a function a kind of job, each answering with a report."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import get_ident
from urllib.parse import urlsplit

from dltest.lake.damage import Damage, Fingerprint, damaged, fingerprint
from dltest.lake.payload import PIECE_BYTES, Comparison, adler32_of, write_payload
from dltest.lake.storage.errors import CHECKSUM, MISSING, UNSUPPORTED, Meaning
from dltest.lake.storage.gfal import Session, StorageRefusalError
from dltest.lake.storage.meter import Meter
from dltest.lake.storage.order import FileOrder, Order, Report
from dltest.lake.storage.source import is_worth_it, serving

SIZE = Meaning("size-mismatch")
NOT_DAMAGED = "not-damaged"
NOT_SUPPORTED = "not-supported"

Operation = Callable[[Session, Meter, Order, FileOrder], Report]


def put(session: Session, meter: Meter, order: Order, file: FileOrder) -> Report:
    """Make the payload, write it, and compare the storage's checksum with ours."""
    way = _put_streamed if is_worth_it(file.url, file.size_bytes) else _put_spooled
    adler32 = way(session, meter, order, file)
    _demand_checksum(session, file.url, adler32)
    return Report(file.url, adler32=adler32, size_bytes=file.size_bytes)


def get(session: Session, meter: Meter, order: Order, file: FileOrder) -> Report:
    """Copy the file here, as `rucio download` does, and compare it with the payload."""
    # A name of this thread, and no file yet: gfal2 removes what it shall overwrite.
    copy = Path(order.spool, f"get-{get_ident()}")
    try:
        with meter.moving() as moved:
            session.copy(file.url, f"file://{copy}", moved)
            moved(copy.stat().st_size)
        return _judged(file, _compared(copy, order, file))
    finally:
        copy.unlink(missing_ok=True)


def read(session: Session, meter: Meter, order: Order, file: FileOrder) -> Report:
    """Read every byte back and compare it with the payload, keeping none."""
    comparison = Comparison(order.seed, file.index, file.size_bytes)
    with meter.moving() as moved:
        for piece in session.read(file.url):
            comparison.feed(piece)
            moved(comparison.received)
    return _judged(file, comparison)


def stat(session: Session, _meter: Meter, _order: Order, file: FileOrder) -> Report:
    """Whether the file is there, and its size."""
    try:
        size = session.size(file.url)
    except StorageRefusalError as refusal:
        if refusal.meaning is MISSING:
            return Report(file.url, present=False)
        raise
    return Report(file.url, present=True, size_bytes=size)


def unlink(session: Session, _meter: Meter, _order: Order, file: FileOrder) -> Report:
    """Remove the file; what is not there is fine."""
    try:
        session.unlink(file.url)
    except StorageRefusalError as refusal:
        if refusal.meaning is not MISSING:
            raise
    return Report(file.url, present=False)


def damage(session: Session, meter: Meter, order: Order, file: FileOrder) -> Report:
    """Put the damaged content in the file's place, then look at what lies there."""
    how = Damage(str(file.damage))
    if not file.behind:
        _damage_by_protocol(session, meter, order, file, how)
    elif order.disk is None:
        detail = "this machine has no disk of the storage to damage behind its server's back"
        return Report(file.url, NOT_SUPPORTED, answered=False, detail=detail)
    else:
        _damage_on_disk(_place_on(Path(order.disk), file.url), order, file, how)
    if how is Damage.REMOVE:
        report = stat(session, meter, order, file)
        return replace(report, code=NOT_DAMAGED, detail="still there") if report.present else report
    return _confirmed(session, order, file, how)


OPERATIONS: dict[str, Operation] = {
    "put": put,
    "get": get,
    "read": read,
    "stat": stat,
    "unlink": unlink,
    "damage": damage,
}


def perform(session: Session, meter: Meter, order: Order, file: FileOrder) -> Report:
    """Do what the order says with one file; a refusal is a report, so the others go on."""
    try:
        return OPERATIONS[order.kind](session, meter, order, file)
    except StorageRefusalError as refusal:
        found = refusal.meaning
        return Report(file.url, found.code, answered=found.answered, detail=refusal.detail)
    except OSError as error:
        # Ours, not the storage's: the spool is full, or a descriptor is missing.
        return Report(file.url, "spool-error", answered=False, detail=str(error))
    finally:
        meter.file_done()


def _put_spooled(session: Session, meter: Meter, order: Order, file: FileOrder) -> str:
    with NamedTemporaryFile(dir=order.spool, prefix="put-", buffering=0) as spooled:
        adler32 = write_payload(spooled.fileno(), order.seed, file.index, file.size_bytes)
        _copy_up(session, meter, f"file://{spooled.name}", file)
    return adler32


def _put_streamed(session: Session, meter: Meter, order: Order, file: FileOrder) -> str:
    with serving(order.seed, file.index, file.size_bytes) as source:
        _copy_up(session, meter, source.url, file)
    # Read in pieces, the source knows no sum; the storage's checksum shall still be ours.
    return source.adler32 or adler32_of(order.seed, file.index, file.size_bytes)


def _copy_up(session: Session, meter: Meter, source: str, file: FileOrder) -> None:
    with meter.moving() as moved:
        session.copy(source, file.url, moved)
        moved(file.size_bytes)


def _damage_by_protocol(
    session: Session, meter: Meter, order: Order, file: FileOrder, how: Damage
) -> None:
    # Removed first: whatever the server has remembered of the file goes with it.
    unlink(session, meter, order, file)
    if how is Damage.REMOVE:
        return
    with NamedTemporaryFile(dir=order.spool, prefix="damage-", buffering=0) as spooled:
        for piece in damaged(order.seed, file.index, file.size_bytes, how):
            spooled.write(piece)
        _copy_up(session, meter, f"file://{spooled.name}", file)


def _place_on(disk: Path, url: str) -> Path:
    """Where the file lies on the storage's disk, and nowhere else, whatever its URL says.

    The file itself may be a link: a storage with spaces keeps the bytes there.
    """
    path = Path(f"{disk}/{urlsplit(url).path}")
    folder = path.parent.resolve()
    if path.name == ".." or not folder.is_relative_to(disk.resolve()):
        raise PermissionError(f"{url} lies outside {disk}")
    return folder / path.name


def _damage_on_disk(path: Path, order: Order, file: FileOrder, how: Damage) -> None:
    """Owner, mode and modification time stay, and with them what the server has remembered."""
    if how is Damage.REMOVE:
        path.unlink(missing_ok=True)
        return
    before = path.stat()
    with path.open("r+b", buffering=0) as content:
        for piece in damaged(order.seed, file.index, file.size_bytes, how):
            content.write(piece)
        content.truncate()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _confirmed(session: Session, order: Order, file: FileOrder, how: Damage) -> Report:
    """Refuses what is not the damage that was meant, or is the payload after all."""
    meant = fingerprint(damaged(order.seed, file.index, file.size_bytes, how))
    found = fingerprint(session.read(file.url))
    whole = Fingerprint(file.size_bytes, str(file.adler32))
    code = NOT_DAMAGED if found != meant or found == whole else None
    detail = f"{found.size_bytes} bytes with Adler-32 {found.adler32}"
    if code:
        detail += f" lie there; {meant.size_bytes} with {meant.adler32} were meant"
    return Report(file.url, code, detail=detail, adler32=found.adler32, size_bytes=found.size_bytes)


def _compared(copy: Path, order: Order, file: FileOrder) -> Comparison:
    comparison = Comparison(order.seed, file.index, file.size_bytes)
    with copy.open("rb", buffering=0) as content:
        while piece := content.read(PIECE_BYTES):
            comparison.feed(piece)
    return comparison


def _demand_checksum(session: Session, url: str, adler32: str) -> None:
    """Refuses a written file that the storage itself knows to be another.

    A storage without Adler-32 cannot be asked; reading back will tell.
    """
    try:
        found = session.checksum(url)
    except StorageRefusalError as refusal:
        if refusal.meaning is UNSUPPORTED:
            return
        raise
    if found != adler32:
        raise StorageRefusalError(CHECKSUM, f"wrote {adler32}, the storage has {found}")


def _judged(file: FileOrder, comparison: Comparison) -> Report:
    differs_at = comparison.finish()
    code, detail = None, ""
    if comparison.received != file.size_bytes:
        code = SIZE.code
        detail = f"{comparison.received} bytes instead of {file.size_bytes}"
    elif differs_at is not None:
        code = CHECKSUM.code
        detail = f"first wrong byte at {differs_at}; Adler-32 is {comparison.adler32}"
        detail += f" instead of {file.adler32}" if file.adler32 else ""
    elif file.adler32 not in {None, comparison.adler32}:
        code = CHECKSUM.code
        detail = f"Adler-32 is {comparison.adler32}, {file.adler32} was expected"
    return Report(
        file.url,
        code,
        detail=detail,
        adler32=comparison.adler32,
        size_bytes=comparison.received,
    )
