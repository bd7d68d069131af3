"""Samples of meshes made by chance: nothing is missed, and what comes or goes shifts little."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dltest.planning.links import Link, ring, window

names = st.sampled_from(["replicate", "mesh", "long-haul"])
sizes = st.integers(2, 25)
turns = st.integers(0, 10**9)


def mesh(rses: int) -> list[Link]:
    return [(f"R{a}", f"R{b}") for a in range(rses) for b in range(rses) if a != b]


@given(sizes, names, st.integers(1, 700), turns)
def test_every_link_comes_once_in_the_turns_that_all_need(
    rses: int, name: str, pairs: int, first: int
) -> None:
    links = mesh(rses)
    needed = -(-len(links) // pairs)
    seen = [window(links, name, pairs, turn) for turn in range(first, first + needed)]
    assert Counter(link for turn in seen for link in turn) == Counter(links)
    assert all(len(turn) <= pairs for turn in seen)


@given(sizes, names, st.integers(1, 50), turns, st.randoms())
def test_the_order_in_which_links_are_listed_does_not_matter(
    rses: int, name: str, pairs: int, turn: int, random: object
) -> None:
    links = mesh(rses)
    shuffled = links[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert window(links, name, pairs, turn) == window(shuffled, name, pairs, turn)


@given(st.integers(3, 25), names)
def test_an_rse_that_goes_takes_its_links_out_and_mixes_nothing_anew(rses: int, name: str) -> None:
    links = mesh(rses)
    gone = f"R{rses - 1}"
    whole = window(links, name, len(links), 0)
    rest = [link for link in links if gone not in link]
    assert window(rest, name, len(rest), 0) == [link for link in whole if gone not in link]


@given(st.integers(3, 25), names, st.integers(1, 100), st.integers(0, 100))
def test_a_link_moves_by_no_more_places_than_the_rse_had_links(
    rses: int, name: str, pairs: int, turn: int
) -> None:
    """So a turn of a mesh that keeps its number of turns changes by so many links at most."""
    links = mesh(rses)
    rest = [link for link in links if f"R{rses - 1}" not in link]
    if -(-len(links) // pairs) != -(-len(rest) // pairs):
        return
    before, now = (set(window(some, name, pairs, turn)) for some in (links, rest))
    assert len(before - now) <= len(links) - len(rest)


def test_scenarios_begin_at_different_links() -> None:
    assert window(mesh(20), "a", 20, 0) != window(mesh(20), "b", 20, 0)


def test_a_hundred_rses_are_covered_in_a_day_of_hours() -> None:
    links = mesh(100)
    assert len(links) == 9900
    seen = {link for turn in range(24) for link in window(links, "mesh", 413, turn)}
    assert len(seen) == 9900


@given(sizes)
def test_a_ring_enters_and_leaves_every_rse_once(rses: int) -> None:
    names = [f"R{n}" for n in range(rses)]
    links = ring(names)
    assert sorted(a for a, _ in links) == sorted(b for _, b in links) == sorted(names)
    at, steps = links[0][0], 0
    onward = dict(links)
    while steps == 0 or at != links[0][0]:
        at, steps = onward[at], steps + 1
    assert steps == rses
