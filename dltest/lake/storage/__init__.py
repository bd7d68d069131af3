"""Bytes on storage elements, moved by gfal2 in processes of their own, which can be killed.

gfal2's own time limits do not hold (a server that hangs in its TLS handshake keeps a call for
half a minute or more), so a limit that must hold is kept by whoever runs the mover.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dltest.lake.storage.pool import MoverPool
    from dltest.lake.storage.process import run_job

__all__ = ["MoverPool", "run_job"]


def __getattr__(name: str) -> object:
    # Imported when asked for: the mover lives in this package too, starts for every job, and
    # must not wait for what only its parent needs.
    if name == "MoverPool":
        from dltest.lake.storage.pool import MoverPool  # noqa: PLC0415

        return MoverPool
    if name == "run_job":
        from dltest.lake.storage.process import run_job  # noqa: PLC0415

        return run_job
    raise AttributeError(name)
