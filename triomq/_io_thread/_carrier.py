"""The carrier that has another one carry in the I/O run."""

from __future__ import annotations

from functools import partial

import trio

from .._connections import Binding, Carrier, Carriers, Connecting, PeerHost, StreamCarrier
from .._pipes import Pipe
from .._sockets import Peers
from ._back import BackEndpoint
from ._front import FrontSocket
from ._run import IoRun


def carry_in(io: IoRun, carriers: Carriers) -> None:
    """Let the carriers of byte streams carry in the I/O run."""
    sockets: dict[PeerHost, FrontSocket] = {}
    carriers.carry_streams(lambda carrier: IoCarrier(carrier, io, sockets))


class IoCarrier(Carrier):
    """Carries by the streams of another carrier, whose connections live in the I/O run.

    Args:
      carrier: is used in the I/O run alone, but for what it says of an address.
      io: the run.
      sockets: of the context; the same for all carriers of it.
    """

    def __init__(self, carrier: StreamCarrier, io: IoRun, sockets: dict[PeerHost, FrontSocket]) -> None:
        self._carrier = carrier
        self._io = io
        self._sockets = sockets

    def _socket(self, host: PeerHost) -> FrontSocket:
        assert isinstance(host, Peers)
        socket = self._sockets.get(host)
        if socket is None:
            socket = self._sockets[host] = FrontSocket(host, self._io, self._sockets)
        return socket

    async def bind(self, host: PeerHost, endpoint: str, address: str) -> IoBinding:
        """See `Carrier`."""
        socket, io = self._socket(host), self._io
        work = partial(socket.back.bind, self._carrier, endpoint, address)
        back = await io.call(socket.back.tasks, work, socket.hold)
        io.post(socket.release)
        binding = IoBinding(socket, back)
        if host.closing:
            binding.close()
            raise trio.ClosedResourceError(f"{host.socket_type}.bind: this socket was closed meanwhile")
        return binding

    def connect(self, host: PeerHost, endpoint: str, address: str) -> IoConnecting:
        """See `Carrier`."""
        address = self._carrier.fix_address(address)
        return IoConnecting(self._socket(host), self._carrier, endpoint, address)


class _Ending:
    """What both kinds of endpoints do at their end, as `Attachment`."""

    def __init__(self, socket: FrontSocket, back: BackEndpoint) -> None:
        self._socket = socket
        self._back = back
        self._finishing = False
        self._finished = False

    @property
    def unfinished_handshakes(self) -> int:
        """See `Attachment`."""
        attachment = self._back.attachment
        return 0 if attachment is None else attachment.unfinished_handshakes

    def stop(self) -> None:
        """See `Attachment`."""
        self._socket.io.tell(self._back.stop)

    def finish(self) -> None:
        """See `Attachment`."""
        self._finishing = True
        if not self._socket.io.tell(partial(self._back.finish, self._has_finished)):
            self._has_finished()

    def _has_finished(self) -> None:
        self._finished = True
        self._socket.host.watchers.wake()


class IoBinding(_Ending, Binding):
    """An endpoint that the I/O run has bound."""

    @property
    def endpoint(self) -> str:
        """See `Binding`."""
        made = self._back.attachment
        assert isinstance(made, Binding)
        return made.endpoint

    @property
    def finished(self) -> bool:
        """See `Attachment`."""
        if self._finishing:
            return self._finished
        pipes, endpoint = self._socket.host.pipes, self.endpoint
        return not any(pipe.peer is not None and pipe.endpoint == endpoint for pipe in pipes if not pipe.dialled)

    def stop_accepting(self) -> None:
        """See `Binding`."""
        made = self._back.attachment
        assert isinstance(made, Binding)
        self._socket.io.tell(made.stop_accepting)

    def close(self) -> None:
        """See `Attachment`."""
        self._socket.io.tell(self._back.close)

    async def wait_closed(self) -> None:
        """See `Binding`."""
        made = self._back.attachment
        assert isinstance(made, Binding)
        try:
            await self._socket.io.call(self._back.tasks, made.wait_closed, _nothing)
        except trio.ClosedResourceError:
            return  # the socket has ended meanwhile, and its endpoints with it


class IoConnecting(_Ending, Connecting):
    """An endpoint that the I/O run connects to."""

    def __init__(self, socket: FrontSocket, carrier: StreamCarrier, endpoint: str, address: str) -> None:
        super().__init__(socket, BackEndpoint(socket.back))
        self._endpoint = endpoint
        self._pipe: Pipe | None = None  # with ``immediate``, that of the last peer
        link = None if socket.host.options.immediate else socket.new_link()
        socket.io.tell(partial(self._back.connect, carrier, endpoint, address, link))
        if link is not None:
            self._pipe = link.front.new_pipe(endpoint, dialled=True)
            socket.host.add_pipe(self._pipe)

    @property
    def pipe(self) -> Pipe | None:
        """See `Connecting`."""
        host = self._socket.host
        if host.options.immediate and (self._pipe is None or not self._pipe.alive):
            mine = (one for one in host.pipes if one.dialled and one.endpoint == self._endpoint and not one.draining)
            self._pipe = next(mine, None)
        return self._pipe

    @property
    def finished(self) -> bool:
        """See `Attachment`."""
        return self._finished or not self._finishing

    def close(self) -> None:
        """See `Attachment`."""
        socket = self._socket
        socket.host.note_refusal(self._endpoint, None)
        pipe = self.pipe
        socket.given_up[self._endpoint] += 1
        socket.io.tell(partial(self._back.give_up, partial(socket.has_given_up, self._endpoint)))
        if pipe is not None:
            socket.host.remove_pipe(pipe)


def _nothing() -> None:
    """Nothing is told after that."""
