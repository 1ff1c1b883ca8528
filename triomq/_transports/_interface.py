"""What a transport is: the interface between connections and the byte streams below them.

A transport turns the part of an endpoint after ``scheme://`` into byte streams. It is registered
with ``open_context(transports={"scheme": MyTransport()})`` and knows nothing about ZMTP.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import trio

from .._message import BytesLike

if TYPE_CHECKING:
    from .._options import Options


class NonblockingStream(trio.abc.Stream):
    """A stream that can also be tried without waiting.

    A transport may return any `trio.abc.Stream`. One of these is written to straight from
    ``send``; and if it also has `interrupt`, a task in ``receive`` may read it for itself. If it has an attribute
    ``peer``, that is the peer's address; and ``process``, a `triomq.PeerProcess`, is who is there.
    """

    @abstractmethod
    def send_nowait(self, buffers: Sequence[BytesLike]) -> int:
        """Hand over as much of the buffers as goes without waiting.

        Returns: how many bytes were taken, from the first on; 0 when there is no room now.
        Raises:
          trio.BrokenResourceError: the connection is dead.
          trio.ClosedResourceError: the stream was closed here.
        """

    async def send_some(self, buffers: Sequence[BytesLike]) -> int:
        """Wait for room, then hand over as much of the buffers as goes.

        Returns: how many bytes were taken; at least one.
        Raises: as `send_nowait`.
        Cancellation: nothing was taken.
        """
        while True:
            await self.wait_send_all_might_not_block()
            if taken := self.send_nowait(buffers):
                return taken

    def end_sending(self) -> bool:
        """Let the peer see the end of the stream once it has read all that was sent, and go on receiving.

        Returns: whether this stream can do that; this one cannot.
        Raises: as `send_nowait`.
        """
        return False

    def peer_ended(self) -> bool:
        """Whether the peer has ended its direction, or the connection is dead, even if what it sent before is unread.

        A peer whose bytes are kept back must be seen to leave. Returns: False, too, if this stream cannot know.
        """
        return False

    can_interrupt: ClassVar[bool] = False
    """Whether this stream has `interrupt`, which saves a round trip a switch of tasks at either end."""

    is_near: bool = False
    """Whether the peer runs on this machine, and may answer before a task that has just sent is asleep.

    A task in ``receive`` that reads this stream for itself may then try a few times before it waits.
    """

    def interrupt(self) -> None:
        """Let a task that is in `wait_receivable` return at once; one that waits to send may return early too.

        The task returns as if something had arrived: nothing is raised, and nothing that arrives is lost. When none
        is there, nothing happens. Another task may call `wait_receivable` right after this, before the first has run
        again; it is in its place then, and waits.

        Raises:
          NotImplementedError: this stream cannot do that, and has no ``can_interrupt``.
        """
        raise NotImplementedError(f"{type(self).__name__}.interrupt")

    @abstractmethod
    def receive_nowait(self, max_bytes: int) -> bytes:
        """Take what has arrived, up to ``max_bytes`` bytes.

        Returns: at least one byte, or ``b""`` at the end of the stream.
        Raises:
          trio.WouldBlock: nothing has arrived.
          trio.BrokenResourceError: the connection is dead.
          trio.ClosedResourceError: the stream was closed here.
        """

    @abstractmethod
    async def wait_receivable(self) -> None:
        """Wait until `receive_nowait` would not raise `trio.WouldBlock`, or until `interrupt` is called.

        Always a schedule point. Cancellation: nothing was taken.
        """


def try_receive(stream: NonblockingStream, size: int) -> bytes | None:
    """What has arrived, or None for a false alarm."""
    try:
        return stream.receive_nowait(size)
    except trio.WouldBlock:
        return None


class Listener(trio.abc.AsyncResource):
    """A bound endpoint that yields one stream for each peer that connects."""

    @property
    @abstractmethod
    def endpoint(self) -> str:
        """The endpoint others connect to, with real port or path in place of wildcards."""

    @abstractmethod
    async def accept(self) -> trio.abc.Stream:
        """Wait for the next peer.

        Raises:
          OSError: this one peer could not be accepted (the caller goes on), or, with errno EMFILE,
            ENFILE, ENOBUFS or ENOMEM, the machine lacks something now (the caller waits a moment). After any other
            exception the caller waits a moment, too.
          trio.ClosedResourceError: the listener was closed.
        """


class Transport(ABC):
    """How endpoints of one scheme become streams."""

    @abstractmethod
    def check_connect(self, address: str) -> None:
        """Refuse what `connect` could never connect to, without any I/O.

        Args:
          address: the endpoint without its ``scheme://``.
        Raises:
          EndpointError: it is malformed; the text says what is wrong with it.
        """

    def fix_address(self, address: str) -> str:
        """What the address stands for at this moment: `connect` is given that, now and at each later attempt.

        For an address whose meaning changes with the state of the program, such as a relative path. The meaning of a
        name may change with the state of the network: that belongs into `connect`.

        Args:
          address: one that `check_connect` let pass.
        Returns: the address itself, unless a transport knows better.
        """
        return address

    @abstractmethod
    async def connect(self, address: str, options: Options) -> trio.abc.Stream:
        """Make one attempt to connect; names are resolved afresh.

        Raises:
          OSError: the attempt failed; the socket tries again later, whatever the exception is.
        Cancellation: nothing stays open.
        """

    @abstractmethod
    async def listen(self, address: str, options: Options) -> Listener:
        """Bind and listen.

        Raises:
          EndpointError: the address is malformed.
          OSError: it cannot be bound; `AddressInUseError` where somebody else has it.
        Cancellation: nothing stays bound.
        """
