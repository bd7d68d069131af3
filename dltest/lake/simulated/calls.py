"""What all calls to the simulated Rucio share."""

from collections.abc import Iterator
from contextlib import contextmanager

from dltest.errors import CatalogueError
from dltest.lake.simulated.world import Hook, World


class SimulatedCalls:
    """A world, and whom to tell of each call; each family of calls is a class above this one."""

    def __init__(
        self, rses: tuple[str, ...], world: World, on_call: Hook, *, daemons_follow_calls: bool
    ) -> None:
        self._daemons_follow_calls = daemons_follow_calls
        self._rses = rses
        self._world = world
        self._on_call = on_call

    @contextmanager
    def _asked(self, what: str, rse: str | None = None) -> Iterator[None]:
        self._on_call(f"catalogue.{what}", "before")
        if self._world.ails("rucio-down"):
            message = f"{what}: Rucio does not answer: connection refused"
            code = "rucio-unreachable"
            raise CatalogueError(message, code=code, operation=what, retryable=True, answered=False)
        if rse is not None and rse not in self._rses:
            raise refused("no-such-rse", f"RSENotFound: {rse}")
        if self._daemons_follow_calls:
            self._world.go_round()
        yield
        self._on_call(f"catalogue.{what}", "after")


def refused(code: str, message: str) -> CatalogueError:
    return CatalogueError(message, code=code, operation="ask the simulated catalogue")
