"""What `triomq.abc` asks of a transport, as a check of anybody's transport."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import trio
import trio.testing

from ..._errors import AddressInUseError, EndpointError
from ..._options import Options
from ...abc import Listener, NonblockingStream, Transport
from ._nonblocking import check_interrupted_sender, check_interrupting, check_nonblocking
from ._requirements import first_fault, must_end, must_not_raise, must_raise, require

_CHECKPOINTS = 5  # an accept is cancelled 0 to 4 checkpoints after a peer has come
_CHUNK = bytes(16384)
_MOST_STUFFED = 2**26  # bytes; a stream that takes as many, and nobody reads them, is taken to have room always


async def check_transport(
    transport: Transport, address: str, *, malformed: Iterable[str] = (), options: Options | None = None
) -> None:
    """Check that a transport, its listeners and its streams keep the promises of `triomq.abc`.

    Of the transport it checks binding, endpoints, connecting, addresses that are in use and free again, and that
    cancellation leaves nothing behind and loses no peer. It puts the streams to `trio.testing.check_two_way_stream`. Of
    a `NonblockingStream` it also checks the calls that do not wait and, if the stream says that it can be interrupted,
    interrupting. How a sender waits is only checked with streams that make a sender wait: a stream that takes 64 MiB
    unread, such as one of `trio.testing.memory_stream_pair`, never does.

    Args:
      address: what to bind, without ``scheme://``; preferably a new place each time, as with ``127.0.0.1:0``.
      malformed: addresses that the transport has to refuse with `EndpointError`.
      options: given to the transport.
    Raises:
      AssertionError: a promise is broken; the text says which.
    """
    options = options or Options()
    with first_fault():
        await _check(transport, address, malformed, options)


async def _check(transport: Transport, address: str, malformed: Iterable[str], options: Options) -> None:
    for text in malformed:
        with must_raise(EndpointError, f"check_connect({text!r})"):
            transport.check_connect(text)
        with must_end(f"connect({text!r})"), must_raise((EndpointError, OSError), f"connect({text!r})"):
            await transport.connect(text, options)
    await _check_addresses(transport, address, options)
    await _check_accepting(transport, address, options)
    pairs = _Pairs(transport, address, options)
    can_be_clogged = await pairs.can_be_clogged()
    with must_end("trio.testing.check_two_way_stream", 60 * 60):
        await trio.testing.check_two_way_stream(pairs.connected, pairs.clogged if can_be_clogged else None)
    await _check_nonblocking(pairs, can_be_clogged)


def _place(listener: Listener) -> str:
    scheme, separator, place = listener.endpoint.partition("://")
    require(scheme and separator and place, f"an endpoint is scheme://address, not {listener.endpoint!r}")
    return place


async def _check_addresses(transport: Transport, address: str, options: Options) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await transport.listen(address, options)
    require(scope.cancelled_caught, "listen is a cancellation point")
    with must_not_raise(f"listen({address!r}), after one that was cancelled"):
        listener = await transport.listen(address, options)
    place = _place(listener)
    with must_not_raise("check_connect with the address of a listener's endpoint"):
        transport.check_connect(place)
    with must_raise(AddressInUseError, "binding what is bound already"):
        await transport.listen(place, options)
    with must_not_raise("closing a listener, and again"):
        await listener.aclose()
        await listener.aclose()
    require(_place(listener) == place, "a listener's endpoint stays readable after it was closed")
    with must_end("accept on a closed listener"), must_raise(trio.ClosedResourceError, "accept on a closed listener"):
        await listener.accept()
    with must_end("connecting where nobody listens"), must_raise(OSError, "connecting where nobody listens"):
        await transport.connect(place, options)
    with must_not_raise("binding a place that was bound and given up"):
        again = await transport.listen(place, options)
    require(_place(again) == place, "a place that was bound and given up can be bound again, with the same endpoint")
    await again.aclose()


async def _check_accepting(transport: Transport, address: str, options: Options) -> None:
    listener = await transport.listen(address, options)
    try:
        with trio.CancelScope() as scope:
            scope.cancel()
            await transport.connect(_place(listener), options)
        require(scope.cancelled_caught, "connect is a cancellation point")
        await _check_cancelled_accept(transport, listener, options)
        for checkpoints in range(_CHECKPOINTS):
            await _check_interrupted_accept(transport, listener, options, checkpoints)
        await _check_close_under_accept(listener)
    finally:
        await trio.aclose_forcefully(listener)


async def _check_cancelled_accept(transport: Transport, listener: Listener, options: Options) -> None:
    with must_end("connecting to a listener that nobody accepts from"):
        near = await transport.connect(_place(listener), options)
    with trio.CancelScope() as scope:
        scope.cancel()
        await listener.accept()
    require(scope.cancelled_caught, "accept is a cancellation point")
    with must_end("a cancelled accept lost a peer"):
        far = await _accept_living(listener, near)
    await trio.aclose_forcefully(far)
    await trio.aclose_forcefully(near)


async def _check_interrupted_accept(
    transport: Transport, listener: Listener, options: Options, checkpoints: int
) -> None:
    """Cancel an accept that waits, just when a peer has come."""
    accepted: list[trio.abc.Stream] = []
    scope = trio.CancelScope()

    async def accept() -> None:
        with scope:
            accepted.append(await listener.accept())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept)
        await trio.testing.wait_all_tasks_blocked()
        near = await transport.connect(_place(listener), options)
        for _ in range(checkpoints):
            await trio.lowlevel.checkpoint()
        scope.cancel()
    if not accepted:
        with must_end("an accept that was cancelled just when a peer came lost that peer"):
            accepted.append(await _accept_living(listener, near))
    for stream in near, *accepted:
        await trio.aclose_forcefully(stream)


async def _check_close_under_accept(listener: Listener) -> None:
    async def blocked() -> None:
        with must_raise(trio.ClosedResourceError, "closing ends an accept that is blocked"):
            await listener.accept()

    with must_end("an accept that was blocked when the listener was closed hangs"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(blocked)
            await trio.testing.wait_all_tasks_blocked()
            await listener.aclose()


async def _accept_living(listener: Listener, near: trio.abc.Stream) -> trio.abc.Stream:
    """Accept until it is the other end of ``near``: a connect that was cancelled may have left a dead one before it."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, b"!")  # this may wait until the other end reads
        while not await _hears(stream := await listener.accept()):
            await trio.aclose_forcefully(stream)
    return stream


async def _hears(stream: trio.abc.Stream) -> bool:
    try:
        return bool(await stream.receive_some(1))
    except trio.BrokenResourceError:
        return False  # the other end was that of the cancelled connect


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

    async def can_be_clogged(self) -> bool:
        """Whether a sender has to wait when nobody reads what it sends."""
        near, far = await self.connected()
        went = await _stuff(near)
        await trio.aclose_forcefully(near)
        await trio.aclose_forcefully(far)
        return went < _MOST_STUFFED

    async def clogged(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        """Two ends, neither of which has room to send."""
        pair = await self.connected()
        while sum([await _stuff(stream) for stream in pair]):  # noqa: ASYNC110  # nobody tells when bytes move on
            await trio.sleep(0.1)  # or some bytes would find room on the other side a moment later
        return pair


async def _stuff(stream: trio.abc.Stream) -> int:
    """Send until there is no room, or until `_MOST_STUFFED` bytes went. Returns: how many bytes went."""
    went = 0
    if isinstance(stream, NonblockingStream):
        while went < _MOST_STUFFED and (taken := stream.send_nowait((_CHUNK,))):
            went += taken
        await trio.lowlevel.checkpoint()
        return went
    while went < _MOST_STUFFED:
        with trio.move_on_after(0.5) as patience:
            await stream.wait_send_all_might_not_block()
            await stream.send_all(_CHUNK)
            went += len(_CHUNK)
        if patience.cancelled_caught:
            break
    return went


async def _check_nonblocking(pairs: _Pairs, can_be_clogged: bool) -> None:
    near, far = await pairs.connected()
    if not (isinstance(near, NonblockingStream) and isinstance(far, NonblockingStream)):
        await trio.aclose_forcefully(near)
        await trio.aclose_forcefully(far)
        return
    with must_end("wait_receivable when something has arrived, or the end"):
        await check_nonblocking(near, far)
    for here, there in (0, 1), (1, 0):
        pair = await pairs.connected()
        await _check_one_that_can(pair[here], pair[there], check_interrupting)
        if can_be_clogged:
            pair = await pairs.clogged()
            await _check_one_that_can(pair[here], pair[there], check_interrupted_sender)


async def _check_one_that_can(
    near: trio.abc.Stream,
    far: trio.abc.Stream,
    check: Callable[[NonblockingStream, NonblockingStream], Awaitable[None]],
) -> None:
    if isinstance(near, NonblockingStream) and isinstance(far, NonblockingStream) and near.can_interrupt:
        await check(near, far)
    await trio.aclose_forcefully(near)
    await trio.aclose_forcefully(far)
