"""A queue per link: fair between links, by priority and age within one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dltest.lab.transfer_service.queues import Link, LinkQueues

A, B, C = ("a", "x"), ("b", "x"), ("c", "x")


def drain(queues: LinkQueues) -> list[tuple[Link, int]]:
    """All that may be taken, each file done as soon as it is taken."""
    taken = []
    while found := queues.take():
        queues.done(found[0])
        taken.append(found)
    return taken


def test_priority_goes_before_age() -> None:
    queues = LinkQueues(per_link=1)
    for file_id, priority in ((1, 3), (2, 5), (3, 3), (4, 1)):
        queues.add(A, file_id, priority)
    assert [file_id for _, file_id in drain(queues)] == [2, 1, 3, 4]


def test_a_changed_priority_counts_and_a_dropped_file_does_not_go() -> None:
    queues = LinkQueues(per_link=1)
    for file_id in (1, 2, 3):
        queues.add(A, file_id, 3)
    queues.add(A, 3, 5)
    queues.drop(A, 1)
    assert [file_id for _, file_id in drain(queues)] == [3, 2]


def test_links_take_turns_however_long_their_queues() -> None:
    queues = LinkQueues(per_link=1)
    for file_id in range(10):
        queues.add(A, file_id, 5)
    queues.add(B, 100, 1)
    queues.add(C, 101, 1)
    assert {link for link, _ in drain(queues)[:3]} == {A, B, C}


def test_the_link_with_fewer_under_way_is_served_first() -> None:
    queues = LinkQueues(per_link=4)
    for file_id in range(4):
        queues.add(A, file_id, 3)
    assert [queues.take(), queues.take()] == [(A, 0), (A, 1)]
    queues.add(B, 10, 3)
    queues.add(B, 11, 3)
    assert [queues.take(), queues.take()] == [(B, 10), (B, 11)]


LINKS = st.sampled_from([A, B, C])


@given(
    files=st.lists(st.tuples(LINKS, st.integers(1, 5)), max_size=40),
    per_link=st.integers(1, 4),
)
def test_every_file_goes_once_and_no_link_exceeds_its_limit(
    files: list[tuple[Link, int]], per_link: int
) -> None:
    queues = LinkQueues(per_link)
    for file_id, (link, priority) in enumerate(files):
        queues.add(link, file_id, priority)
    gone: list[int] = []
    while len(queues):
        under_way: Counter[Link] = Counter()
        while found := queues.take():
            under_way[found[0]] += 1
            gone.append(found[1])
        assert max(under_way.values()) <= per_link
        for link, count in under_way.items():
            for _ in range(count):
                queues.done(link)
    assert sorted(gone) == list(range(len(files)))
