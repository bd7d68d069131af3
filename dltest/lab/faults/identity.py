"""Faults of the token issuer: of its name, of its nodes, and of what it says in tokens."""

from typing import Any

from dltest.lab.alteration import Alteration
from dltest.lab.faults.fault import Fault
from dltest.lab.identity.nodes import BALANCER, NODES

FIRST, *OTHERS = NODES
CLOCK_SECONDS = 600.0


def _nodes(name: str, title: str, **settings: Any) -> Fault:
    alteration = Alteration(settings=settings)
    return Fault(name, title, part=FIRST, others=tuple(OTHERS), alteration=alteration)


FAULTS = (
    Fault(
        "identity-down",
        "all nodes of the token issuer are killed",
        part=FIRST,
        others=tuple(OTHERS),
        stopped="down",
    ),
    Fault(
        "identity-hung",
        "the token issuer takes connections and never answers",
        part=BALANCER,
        stopped="hung",
    ),
    Fault(
        "identity-slow",
        "the token issuer answers after seconds",
        part=BALANCER,
        alteration=Alteration(manners={"delay_seconds": 4.0}),
    ),
    Fault(
        "identity-one-node-down",
        "one node of the token issuer is killed; the other does its work",
        part=FIRST,
        stopped="down",
    ),
    # Whoever learns an issuer's keys as it publishes them does not notice.
    _nodes(
        "identity-key-rotated",
        "the token issuer signs with its next key, which it has long published",
        signing="next",
    ),
    _nodes(
        "identity-key-unknown",
        "the token issuer signs with a key that it does not publish",
        signing="unpublished",
    ),
    _nodes(
        "identity-clock-skew",
        "the clock of the token issuer is ten minutes ahead",
        clock_seconds=CLOCK_SECONDS,
    ),
)
