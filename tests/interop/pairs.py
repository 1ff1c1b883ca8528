"""Two sockets that talk, whichever library each is of: how they come together and what each hears of the other."""

from __future__ import annotations

from typing import Any

import attrs
import trio

import triomq

from .libzmq import PATIENCE, Peer, Theirs

FIRST_ID = b"first"
SECOND_ID = b"second"
NAMES_ITSELF = ("REQ", "DEALER", "ROUTER")

Ends = Any
"""A socket of ours or of theirs; both have ``bind``, ``send`` and ``receive``."""


@attrs.frozen
class Pairing:
    """Two socket types, and what stands before the body of a message.

    Attributes:
      said, heard: as the first sends it, as the second receives it.
      replied, answered: as the second sends it back, as the first receives that; None if there is no way back.
    """

    first: str
    second: str
    said: tuple[bytes, ...] = ()
    heard: tuple[bytes, ...] = ()
    replied: tuple[bytes, ...] | None = ()
    answered: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return f"{self.first}-{self.second}"


PAIRINGS = [
    Pairing("REQ", "REP"),
    Pairing("REQ", "ROUTER", heard=(FIRST_ID, b""), replied=(FIRST_ID, b"")),
    Pairing("DEALER", "REP", said=(b"",), answered=(b"",)),
    Pairing("DEALER", "DEALER"),
    Pairing("DEALER", "ROUTER", heard=(FIRST_ID,), replied=(FIRST_ID,)),
    Pairing("ROUTER", "ROUTER", (SECOND_ID,), (FIRST_ID,), (FIRST_ID,), (SECOND_ID,)),
    Pairing("PUB", "SUB", replied=None),
    Pairing("PUB", "XSUB", replied=None),
    Pairing("XPUB", "SUB", replied=None),
    Pairing("XPUB", "XSUB"),
    Pairing("PUSH", "PULL", replied=None),
    Pairing("PAIR", "PAIR"),
]
"""Every pair of RFC 37's matrix that the eleven types make."""


@attrs.define
class Couple:
    """The two ends of a pairing, one of each library."""

    pairing: Pairing
    ours: Any
    theirs: Theirs
    ours_first: bool

    @property
    def first(self) -> Ends:
        return self.ours if self.ours_first else self.theirs

    @property
    def second(self) -> Ends:
        return self.theirs if self.ours_first else self.ours

    async def get_ready(self) -> None:
        """Wait until what the first sends will arrive."""
        await self.ours.wait_peers()
        if self.pairing.first == "XPUB" and self.ours_first:
            async with self.theirs.attentive():
                assert await self.ours.receive() == (b"\1",)
        elif self.pairing.first == "XPUB":
            assert await self.theirs.receive() == (b"\1",)
        elif self.pairing.first == "PUB" and self.ours_first:
            async with self.theirs.attentive():
                await self.ours.wait_subscribers(b"")
        elif self.pairing.first == "PUB":
            await self._wait_for_silent_publisher()

    async def _wait_for_silent_publisher(self) -> None:
        # libzmq's PUB tells nobody that it has been subscribed to.
        heard = False
        while not heard:
            await self.theirs.send(b"heard?")
            with trio.move_on_after(0.02):
                await self.ours.receive()
                heard = True
        await self.theirs.send(b"heard.")
        while await self.ours.receive() != (b"heard.",):
            pass

    async def exchange(self, *body: bytes) -> None:
        """One message, and one back if there is a way back."""
        pairing = self.pairing
        await self.first.send([*pairing.said, *body])
        assert await self.second.receive() == (*pairing.heard, *body)
        if pairing.replied is not None:
            await self.second.send([*pairing.replied, *body, b"back"])
            assert await self.first.receive() == (*pairing.answered, *body, b"back")


def ours_of(ctx: triomq.Context, kind: str, *, first: bool = True, **options: Any) -> Any:
    """A socket of ours, subscribed to everything and named for its place, where that means something."""
    if kind in NAMES_ITSELF:
        options.setdefault("routing_id", FIRST_ID if first else SECOND_ID)
    if kind == "SUB":
        options.setdefault("topics", [b""])
    socket = ctx.socket(getattr(triomq, kind), **options)
    if kind == "XSUB":
        socket.send_nowait(b"\1")
    return socket


async def theirs_of(peer: Peer, kind: str, *, first: bool = True, **options: Any) -> Theirs:
    """The same of libzmq's."""
    if kind in NAMES_ITSELF:
        options.setdefault("routing_id", FIRST_ID if first else SECOND_ID)
    if kind == "ROUTER":
        options.setdefault("router_mandatory", 1)
    if kind == "SUB":
        options.setdefault("subscribe", b"")
    socket = await peer.socket(kind, **options)
    if kind == "XSUB":
        await socket.send(b"\1")
    return socket


async def bring_together(ours: Any, theirs: Theirs, endpoint: str, *, we_bind: bool) -> str:
    """Bind the one and connect the other. Returns: where."""
    if we_bind:
        endpoint = await ours.bind(endpoint)
        await theirs.connect(endpoint)
    else:
        endpoint = await theirs.bind(endpoint)
        ours.connect(endpoint)
    return endpoint


async def couple(
    ctx: triomq.Context,
    peer: Peer,
    pairing: Pairing,
    endpoint: str,
    *,
    ours_first: bool,
    we_bind: bool,
    **options: Any,
) -> Couple:
    """Both ends, connected and ready; ``options`` are for our socket."""
    ours_kind, theirs_kind = (pairing.first, pairing.second) if ours_first else (pairing.second, pairing.first)
    ours = ours_of(ctx, ours_kind, first=ours_first, **options)
    theirs = await theirs_of(peer, theirs_kind, first=not ours_first)
    await bring_together(ours, theirs, endpoint, we_bind=we_bind)
    made = Couple(pairing, ours, theirs, ours_first)
    await made.get_ready()
    return made


async def until(condition: Any) -> None:
    """Look again and again until the condition holds; for what neither library tells."""
    with trio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110  # there is no event
            await trio.sleep(0.002)
