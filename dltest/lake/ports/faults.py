"""The door to a lake's own operators, where they are ready to break it on purpose: in labs."""

from typing import Protocol


class Faults(Protocol):
    """Breaks and heals a lake.

    Whoever wants something broken says who it is by `by`, a run's id: what several want broken is
    whole again once none of them wants it any more. `target` is an RSE or a daemon, or None where
    the fault is of the whole lake.
    """

    def break_(self, fault: str, target: str | None, by: str) -> bool:
        """Ask for the fault; whether it is in effect. To be repeated until it is."""

    def heal(self, fault: str, target: str | None, by: str) -> bool:
        """Want the fault no more; whether all is well again. To be repeated until it is."""
