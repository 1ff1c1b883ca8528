"""One ZMTP 3.1 connection without any input or output of its own (RFC 37): its states, greeting and handshake.

Theory of operation. `Connection.receive_data` takes bytes of the peer and returns events. `Connection.data_to_send`
returns bytes for the peer that the protocol itself has to send, `Connection.encode` those that the user sends.
There is no clock, no socket and no waiting in here.

A connection goes through five states:

    GREETING --greeting--> HANDSHAKE --handshake--> ESTABLISHED
        |                  |       ^                    |
        |           question       acceptance           |
        |                  v       |                    |
        |                   VERDICT                     |
        `--------------------fault----------------------`----> CLOSED

In VERDICT nothing of the peer is looked at, until `Connection.accept` or `Connection.deny` is called.

Each state but CLOSED has one step function, which takes one thing from the input and says whether there may be
more. In ESTABLISHED the step first lets `take_messages` run over the buffer; what that leaves is taken frame by
frame, and `Incoming` in ``_traffic`` says what each frame means. The limits are judged on a frame's header, before
its body takes any memory.

What `receive_data` leaves behind is told by two attributes, never both True:

    has_buffered      input that the limit kept from being parsed, or a fault that is still to be raised
    between_messages  nothing; so the next input may be given to `take_messages` before anything else looks
                      at it, which is the fast path
    neither           a part of a header, of a frame (`receive_hint` says what is missing) or of a message;
                      or the connection is not established, or its mechanism changes frames

A fault of the peer ends the connection, but the events before the fault are returned first.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

from .._errors import DeniedError, LocalProtocolError, RemoteProtocolError
from ._commands import encode_error, parse_command
from ._compatibility import COMPATIBLE
from ._events import HandshakeComplete, PeerInfo
from ._frame_reader import FrameReader
from ._frames import COMMAND, MORE, Item, encode_items, take_lone, take_messages
from ._greeting import GREETING_SIZE, GREETING_START, VERSION_TOLD, encode_greeting, explain_end, parse_greeting
from ._handshake import Handshake, encode_denial, own_metadata
from ._mechanism import Mechanism, Null
from ._protocol import Events, PlainEvents, WireProtocol, to_event
from ._state import TRANSITIONS, State
from ._traffic import Incoming, Outgoing

MOST_WORK: Final = 64
"""steps of one `Connection.receive_data`: commands, frames of long messages, or frames to decrypt; about 0.3 ms"""
_FRAMES_PER_STEP: Final = 8  # frames of one message that cost as much as one step
_BYTES_PER_STEP: Final = 256  # bytes of a command that cost as much as one step: a topic's place is looked for in them
_DECRYPTED_PER_STEP: Final = 8192  # bytes of a frame whose decryption costs as much as a step, or somewhat more


class Connection(WireProtocol):
    """One side of a ZMTP connection; `WireProtocol` says how it is used.

    Args:
      socket_type: of this side, such as ``"PUSH"``.
      as_server: this side is the server of the mechanism; without meaning for NULL.
      routing_id: our Identity, told to the peer by REQ, DEALER and ROUTER.
      mechanism: a fresh instance, used by no other connection; None is `Null`.
      metadata: further properties to tell the peer.
      max_message_size: bytes; the most in all frames of one message from the peer.
      max_frames: the most frames in one message from the peer.
    Raises:
      ValueError: an argument is out of range.
    """

    __slots__ = (
        "__weakref__", "_announcement", "_as_server", "_fault", "_handshake", "_incoming", "_mechanism", "_outgoing",
        "_owes_greeting", "_reader", "_state", "_step", "_tampered", "_to_send", "between_messages", "established",
        "greeted", "has_buffered", "messages_only", "peer", "shares_encoding",
    )  # fmt: skip

    def __init__(
        self,
        socket_type: str,
        *,
        as_server: bool,
        routing_id: bytes = b"",
        mechanism: Mechanism | None = None,
        metadata: Mapping[str, bytes] | None = None,
        max_message_size: float = math.inf,
        max_frames: int = 65_536,
    ) -> None:
        if socket_type not in COMPATIBLE:
            raise ValueError(f"no such socket type: {socket_type!r}")
        self.peer: PeerInfo | None = None
        self.greeted: bool = False
        self.established: bool = False
        self.has_buffered: bool = False
        self.messages_only: bool = True
        self.between_messages: bool = False
        self._state = State.GREETING
        self._step: _Step = Connection._step_greeting
        self._as_server = as_server
        self._mechanism = Null() if mechanism is None else mechanism
        self.shares_encoding: bool = self._mechanism.shares_encoding
        told = own_metadata(socket_type, routing_id, metadata or {})
        self._handshake: Handshake | None = Handshake(socket_type, told, self._mechanism)  # until it is complete
        self._reader = FrameReader()
        self._incoming = Incoming(socket_type, self._mechanism, max_message_size, max_frames)
        self._outgoing = Outgoing(self._mechanism)
        self._announcement: HandshakeComplete | None = None  # the first event, until it is returned
        self._tampered = False  # the peer sent a frame that the mechanism refuses
        self._fault: RemoteProtocolError | None = None  # raised by the next `receive_data`
        self._owes_greeting = False  # the rest of it, until the peer has told its version
        self._to_send = [self._greeting()]

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._state

    @property
    def last_error(self) -> str:
        """See `WireProtocol`."""
        return self._incoming.last_error

    @property
    def commands_ignored(self) -> int:
        """How many commands have come so far that mean nothing here."""
        return self._incoming.ignored

    # What a session asks for; the contracts are in `WireProtocol`.

    def data_to_send(self) -> bytes:
        if self._handshake is not None and self._state is State.HANDSHAKE:
            self._advance(self._handshake)
        incoming = self._incoming
        if incoming.pong is not None:
            self._to_send.append(self._outgoing.encode_event(incoming.pong))
            incoming.pong = None
        data = b"".join(self._to_send)
        self._to_send.clear()
        return data

    def encode(self, messages: Sequence[Item], out: list[bytes], ends: list[int] | None = None) -> int:
        if not self.established:
            raise LocalProtocolError(f"nothing can be sent in state {self._state.name}")
        if not self.shares_encoding:
            return self._outgoing.encode_changed(messages, out, ends)
        if ends is not None:
            ends += accumulate(encode_items((item,), [], self._outgoing.encode_event) for item in messages)
        return encode_items(messages, out, self._outgoing.encode_event)

    def receive_data(self, data: bytes, limit: int = sys.maxsize) -> Events:
        return [*map(to_event, self.receive_plain(data, limit))]

    # On the path of a message that comes by itself.
    def receive_lone(self, data: bytes) -> tuple[bytes, ...] | None:
        size, incoming = len(data), self._incoming
        if size > incoming.most_lone or not self.between_messages:
            return None
        lone = take_lone(data)
        if lone is not None:
            incoming.ignored_in_a_row = 0
            self._reader.before += size
        return lone

    def receive_plain(self, data: bytes, limit: int = sys.maxsize) -> PlainEvents:
        events: PlainEvents = []
        self.messages_only = True
        if self.between_messages:  # the fast path
            incoming = self._incoming
            end = take_messages(data, 0, limit, incoming.max_message_size, incoming.max_frames, events)
            if events:
                incoming.ignored_in_a_row = 0
            if end == len(data):
                self._reader.before += end
                return events
            self._reader.feed(data)
            self._reader.offset = end
        else:
            if self._state is State.CLOSED:
                self._raise_fault()
            self._reader.feed(data)
        return self._take_by_steps(events, limit)

    def _take_by_steps(self, events: PlainEvents, limit: int) -> PlainEvents:
        self.between_messages = False
        work = MOST_WORK if limit < sys.maxsize else math.inf
        try:
            while len(events) < limit and work > 0:
                done = self._step(self, events, limit)
                if not done:
                    break
                work -= done
        except RemoteProtocolError as fault:
            if self.established:
                self.refuse(str(fault))
            elif isinstance(fault, DeniedError):
                self._to_send += encode_denial(fault.status)
            self._enter("fault")
            self.established = False
            self.has_buffered = bool(events)
            if not events:
                raise
            # Without its traceback: that refers to this call, and so to this object, which would be a cycle.
            self._fault = fault.with_traceback(None)
            return events
        self.has_buffered = (len(events) >= limit or work <= 0) and self._reader.has_input
        if not self.has_buffered:
            self._reader.release()
            plain = self.established and self.shares_encoding and not (self._announcement or self._incoming.frames)
            self.between_messages = plain and not self._reader.missing and not self._reader.has_input
        return events

    def receive_hint(self) -> int:
        return self._reader.missing

    def refuse(self, reason: str) -> None:
        if self.shares_encoding or (self.established and not self._tampered):
            self._to_send.append(self._outgoing.encode_frame(COMMAND, encode_error(reason)))

    def accept(self, user_id: str = "", user_metadata: Mapping[str, bytes] | None = None) -> None:
        handshake = self._judged()
        self._enter("acceptance")
        handshake.accept(user_id, user_metadata or {})
        self.has_buffered = True  # at least the metadata, which may have come with the credentials

    def deny(self, status: int, text: str) -> None:
        self._judged().question = None
        self._enter("fault")
        self._to_send += encode_denial(status)
        self._fault = DeniedError(text, status)
        self.has_buffered = True

    def _judged(self) -> Handshake:
        if self._handshake is None or self._state is not State.VERDICT:
            raise LocalProtocolError("nothing was asked")
        return self._handshake

    def greet_in_pieces(self) -> None:
        self._owes_greeting = True
        self._to_send = [self._greeting()[:GREETING_START]]

    def explain_end(self) -> str:
        if self._state is State.GREETING and not self._owes_greeting:
            return explain_end(len(self._reader.buffer), self._mechanism.name)
        return self._mechanism.explain_end() if self._state is State.HANDSHAKE else ""

    def explain_silence(self) -> str:
        return self._mechanism.explain_silence() if self._state is State.HANDSHAKE else ""

    # States

    def _greeting(self) -> bytes:
        return encode_greeting(self._mechanism.name, self._as_server and self._mechanism.has_roles)

    def _enter(self, happening: str) -> None:
        self._state = TRANSITIONS[self._state, happening]
        self._step = _STEPS.get(self._state, self._step)

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        self.has_buffered = False
        try:
            raise fault or LocalProtocolError("the connection is closed: the peer broke the protocol")
        finally:
            del fault  # its traceback refers to this call: that would be a cycle

    def _step_greeting(self, events: PlainEvents, limit: int) -> int:
        buffer = self._reader.buffer
        parse_greeting(buffer[:GREETING_START], self._mechanism.name)
        if len(buffer) >= VERSION_TOLD and self._owes_greeting:
            self._owes_greeting = False
            self._to_send.append(self._greeting()[GREETING_START:])
        serves = self._as_server and self._mechanism.has_roles
        greeting = parse_greeting(buffer, self._mechanism.name, serves=serves)
        if greeting is None:
            return 0
        self._reader.offset = GREETING_SIZE
        self._outgoing.version = greeting.version
        self.greeted = True
        self._enter("greeting")
        handshake = self._handshake
        assert handshake is not None
        handshake.start(greeting.version, self._as_server)
        self._advance(handshake)
        return 1

    def _step_verdict(self, events: PlainEvents, limit: int) -> int:
        handshake = self._handshake
        if handshake is None or handshake.question is None:
            return 0  # whatever the peer says waits
        events.append(handshake.question)
        handshake.question = None
        self.messages_only = False
        return 1

    def _step_handshake(self, events: PlainEvents, limit: int) -> int:
        handshake = self._handshake
        if handshake is None or not handshake.take(self._reader, self._to_send):
            return 0
        if handshake.question is not None:
            self._enter("question")
        else:
            self._advance(handshake)
        return 1

    def _advance(self, handshake: Handshake) -> None:
        """Queue the commands that the mechanism has now; enter ESTABLISHED if the handshake is complete."""
        peer = handshake.advance(self._to_send)
        if peer is not None:
            self._enter("handshake")
            self.established = True
            self.peer = peer
            self._announcement = HandshakeComplete(peer)
            self._handshake = None

    def _step_established(self, events: PlainEvents, limit: int) -> int:
        if self._announcement is not None:
            events.append(self._announcement)
            self._announcement = None
            self.messages_only = False
            return 1
        reader, incoming = self._reader, self._incoming
        if not incoming.frames and not reader.missing and self.shares_encoding:
            count = len(events)
            reader.offset = take_messages(
                reader.buffer, reader.offset, limit - count, incoming.max_message_size, incoming.max_frames, events
            )
            if len(events) > count:
                incoming.ignored_in_a_row = 0
                return 1 + len(events[-1]) // _FRAMES_PER_STEP  # type: ignore[arg-type]  # a message
            if reader.offset == len(reader.buffer):
                return 0
        frame = reader.take_frame(incoming.admit)
        if frame is None:
            return 0
        flags, body, offset = frame
        if not self.shares_encoding:
            if flags & MORE:
                raise RemoteProtocolError(f"MORE outside of what {self._mechanism.name} hides", offset)
            self._tampered = True  # unless this returns: who sent a wrong one is told nothing (RFC 26)
            flags, body = self._mechanism.decode_frame(body, offset)
            self._tampered = False
            incoming.check(flags, body, offset)
        if not flags & COMMAND:
            if (message := incoming.receive_frame(flags, body)) is not None:
                events.append(message)
            return 1 if self.shares_encoding else 1 + len(body) // _DECRYPTED_PER_STEP
        if (event := incoming.receive_command(parse_command(body, offset))) is not None:
            events.append(event)
            self.messages_only = False
        return 1 + len(body) // _BYTES_PER_STEP


_Step: TypeAlias = Callable[[Connection, PlainEvents, int], int]
"""Takes one thing from the input. Returns: how much work that was, in steps; 0 if more input is needed."""

_STEPS: Final[Mapping[State, _Step]] = {
    State.GREETING: Connection._step_greeting,
    State.HANDSHAKE: Connection._step_handshake,
    State.VERDICT: Connection._step_verdict,
    State.ESTABLISHED: Connection._step_established,
}
