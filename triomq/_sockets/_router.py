"""ROUTER: messages to and from peers by name (RFC 28)."""

from __future__ import annotations

from typing import ClassVar, final

import trio

from .._errors import PeerUnwantedError, UnroutableError
from .._message import Frames, Message, new_message
from .._options import Options
from .._patterns import Directory
from .._pipes import Event, Pipe
from .._runtime import Runtime
from ._dealer import PROBE
from ._receiving import ReceiveSocket
from ._sending import SendSocket


@final
class ROUTER(SendSocket, ReceiveSocket, trio.abc.Channel[Message]):
    """Puts the sender's routing id before each message received; sends to the peer that the first frame names.

    Without ``router_mandatory`` a message for an unknown or a full peer is dropped and counted. With it, an unknown
    peer raises `UnroutableError`, and a full one is waited for.
    """

    socket_type: ClassVar[str] = "ROUTER"
    _full_for_all = False
    _interprets = True

    def __init__(self, runtime: Runtime, options: Options) -> None:
        super().__init__(runtime, options)
        self._directory = Directory(runtime.random)
        self._mandatory = options.router_mandatory

    # On the path of every message.
    def _submit(self, message: Frames) -> bool:
        pipe = self._directory.get(message[0])
        if len(message) < 2:
            raise ValueError(f"ROUTER sends (routing_id, *frames): {message!r} has a routing id and nothing to send")
        if pipe is None:
            if self._mandatory:
                text = f"ROUTER: no peer has the routing id {message[0]!r}; the message was not sent"
                raise UnroutableError(text, message[0])
            self._past[2] += 1
        elif not pipe.send_nowait(message[1:]):
            if self._mandatory:
                return False
            pipe.dropped += 1
        return True

    def _interpret(self, pipe: Pipe, events: list[Event]) -> list[Message]:
        """Put the sender's routing id before each message."""
        routing_id = (pipe.routing_id,)
        return [new_message(Message, routing_id + message) for message in events]

    def _admit(self, pipe: Pipe) -> None:
        assert pipe.peer is not None
        routing_id = pipe.peer.routing_id or pipe.routing_id or self._directory.new_id()
        holder = self._directory.get(routing_id)
        if holder is not None and holder is not pipe:
            if not self._options.router_handover:
                raise PeerUnwantedError(f"the routing id {routing_id!r} is in use; router_handover would pass it on")
            self._directory.remove(holder)
            holder.routing_id = b""
            if holder.hang_up is not None:
                holder.hang_up(PeerUnwantedError(f"its routing id {routing_id!r} was handed over to another peer"))
        self._directory.remove(pipe)
        self._directory.add(routing_id, pipe)

    def _peer_ready(self, pipe: Pipe) -> None:
        super()._peer_ready(pipe)
        if self._options.probe_router:
            pipe.send_nowait(PROBE)
        self._wake_senders()

    def _pipe_removed(self, pipe: Pipe) -> None:
        self._directory.remove(pipe)
        super()._pipe_removed(pipe)
        self._wake_senders()  # who waits for this peer learns that it is gone
