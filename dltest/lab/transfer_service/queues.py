"""A queue per link: which file goes next.

Links take turns: the one with the fewest files under way is served, among equals the one that
has waited longest since its last turn. Within a link a higher priority goes first, then the
older file. Knows nothing of states or of the database; who takes a file out checks that it
may still go.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field

Link = tuple[str, str]


@dataclass(slots=True)
class _Queue:
    heap: list[tuple[int, int]] = field(default_factory=list)  # (-priority, file id)
    waiting: dict[int, int] = field(default_factory=dict)  # file id -> -priority
    last_turn: int = 0


class LinkQueues:
    def __init__(self, per_link: int) -> None:
        self._per_link = per_link
        self._queues: dict[Link, _Queue] = {}
        self._under_way: Counter[Link] = Counter()
        self._turn = 0

    def add(self, link: Link, file_id: int, priority: int) -> None:
        """A file that already waits only changes its priority."""
        queue = self._queues.setdefault(link, _Queue())
        if queue.waiting.get(file_id) != -priority:
            queue.waiting[file_id] = -priority
            heapq.heappush(queue.heap, (-priority, file_id))

    def drop(self, link: Link, file_id: int) -> None:
        if queue := self._queues.get(link):
            queue.waiting.pop(file_id, None)

    def take(self) -> tuple[Link, int] | None:
        """The next file, now under way on its link until `done`; None when all must wait."""
        ready = [
            (self._under_way[link], queue.last_turn, link)
            for link, queue in self._queues.items()
            if queue.waiting and self._under_way[link] < self._per_link
        ]
        if not ready:
            return None
        link = min(ready)[2]
        queue = self._queues[link]
        self._turn += 1
        queue.last_turn = self._turn
        self._under_way[link] += 1
        file_id = self._first(queue)
        if not queue.waiting:
            queue.heap.clear()
        return link, file_id

    def done(self, link: Link) -> None:
        self._under_way[link] -= 1

    def waiting(self, link: Link) -> int:
        queue = self._queues.get(link)
        return len(queue.waiting) if queue else 0

    def __len__(self) -> int:
        return sum(len(queue.waiting) for queue in self._queues.values())

    @staticmethod
    def _first(queue: _Queue) -> int:
        while True:
            rank, file_id = heapq.heappop(queue.heap)
            if queue.waiting.get(file_id) == rank:  # else dropped, or its priority changed
                del queue.waiting[file_id]
                return file_id
