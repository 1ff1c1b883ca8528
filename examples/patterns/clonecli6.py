"""Clone, a client: has the values below a subtree, whichever of two servers lives, and sets some at random.

    python clonecli6.py [subtree] [host] [port] [host] [port]

For clonesrv6.py, or the guide's servers from the fifth model on (RFC 12).
"""

import itertools
import random
import sys
import uuid
from functools import partial

import trio
from clone import Hashmap, Server, Update, follow

import triomq


class Clone:
    """The values as the servers have them. Start ``run`` as a task, or several tasks of it."""

    def __init__(self, ctx: triomq.Context, servers: list[Server], subtree: bytes = b"") -> None:
        self.values = Hashmap()
        self._ctx, self._servers, self._subtree = ctx, servers, subtree
        self._publisher = ctx.socket(triomq.PUB, connect_timeout=1, reconnect_interval_max=1)
        for server in servers:
            self._publisher.connect(server.collector)

    async def run(self) -> None:
        for server in itertools.cycle(self._servers):
            await follow(self._ctx, server, self._subtree, self._replace)

    def _replace(self, values: Hashmap) -> None:
        self.values = values
        print(f"Snapshot {values.sequence} with {len(values)} values", flush=True)

    async def set(self, key: bytes, value: bytes, ttl: int = 0) -> None:
        """Tell the servers, and wait until there is one. The value is here when a server has published it.

        It is lost if all servers that were told end before they publish it.
        """
        await self._publisher.wait_subscribers(key)
        await self._publisher.send(Update(key, value, uuid=uuid.uuid4().bytes, ttl=ttl).frames())


async def main(subtree: str = "/client/", *addresses: str) -> None:
    hosts, ports = addresses[::2] or ["localhost"] * 2, addresses[1::2] or ["5556", "5566"]
    servers = [Server.at(host, int(port)) for host, port in zip(hosts, ports, strict=True)]
    dice = random.Random()
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        clone = Clone(ctx, servers, subtree.encode())
        nursery.start_soon(clone.run)
        while True:
            key, value = f"{subtree}{dice.randrange(10_000)}", str(dice.randrange(1_000_000))
            await clone.set(key.encode(), value.encode(), ttl=dice.randrange(30))
            await trio.sleep(1)
            print(f"{len(clone.values)} values, update {clone.values.sequence}", flush=True)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
