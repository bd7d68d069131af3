"""Which links of a mesh are tried: all, a ring, a star, or a sample that turns."""

from collections.abc import Iterable, Sequence, Set
from hashlib import sha256

from dltest.model import Lake
from dltest.planning.selection import select
from dltest.scenario import Scenario
from dltest.scenario.scenario import Links

Link = tuple[str, str]


def links_of(
    scenario: Scenario,
    lake: Lake,
    choices: dict[str, list[str]],
    *,
    turn: int = 0,
    aimed_at: Set[str] | None = None,
) -> set[Link] | None:
    """The links that the scenario may use; None when it does not say.

    `choices` are the RSEs of each role. Who aims at an RSE gets a sample of its own links.

    Raises:
        NoTargetError: the reference of a star means no RSE.
    """
    links = scenario.links
    if links is None:
        return None
    sources, destinations = choices[links.from_], choices[links.to]
    mesh = [(a, b) for a in sources for b in destinations if a != b]
    if links.shape == "ring":
        return set(ring([*sources, *destinations])) & set(mesh)
    if links.shape == "star":
        middle = set(select(links.reference or "*", lake, asked_by=_asked_by(scenario)))
        return {link for link in mesh if middle & set(link)}
    if links.shape == "sample":
        return set(_sampled(links, scenario.name, mesh, turn, aimed_at))
    return set(mesh)


def _asked_by(scenario: Scenario) -> str:
    return f"scenario '{scenario.name}', links.reference"


def _sampled(
    links: Links, name: str, mesh: Iterable[Link], turn: int, aimed_at: Set[str] | None
) -> list[Link]:
    near = [link for link in mesh if aimed_at is None or aimed_at & set(link)]
    return window(near, name, links.pairs or len(near), turn)


def ring(rses: Iterable[str]) -> list[Link]:
    """From each RSE to the next by name, and from the last to the first."""
    names = sorted(set(rses))
    if len(names) < 2:
        return []
    return list(zip(names, [*names[1:], names[0]], strict=True))


def window(mesh: Sequence[Link], name: str, pairs: int, turn: int) -> list[Link]:
    """At most `pairs` links of a permutation that only the name decides.

    N links take ceil(N / pairs) turns that follow each other, from whichever on; each link comes
    once in them. A link's place in the order does not depend on the others, so that an RSE that
    comes or goes shifts the rest by as many places as it has links, and mixes nothing anew.
    """
    order = sorted(mesh, key=lambda link: sha256(" ".join((name, *link)).encode()).digest())
    windows = -(-len(order) // pairs)
    start = (turn % windows) * pairs if windows else 0
    return order[start : start + pairs]
