"""A simulated lake with all its doors."""

from collections.abc import Iterable

from dltest.lake.ports import Stranger, Tokens
from dltest.lake.simulated.catalogue import SimulatedCatalogue
from dltest.lake.simulated.faults import SimulatedFaults
from dltest.lake.simulated.storage import SimulatedStorage
from dltest.lake.simulated.transfers import SimulatedTransfers
from dltest.lake.simulated.world import Ailment, Clock, Hook, Journal, ManualClock, World


class SimulatedLake:
    """`ports.LakePorts` in memory. `stored` maps URLs to the bytes that lie there.

    `on_call` is called with (`catalogue.register`, `before`) and (..., `after`) around every
    call of a port; what it raises is raised there, as a crash at that point would. `journal` is
    told of every change of the lake. With `own_pace` the daemons go round when `go_round` is
    called, and not with every call of the catalogue.
    """

    def __init__(
        self,
        rses: Iterable[str] = ("XRD1", "XRD2"),
        *,
        name: str = "simulated",
        ailments: Iterable[Ailment] = (),
        clock: Clock | None = None,
        on_call: Hook = lambda _what, _when: None,
        journal: Journal = lambda _effect, _name: None,
        own_pace: bool = False,
    ) -> None:
        self.name = name
        self.clock = clock or ManualClock()
        self._world = World(self.clock, set(ailments), journal)
        names = tuple(rses)
        self.catalogue = SimulatedCatalogue(
            name, names, self._world, on_call, daemons_follow_calls=not own_pace
        )
        self.storage = SimulatedStorage(self._world, on_call)
        self.transfers = SimulatedTransfers(self._world, on_call)
        self.faults = SimulatedFaults(names, self._world, on_call)
        self.tokens: Tokens | None = None
        self.stranger: Stranger | None = None

    @property
    def stored(self) -> dict[str, bytes]:
        return self._world.stored

    def go_round(self) -> None:
        """Let all daemons do what is due."""
        self._world.go_round()

    def ails(self, name: str, rse: str | None = None) -> bool:
        return self._world.ails(name, rse)

    @property
    def ailments(self) -> frozenset[Ailment]:
        return frozenset(self._world.ailments)

    def fall_ill(self, ailment: Ailment) -> None:
        self._world.ailments.add(ailment)

    def heal(self, ailment: Ailment) -> None:
        self._world.ailments.discard(ailment)

    def litter(self) -> list[str]:
        """All that is left: names, rules, replicas and bytes."""
        world = self._world
        replicas = (f"{name} at {rse}" for name, rse in world.replicas)
        return sorted([*world.files, *world.datasets, *world.rules, *replicas, *world.stored])
