"""What `triomq.abc` asks of a transport, as a check that a user's own can be put to."""

from __future__ import annotations

from collections.abc import Iterable

import trio
import trio.testing

from .._errors import AddressInUseError, EndpointError
from .._options import Options
from ..abc import Listener, NonblockingStream, Transport
from ._requirements import must_raise, require

_PATIENCE = 60.0  # seconds, best virtual ones, after which something is taken for hung


async def check_transport(
    transport: Transport, address: str, *, malformed: Iterable[str] = (), options: Options | None = None
) -> None:
    """Check that a transport, its listeners and its streams keep the promises of `triomq.abc`.

    Binding, endpoints, connecting, addresses in use and free again, cancellation that leaves nothing behind and loses
    no peer; the streams with `trio.testing.check_two_way_stream` and, where they are `NonblockingStream`, their calls
    that do not wait.

    Args:
      address: to bind, without ``scheme://``; best one that gives a new place each time, such as ``127.0.0.1:0``.
      malformed: addresses to be refused with `EndpointError`.
      options: given to the transport.
    Raises:
      AssertionError: a promise is broken; the text says which.
    """
    options = options or Options()
    for text in malformed:
        with must_raise(EndpointError, f"check_connect({text!r})"):
            transport.check_connect(text)
        with must_raise(EndpointError, f"connect({text!r})"):
            await transport.connect(text, options)
    await _check_addresses(transport, address, options)
    await _check_accepting(transport, address, options)
    pairs = _Pairs(transport, address, options)
    await trio.testing.check_two_way_stream(pairs.connected, pairs.clogged)
    await _check_nonblocking(pairs)


def _place(listener: Listener) -> str:
    scheme, separator, place = listener.endpoint.partition("://")
    require(scheme and separator and place, f"an endpoint is scheme://address, not {listener.endpoint!r}")
    return place


async def _check_addresses(transport: Transport, address: str, options: Options) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await transport.listen(address, options)
    require(scope.cancelled_caught, "listen is a cancellation point")
    listener = await transport.listen(address, options)
    place = _place(listener)
    transport.check_connect(place)
    with must_raise(AddressInUseError, "binding what is bound already"):
        await transport.listen(place, options)
    await listener.aclose()
    await listener.aclose()  # again is no fault
    require(_place(listener) == place, "a listener's endpoint stays readable after it was closed")
    with must_raise(trio.ClosedResourceError, "accept on a closed listener"):
        await listener.accept()
    with must_raise(OSError, "connecting where nobody listens"):
        await transport.connect(place, options)
    again = await transport.listen(place, options)
    require(_place(again) == place, "a place that was bound and given up can be bound again")
    await again.aclose()


async def _check_accepting(transport: Transport, address: str, options: Options) -> None:
    listener = await transport.listen(address, options)
    place = _place(listener)

    async def blocked() -> None:
        with must_raise(trio.ClosedResourceError, "closing ends an accept that is blocked"):
            await listener.accept()

    try:
        with trio.CancelScope() as scope:
            scope.cancel()
            await transport.connect(place, options)
        require(scope.cancelled_caught, "connect is a cancellation point")
        near = await transport.connect(place, options)
        with trio.CancelScope() as scope:
            scope.cancel()
            await listener.accept()
        require(scope.cancelled_caught, "accept is a cancellation point")
        with trio.move_on_after(_PATIENCE) as patience:
            far = await _accept_living(listener, near)
            await trio.aclose_forcefully(far)
        require(not patience.cancelled_caught, "a cancelled accept lost a peer")
        await trio.aclose_forcefully(near)
        with trio.move_on_after(_PATIENCE) as patience:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(blocked)
                await trio.testing.wait_all_tasks_blocked()
                await listener.aclose()
        require(not patience.cancelled_caught, "an accept that was blocked when the listener was closed hangs")
    finally:
        await trio.aclose_forcefully(listener)


async def _accept_living(listener: Listener, near: trio.abc.Stream) -> trio.abc.Stream:
    """Accept until it is the other end of ``near``: a connect that was cancelled may have left a dead one before it."""
    await near.send_all(b"!")
    while True:
        stream = await listener.accept()
        try:
            if await stream.receive_some(1):
                return stream
        except trio.BrokenResourceError:
            pass  # the cancelled one
        await trio.aclose_forcefully(stream)


class _Pairs:
    """Makes connected streams."""

    def __init__(self, transport: Transport, address: str, options: Options) -> None:
        self._transport = transport
        self._address = address
        self._options = options

    async def connected(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        """Two ends."""
        listener = await self._transport.listen(self._address, self._options)
        near = await self._transport.connect(_place(listener), self._options)
        far = await listener.accept()
        await listener.aclose()
        return near, far

    async def clogged(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        """Two ends, and both would wait to send."""
        pair = await self.connected()
        while sum([await _stuff(stream) for stream in pair]):  # noqa: ASYNC110  # nobody tells when octets move on
            await trio.sleep(0.1)  # or some octets would find room on the other side a moment later
        return pair


async def _stuff(stream: trio.abc.Stream) -> int:
    """Send until there is no room. Returns: how many octets went."""
    went = 0
    if isinstance(stream, NonblockingStream):
        while taken := stream.send_nowait((bytes(16384),)):
            went += taken
        await trio.lowlevel.checkpoint()
        return went
    while True:
        with trio.move_on_after(0.5) as patience:
            await stream.wait_send_all_might_not_block()
            await stream.send_all(bytes(1024))
            went += 1024
        if patience.cancelled_caught:
            return went


async def _check_nonblocking(pairs: _Pairs) -> None:
    near, far = await pairs.connected()
    if not (isinstance(near, NonblockingStream) and isinstance(far, NonblockingStream)):
        await trio.aclose_forcefully(near)
        await trio.aclose_forcefully(far)
        return
    with must_raise(trio.WouldBlock, "receive_nowait when nothing has arrived"):
        far.receive_nowait(1)
    sent = near.send_nowait([b"some", bytearray(b""), memoryview(b" octets")])
    require(0 < sent <= 11, "send_nowait returns how many octets it took; an idle stream takes some")
    received = b""
    while len(received) < sent:
        await far.wait_receivable()
        piece = far.receive_nowait(3)
        require(1 <= len(piece) <= 3, "receive_nowait gives 1 to max_bytes octets")
        received += piece
    require(received == b"some octets"[:sent], "octets arrive as they were sent")
    if near.end_sending():
        await far.wait_receivable()
        require(far.receive_nowait(1) == b"", "the end that end_sending sent is received as b''")
        await far.send_some([b"still open"])
        await near.wait_receivable()
        require(b"still open".startswith(near.receive_nowait(100)), "after end_sending the other way stays open")
    await near.aclose()
    for name, call in (
        ("send_nowait", lambda: near.send_nowait([b"x"])),
        ("receive_nowait", lambda: near.receive_nowait(1)),
    ):
        with must_raise(trio.ClosedResourceError, f"{name} on a closed stream"):
            call()
    with must_raise(trio.ClosedResourceError, "wait_receivable on a closed stream"):
        await near.wait_receivable()
    await far.aclose()
