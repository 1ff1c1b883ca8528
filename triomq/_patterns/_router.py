"""ROUTER: messages to and from peers by name (RFC 28)."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import ClassVar

from .._errors import PeerUnwantedError, UnroutableError, WrongStateError
from .._message import Frames, show_frame
from .._options import Options
from .._pipes import Pipe, Received
from ._directory import Directory, is_made_here
from ._fair import FairReceiver
from ._pattern import Budget, Sender
from ._probe import probe


class Router(Sender, FairReceiver):
    """ROUTER: to the peer that the first frame names; the sender's routing id before each message received."""

    full_for_all: ClassVar[bool] = False
    frames_added: ClassVar[int] = -1
    frames_put_before: ClassVar[int] = 1
    interprets = True

    def __init__(self, options: Options, rng: random.Random, turn: Budget) -> None:
        super().__init__(options, rng, turn)
        self._directory = Directory(rng)
        self._mandatory = options.router_mandatory
        self._named: dict[str, bytes] = {}  # connected endpoints, and the names of the peers there, where given

    def name_peer(self, endpoint: str, routing_id: bytes) -> None:
        """Know the peer that an endpoint is about to be connected to by this name, whatever it calls itself.

        Raises:
          WrongStateError: another peer has the name, or another endpoint's peer shall have it.
        """
        if routing_id in self._named.values() or self._directory.get(routing_id) is not None:
            raise WrongStateError(
                f"ROUTER.connect: the routing id {routing_id!r} is in use; give the peer at {endpoint} another one"
            )
        self._give_name(endpoint, routing_id)

    def begin_repeating(self, repeating: Callable[..., None]) -> None:
        self.repeat = repeating
        for endpoint, routing_id in self._named.items():
            repeating(Router._give_name, endpoint, routing_id)

    def _give_name(self, endpoint: str, routing_id: bytes) -> None:
        self.repeat(Router._give_name, endpoint, routing_id)
        self._named[endpoint] = routing_id

    def given_name(self, endpoint: str) -> bytes:
        """The name given to the peer at a connected endpoint; ``b""`` if none was."""
        return self._named.get(endpoint, b"")

    def disconnected(self, endpoint: str) -> None:
        self.repeat(Router.disconnected, endpoint)
        self._named.pop(endpoint, None)

    # On the path of every message.
    def submit(self, message: Frames) -> bool:
        if type(message) is not tuple:
            message = tuple(message)  # a `Message`, whose index and slice are calls of Python
        routing_id = message[0]
        pipe = self._directory.get(routing_id)
        if len(message) < 2:
            raise ValueError(
                f"ROUTER sends (routing_id, *frames): ({show_frame(routing_id)},) has a routing id and nothing to send"
            )
        if pipe is None:
            if self._mandatory:
                text = f"ROUTER: no peer has the routing id {show_frame(routing_id)}; the message was not sent"
                raise UnroutableError(text, routing_id)
            self.dropped_messages += 1
            self.notes.add_unroutable(routing_id)
        elif not pipe.send_nowait(message[1:]):
            if self._mandatory:
                return False
            pipe.lose("full")
        return True

    def room_to_forward(self) -> float:
        return 0 if self._mandatory else math.inf  # it drops what a peer has no room for

    # On the path of every message of a proxy.
    def forward(self, messages: Sequence[Frames]) -> int:
        shares: defaultdict[bytes, list[Frames]] = defaultdict(list)
        try:
            for routing_id, body in messages:
                shares[routing_id].append((body,))
        except ValueError:  # not all of them are of two frames
            shares.clear()
            for routing_id, *frames in messages:
                shares[routing_id].append(tuple(frames))
        bare = 0
        for routing_id, share in shares.items():
            if () in share:
                bare += share.count(())
                share = [frames for frames in share if frames]
            if share:
                self._forward_to(routing_id, share)
        return bare

    def _forward_to(self, routing_id: bytes, share: Sequence[Frames]) -> None:
        pipe = self._directory.get(routing_id)
        if pipe is not None and pipe.has_room() and pipe.room() >= len(share):
            pipe.send_many_nowait(share)
        else:
            for frames in share:
                self.submit((routing_id, *frames))

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Frames]:
        """Put the sender's routing id before each message."""
        messages: Sequence[Frames] = events  # type: ignore[assignment]  # see wanted
        routing_id = pipe.routing_id
        return [(routing_id, *frames) for frames in messages]

    def admit(self, pipe: Pipe) -> None:
        assert pipe.peer is not None
        directory = self._directory
        routing_id = self._name_for(pipe) or pipe.peer.routing_id or directory.new_id()
        holder = directory.get(routing_id)
        if holder is not None and holder is not pipe:
            if not self.options.router_handover:
                raise PeerUnwantedError(f"the routing id {routing_id!r} is in use; router_handover would pass it on")
            # The connection stays: a peer that was hung up on would come back at once, and take the id over again.
            directory.add(directory.new_id(), holder)
        if pipe.routing_id not in (b"", routing_id):
            self._take_name(pipe)
        directory.add(routing_id, pipe)

    def _name_for(self, pipe: Pipe) -> bytes:
        return self.given_name(pipe.endpoint) if pipe.dialled and not pipe.draining else b""

    def added(self, pipe: Pipe) -> None:
        if (name := self._name_for(pipe)) and not pipe.routing_id:
            self._directory.add(name, pipe)  # messages may be queued for the peer before it is there
            self.senders.wake()

    def ready(self, pipe: Pipe) -> None:
        probe(pipe, self.options)
        self.senders.wake()

    def lost(self, pipe: Pipe) -> None:
        if is_made_here(pipe.routing_id):  # nobody can come back under this name
            self._take_name(pipe)
            self.senders.wake()

    def _take_name(self, pipe: Pipe) -> None:
        """The next peer at the pipe is another one: what is queued is not for it."""
        self._directory.remove(pipe)
        pipe.routing_id = b""
        pipe.discard()

    def removed(self, pipe: Pipe) -> None:
        self._directory.remove(pipe)
        self.senders.wake()  # a sender that waits for this peer learns that the peer is gone
