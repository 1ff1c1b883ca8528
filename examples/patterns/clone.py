"""Clone, what its programs share: a hashmap that every client has, and keeps equal to the server's (RFC 12).

clonecli6.py and clonesrv6.py show how to use it. A server publishes each update with a number. A client first
subscribes, waits for a sign that the subscription is in force, and then asks for a snapshot. So no update is missed
between the two, and updates that are older than the snapshot are passed over. A client without a subtree sees when a
number is missing, and begins again; one with a subtree sees only some of the numbers.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, Self

import trio

import triomq

HUGZ, ICANHAZ, KTHXBAI = b"HUGZ", b"ICANHAZ?", b"KTHXBAI"
BEAT = 1.0  # seconds between two hugs of a server
SILENCE = 5.0  # seconds after which a client asks another server


class Update(NamedTuple):
    """A key has a new value. An empty value: the key is gone."""

    key: bytes
    value: bytes = b""
    sequence: int = 0
    uuid: bytes = b""
    ttl: float = 0  # seconds until the key goes by itself; 0 is never

    def frames(self) -> list[bytes]:
        ttl = b"ttl=%d\n" % self.ttl if self.ttl else b""
        return [self.key, self.sequence.to_bytes(8, "big"), self.uuid, ttl, self.value]

    @classmethod
    def parse(cls, message: triomq.Message) -> Self:
        """Read a message. Raises `ValueError` if it is not an update."""
        key, sequence, uuid, properties, value = message
        named = dict(line.split(b"=", 1) for line in properties.splitlines() if b"=" in line)
        ttl = float(named.get(b"ttl", 0))
        if not 0 <= ttl < math.inf:
            raise ValueError(f"a time to live of {ttl} s")
        return cls(key, value, int.from_bytes(sequence, "big"), uuid, ttl)


class Server(NamedTuple):
    """The three endpoints of a server."""

    snapshots: str
    updates: str
    collector: str

    @classmethod
    def at(cls, host: str, port: int) -> Self:
        """Three ports in a row, as the guide's servers have them."""
        return cls(*(f"tcp://{host}:{port + number}" for number in range(3)))


class Hashmap(dict[bytes, bytes]):
    """The values, and the number of the last update. A server's has deadlines as well."""

    def __init__(self) -> None:
        self.sequence = 0
        self.expiry: dict[bytes, float] = {}

    def store(self, update: Update) -> None:
        self.sequence = max(update.sequence, self.sequence)
        self.pop(update.key, None)
        self.expiry.pop(update.key, None)
        if update.value:
            self[update.key] = update.value
            if update.ttl:
                self.expiry[update.key] = trio.current_time() + update.ttl


def nothing(_: Update) -> None:
    """What to do about an update, if nothing."""


async def follow(
    ctx: triomq.Context,
    server: Server,
    subtree: bytes,
    replace: Callable[[Hashmap], None],
    updated: Callable[[Update], None] = nothing,
) -> None:
    """Keep a hashmap equal to a server's, until the server is silent or an update is missed.

    Args:
      replace: is given the hashmap when it is complete; from then on it changes.
      updated: is given each update that comes from then on.
    """
    async with (
        ctx.socket(triomq.SUB, topics=[subtree, HUGZ], connect_timeout=1, reconnect_interval_max=1) as updates,
        ctx.socket(triomq.DEALER, linger=0, connect_timeout=1, reconnect_interval_max=1) as snapshots,
    ):
        updates.connect(server.updates)
        snapshots.connect(server.snapshots)
        if await _next(updates) is None:
            return
        await snapshots.send([ICANHAZ, subtree])
        hashmap = Hashmap()
        while (update := await _next(snapshots)) and update.key != KTHXBAI:
            hashmap.store(update._replace(sequence=0))
        if update is None:
            return
        hashmap.sequence = update.sequence
        replace(hashmap)
        while update := await _next(updates):
            is_news = update.key != HUGZ
            if not subtree and update.sequence > hashmap.sequence + is_news:
                return
            if is_news and update.sequence > hashmap.sequence:
                hashmap.store(update)
                updated(update)


async def _next(socket: triomq.SUB | triomq.DEALER) -> Update | None:
    with trio.move_on_after(SILENCE):
        return Update.parse(await socket.receive())
    return None
