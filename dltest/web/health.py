"""Whether the service can do its work, component by component."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dltest.errors import DltestError
from dltest.store import Store

# Four of beat's default ticks: one may be late, three in a row are a reason to look.
LATE_TICK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    is_well: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    components: tuple[Component, ...]

    @property
    def is_ready(self) -> bool:
        return all(component.is_well for component in self.components)

    def as_json(self) -> dict[str, Any]:
        return {
            "ready": self.is_ready,
            "components": {
                component.name: {"well": component.is_well, "detail": component.detail}
                for component in self.components
            },
        }


class Readiness:
    """Asks the store, the broker, and the store for beat's last mark."""

    def __init__(self, store: Store, broker_answers: Callable[[], object]) -> None:
        self._store = store
        self._broker_answers = broker_answers

    def report(self) -> Report:
        return Report(
            (
                _asked("store", self._open_runs),
                _asked("broker", self._broker),
                _asked("beat", self._beat),
            )
        )

    def _open_runs(self) -> str:
        return f"{sum(self._store.open_runs().values())} runs open"

    def _broker(self) -> str:
        self._broker_answers()
        return "answers"

    def _beat(self) -> str:
        last = self._store.last_tick()
        if last is None:
            raise DltestError("no tick yet: is `dltest beat` running, and a control worker?")
        age = datetime.now(UTC) - last
        if age > LATE_TICK:
            raise DltestError(f"the last tick is {age.total_seconds():.0f} s old")
        return f"ticked {age.total_seconds():.0f} s ago"


def _asked(name: str, ask: Callable[[], str]) -> Component:
    try:
        return Component(name, is_well=True, detail=ask())
    except DltestError as error:
        return Component(name, is_well=False, detail=str(error))
