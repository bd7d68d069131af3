"""`python -m dltest.lab.identity.balancer PORT NODE...`: the issuer's name, before its nodes.

Connections go to the nodes in turn, and past one that refuses. Their bytes, which are TLS, are
not looked into.
"""

import asyncio
import itertools
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

PIECE_BYTES = 64 * 1024
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Balancer:
    """Takes connections for several ports of the loopback."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._count = len(ports)
        self._turns: Iterator[int] = itertools.cycle(ports)

    async def serve(self, port: int) -> None:
        """Until the process ends."""
        server = await asyncio.start_server(self._attend, "127.0.0.1", port)
        async with server:
            await server.serve_forever()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if (node := await self._connected()) is not None:
                await asyncio.gather(_pass_on(reader, node[1]), _pass_on(node[0], writer))
        finally:
            writer.close()

    async def _connected(self) -> Streams | None:
        """The next node that takes us, if any does."""
        for port in itertools.islice(self._turns, self._count):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """All that comes, and then that nothing more comes."""
    with suppress(OSError):
        while piece := await source.read(PIECE_BYTES):
            sink.write(piece)
            await sink.drain()
    sink.close()


def main() -> None:
    port, *nodes = (int(one) for one in sys.argv[1:])
    asyncio.run(Balancer(nodes).serve(port))


if __name__ == "__main__":
    main()
