"""Files that wait for their tokens: exchanged after submission, renewed when they age.

A refresh token outlives what Rucio sent: however long a file is queued, it moves with a token that
is good. What cannot be had fails the file at once, as FTS does it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.lifecycle import Lifecycle
from dltest.lab.transfer_service.records import File
from dltest.lab.transfer_service.tokens import Issuer, IssuerError, Token

_LOG = logging.getLogger(__name__)
_SIDES = ("source", "destination")


class TokenDesk:
    """`go_on` is called with a file that need not wait any longer."""

    def __init__(
        self,
        database: Database,
        lifecycle: Lifecycle,
        issuer: Issuer,
        *,
        renew_before_seconds: float,
        go_on: Callable[[File], None],
    ) -> None:
        self._database = database
        self._lifecycle = lifecycle
        self._issuer = issuer
        self._renew_before_seconds = renew_before_seconds
        self._go_on = go_on
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewing: set[int] = set()

    def prepare(self, file: File) -> None:
        """Have the file's tokens exchanged; then it goes on from where it would have begun."""
        self._start(self._exchange(file))

    def is_renewing(self, file: File) -> bool:
        """Whether the file has to wait, since a token of its ends soon; it is renewed then.

        Asked again after that, the file may go, whatever came of it: the storage will judge.
        """
        if file.file_id in self._renewing:
            self._renewing.discard(file.file_id)
            return False
        if not any(self._is_old(token) for token in self.tokens_of(file)):
            return False
        self._renewing.add(file.file_id)
        self._start(self._renew(file))
        return True

    def tokens_of(self, file: File) -> tuple[Token | None, Token | None]:
        """For its source and its destination."""
        return (
            self._database.token(file.src_token_id),
            self._database.token(file.dst_token_id),
        )

    def _is_old(self, token: Token | None) -> bool:
        return (
            token is not None
            and token.refresh_token is not None
            and token.expires - time.time() < self._renew_before_seconds
        )

    async def _exchange(self, file: File) -> None:
        for side, token in zip(_SIDES, self.tokens_of(file), strict=True):
            if token is None or not token.is_held:
                continue
            try:
                refresh_token = await self._issuer.exchange(token)
            except IssuerError as error:
                reason = f"Failed to get refresh token for {side} token: {error}"
                self._lifecycle.unprepared(file, reason)
                return
            self._database.keep_token(token.exchanged(refresh_token))
        if prepared := self._lifecycle.prepared(file):
            self._go_on(prepared)

    async def _renew(self, file: File) -> None:
        for token in self.tokens_of(file):
            if token is not None and self._is_old(token):
                try:
                    self._database.keep_token(await self._issuer.renewed(token))
                except IssuerError as error:
                    _LOG.warning("file_id=%d token is not renewed: %s", file.file_id, error)
        self._go_on(file)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
