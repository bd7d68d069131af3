"""What the operators of a simulated lake break when they are asked to: its ailments."""

from dltest.errors import FaultError
from dltest.lake.simulated.world import TURNS_OF_A_FAULT, Ailment, Hook, World

AT_AN_RSE = {"storage-down", "storage-hung", "silent-truncation", "silent-corruption"}
OF_THE_LAKE = {"rucio-down", "transfer-service-down", "submitter-down", "reaper-down", "slow"}


class SimulatedFaults:
    """Some turns pass until a fault is in effect, and until it is healed."""

    def __init__(self, rses: tuple[str, ...], world: World, on_call: Hook) -> None:
        self._rses = rses
        self._world = world
        self._on_call = on_call
        self._wanted: dict[Ailment, set[str]] = {}
        self._asked: dict[tuple[str, Ailment, str], int] = {}

    def break_(self, fault: str, target: str | None, by: str) -> bool:
        ailment = self._ailment(fault, target)
        self._on_call("faults.break_", "before")
        self._wanted.setdefault(ailment, set()).add(by)
        is_so = self._is_due("break", ailment, by)
        if is_so and ailment not in self._world.ailments:
            self._world.ailments.add(ailment)
            self._world.journal("broken", f"{fault} {target or ''}")
        self._on_call("faults.break_", "after")
        return is_so

    def heal(self, fault: str, target: str | None, by: str) -> bool:
        ailment = self._ailment(fault, target)
        self._on_call("faults.heal", "before")
        others = self._wanted.setdefault(ailment, set())
        others.discard(by)
        is_so = ailment not in self._world.ailments or bool(others)
        if not is_so and (is_so := self._is_due("heal", ailment, by)):
            self._world.ailments.discard(ailment)
            self._world.journal("healed", f"{fault} {target or ''}")
        self._on_call("faults.heal", "after")
        return is_so

    def _is_due(self, verb: str, ailment: Ailment, by: str) -> bool:
        """What is asked for is done after it was asked for so many times."""
        key = (verb, ailment, by)
        self._asked[key] = self._asked.get(key, 0) + 1
        return self._asked[key] >= TURNS_OF_A_FAULT

    def _ailment(self, fault: str, target: str | None) -> Ailment:
        is_known = fault in AT_AN_RSE and target in self._rses if target else fault in OF_THE_LAKE
        if not is_known:
            where = f" at {target}" if target else ""
            raise FaultError(f"there is no fault {fault}{where}", operation="break", is_known=False)
        return Ailment(fault, target)
