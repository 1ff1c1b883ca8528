"""ROUTER: messages to and from peers by name (RFC 28)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

from .._errors import PeerUnwantedError, UnroutableError
from .._message import Frames, Message, new_message
from .._options import Options
from .._pipes import Pipe, Received
from ._directory import Directory
from ._fair import FairReceiver
from ._pattern import Budget, Sender
from ._probe import probe


class Router(Sender, FairReceiver):
    """ROUTER: to the peer that the first frame names; the sender's routing id before each message received."""

    full_for_all: ClassVar[bool] = False
    interprets = True

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self._directory = Directory(rng)
        self._mandatory = options.router_mandatory

    # On the path of every message.
    def submit(self, message: Frames) -> bool:
        pipe = self._directory.get(message[0])
        if len(message) < 2:
            raise ValueError(f"ROUTER sends (routing_id, *frames): {message!r} has a routing id and nothing to send")
        if pipe is None:
            if self._mandatory:
                text = f"ROUTER: no peer has the routing id {message[0]!r}; the message was not sent"
                raise UnroutableError(text, message[0])
            self.dropped_messages += 1
        elif not pipe.send_nowait(message[1:]):
            if self._mandatory:
                return False
            pipe.drop()
        return True

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Message]:
        """Put the sender's routing id before each message."""
        routing_id = (pipe.routing_id,)
        return [new_message(Message, routing_id + message) for message in events]  # type: ignore[operator]  # see wanted

    def admit(self, pipe: Pipe) -> None:
        assert pipe.peer is not None
        routing_id = pipe.peer.routing_id or pipe.routing_id or self._directory.new_id()
        holder = self._directory.get(routing_id)
        if holder is not None and holder is not pipe:
            if not self.options.router_handover:
                raise PeerUnwantedError(f"the routing id {routing_id!r} is in use; router_handover would pass it on")
            self._directory.remove(holder)
            holder.routing_id = b""
            holder.inbox.source.hang_up(
                PeerUnwantedError(f"its routing id {routing_id!r} was handed over to another peer")
            )
        self._directory.remove(pipe)
        self._directory.add(routing_id, pipe)

    def ready(self, pipe: Pipe) -> None:
        probe(pipe, self.options)
        self.senders.wake()

    def removed(self, pipe: Pipe) -> None:
        self._directory.remove(pipe)
        self.senders.wake()  # a sender that waits for this peer learns that the peer is gone
