"""One ZMTP 3.1 connection without any input or output of its own (RFC 37).

Theory of operation. Octets go in by `Connection.receive_data`, events come out of it. Octets for the
peer come out of `Connection.data_to_send` (what the protocol itself has to say) and
`Connection.encode` (what the user has to say). There is no clock, no socket and no waiting in here.

A connection goes through four states:

    GREETING --greeting--> HANDSHAKE --handshake--> ESTABLISHED
        `---------fault--------'---------fault----------'----> CLOSED

Each has one step function, which takes one thing from the input and says whether there may be more.
In ESTABLISHED the step first lets `take_messages` run over the buffer; what that leaves is taken
frame by frame. The limits are judged on a frame's header, before its body takes any memory.

A fault of the peer ends the connection, but not before the events that preceded it have been given out.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from .._errors import LocalProtocolError, RefusedByPeerError, RemoteProtocolError
from .._message import Message, new_message
from ._commands import (
    MAX_COMMAND,
    Command,
    encode_error,
    event_frame,
    parse_command,
    parse_error_reason,
    parse_ping,
    parse_pong,
    parse_topic,
)
from ._compatibility import COMPATIBLE, TAKES_SUBSCRIPTIONS
from ._events import Cancel, Event, HandshakeComplete, PeerInfo, Pong, Properties, Subscribe
from ._frame_reader import FrameReader
from ._frames import COMMAND, MORE, Item, encode_frame, encode_items, take_messages
from ._greeting import GREETING_SIZE, VERSION, encode_greeting, parse_greeting
from ._handshake import explain_refusal, own_metadata, peer_info
from ._mechanism import Mechanism, Null
from ._state import TRANSITIONS, State

MAX_IGNORED: Final = 1_000
"""Commands without meaning that may come in a row, with no message between, before the peer is given up."""

Events: TypeAlias = list[Message | Event]


class Connection:
    """One side of a ZMTP connection.

    Args:
      socket_type: of this side, such as ``"PUSH"``.
      as_server: this side is the server of the mechanism; without meaning for NULL.
      routing_id: our Identity, told to the peer by REQ, DEALER and ROUTER.
      mechanism: a fresh instance, used by no other connection; None is `Null`.
      metadata: further properties to tell the peer.
      max_message_size: most octets in all frames of one message from the peer.
      max_frames: most frames in one message from the peer.

    Attributes:
      peer: who the peer is; None until the handshake is complete.
      established: messages may be sent and received.
      has_buffered: the last `receive_data` stopped before it had used up the input: call
        ``receive_data(b"", limit)`` for what is left, before feeding more.
      messages_only: everything the last `receive_data` returned is a `Message`.
      between_messages: what comes next begins a message or a command, which are on the wire as they are.
      commands_ignored: commands so far that mean nothing here.
      shares_encoding: `encode` takes messages that `encode_shared` made.

    Raises:
      ValueError: an argument is out of range.
    """

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
        self.established: bool = False
        self.has_buffered: bool = False
        self.messages_only: bool = True
        self.between_messages: bool = False
        self.commands_ignored: int = 0
        self._state = State.GREETING
        self._step: _Step = Connection._step_greeting
        self._socket_type = socket_type
        self._as_server = as_server
        self._mechanism = Null() if mechanism is None else mechanism
        self.shares_encoding: bool = self._mechanism.shares_encoding
        self._metadata = own_metadata(socket_type, routing_id, metadata or {})
        self._max_message_size = max_message_size
        self._max_frames = max_frames
        self._version = VERSION
        self._reader = FrameReader()
        self._frames: list[bytes] = []  # of a message that has not ended
        self._size = 0  # of those frames together
        self._ignored_in_a_row = 0
        self._candidate: PeerInfo | None = None  # a peer whose metadata is good, but not yet more
        self._announcement: HandshakeComplete | None = None
        self._fault: RemoteProtocolError | None = None
        self._pong: Pong | None = None
        self._outgoing = [encode_greeting(self._mechanism.name, as_server and self._mechanism.has_roles)]

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._state

    def data_to_send(self) -> bytes:
        """What the protocol itself has to send now; each octet is returned once.

        Greeting, handshake commands, the answer to a PING, an ERROR after a fault. It must go out
        before what `encode` returns later, and after what it returned earlier.
        """
        if self._state is State.HANDSHAKE:
            self._advance()
        pong, self._pong = self._pong, None
        if pong is not None:
            self._outgoing.append(self._encode_event(pong))
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def encode(self, messages: Sequence[Item], out: list[bytes]) -> int:
        """Append the octets of each item, in order, to ``out``.

        Args:
          messages: a `Message` or tuple of frames; `bytes` that `encode_shared` made, if
            ``shares_encoding``; `Subscribe` or `Cancel`, which become what this peer's version of
            ZMTP takes; or `Ping`.
        Returns: how many octets were appended.
        Raises:
          LocalProtocolError: the connection is not established, or an item cannot be sent.
        """
        if not self.established:
            raise LocalProtocolError(f"nothing can be sent in state {self._state.name}")
        if self.shares_encoding:
            return encode_items(messages, out, self._encode_event)
        buffers = [self._encode_changed(item) for item in messages]
        out += buffers
        return sum(map(len, buffers))

    def receive_data(self, data: bytes, limit: int = sys.maxsize) -> Events:
        """Take octets of the peer; return what they mean, in order.

        Args:
          data: what was received; ``b""`` only goes on with what is buffered (see `has_buffered`).
          limit: at most so many events are returned.
        Raises:
          RemoteProtocolError: the peer broke ZMTP. Raised by the call after the one that returned
            the last events before the fault, and once; the connection is closed then, and
            `data_to_send` may hold an ERROR command for the peer.
          RefusedByPeerError: the peer refused the handshake.
          LocalProtocolError: the connection is closed already.
        """
        events: Events = []
        self.messages_only = True
        if self.between_messages:  # the usual case
            end = take_messages(data, 0, limit, self._max_message_size, self._max_frames, events)
            if events:
                self._ignored_in_a_row = 0
            if end == len(data):
                self._reader.before += end
                return events
            self._reader.start(data, end)
        else:
            if self._state is State.CLOSED:
                self._raise_fault()
            self._reader.feed(data)
        return self._take_by_steps(events, limit)

    def _take_by_steps(self, events: Events, limit: int) -> Events:
        self.between_messages = False
        try:
            while len(events) < limit and self._step(self, events, limit):
                pass
        except RemoteProtocolError as fault:
            self._enter("fault")
            self.established = False
            self.has_buffered = bool(events)
            if not events:
                raise
            # Without its traceback, which would tie this object into a reference cycle.
            self._fault = fault.with_traceback(None)
            return events
        self.has_buffered = len(events) >= limit and self._reader.unfinished
        if not self.has_buffered:
            self._reader.release()
            plain = self.established and self.shares_encoding and not (self._announcement or self._frames)
            self.between_messages = plain and self._reader.is_empty
        return events

    def receive_hint(self) -> int:
        """Octets still missing of the frame that is being received; 0 when that is not known."""
        return self._reader.missing

    # States

    def _enter(self, happening: str) -> None:
        self._state = TRANSITIONS[self._state, happening]
        self._step = _STEPS.get(self._state, self._step)

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        self.has_buffered = False
        try:
            raise fault or LocalProtocolError("the connection is closed: the peer broke the protocol")
        finally:
            del fault  # The traceback refers to this frame: no cycle through it.

    def _step_greeting(self, events: Events, limit: int) -> bool:
        greeting = parse_greeting(self._reader.buffer, self._mechanism.name)
        if greeting is None:
            return False
        self._reader.offset = GREETING_SIZE
        self._version = greeting.version
        self._enter("greeting")
        self._mechanism.start(self._metadata, self._as_server)
        self._advance()
        return True

    def _step_handshake(self, events: Events, limit: int) -> bool:
        frame = self._reader.take_frame(self._admit_handshake)
        if frame is None:
            return False
        command = parse_command(frame[1], frame[2])
        # libzmq 4 spells it with a wrong first letter in its PLAIN mechanism.
        if command.name in (b"ERROR", b"^RROR"):
            reason = parse_error_reason(command.data)
            raise RefusedByPeerError(f"the peer refused the handshake: {reason or 'it gave no reason'}", command.offset)
        metadata = self._mechanism.receive_command(command)
        if metadata is not None:
            self._candidate = self._meet(metadata, command.offset)
        self._advance()
        return True

    def _step_established(self, events: Events, limit: int) -> bool:
        if self._announcement is not None:
            events.append(self._announcement)
            self._announcement = None
            self.messages_only = False
            return True
        reader = self._reader
        if not self._frames and not reader.collects and self.shares_encoding:
            count = len(events)
            reader.offset = take_messages(
                reader.buffer, reader.offset, limit - count, self._max_message_size, self._max_frames, events
            )
            if len(events) > count:
                self._ignored_in_a_row = 0
                if len(events) == limit:
                    return False
            if reader.offset == len(reader.buffer):
                return False
        frame = reader.take_frame(self._admit)
        if frame is None:
            return False
        flags, body, offset = frame
        if not self.shares_encoding:
            flags, body = self._mechanism.decode_frame(body, offset)
            if (refusal := self._admit_plain(flags, len(body))) is not None:
                raise RemoteProtocolError(refusal, offset)
        if flags & COMMAND:
            self._receive_command(parse_command(body, offset), events)
        else:
            self._receive_frame(flags, body, events)
        return True

    # Handshake

    def _admit_handshake(self, flags: int, size: int) -> str | None:
        if not flags & COMMAND:
            return "a message before the handshake was complete"
        if size > self._mechanism.command_limit:
            return f"a handshake command of {size} octets; {self._mechanism.command_limit} are allowed"
        return None

    def _advance(self) -> None:
        """Queue what the mechanism has to say now, and see whether that was all."""
        while (body := self._mechanism.next_command()) is not None:
            self._outgoing.append(encode_frame(COMMAND, body))
        if self._mechanism.complete and self._candidate is not None:
            self._enter("handshake")
            self.established = True
            self.peer = self._candidate
            self._announcement = HandshakeComplete(self.peer)

    def _meet(self, metadata: Properties, offset: int) -> PeerInfo:
        """Judge what the peer says of itself; it is told why if it is refused."""
        refusal = explain_refusal(self._socket_type, metadata)
        if refusal is not None:
            self._outgoing.append(encode_frame(COMMAND, encode_error(refusal)))
            raise RemoteProtocolError(refusal, offset)
        return peer_info(metadata, self._version, self._mechanism.name)

    # Traffic from the peer

    def _admit(self, flags: int, size: int) -> str | None:
        if self.shares_encoding:
            return self._admit_plain(flags, size)
        # Whether it is a command or a message only decoding shows: as much as either may have, for now.
        size -= self._mechanism.overhead
        return None if size <= MAX_COMMAND else self._admit_plain(0, size)

    def _admit_plain(self, flags: int, size: int) -> str | None:
        if flags & COMMAND:
            return None if size <= MAX_COMMAND else f"a command of {size} octets; {MAX_COMMAND} are allowed"
        if self._size + size > self._max_message_size:
            return f"a message of {self._size + size} octets or more; {self._max_message_size} are allowed"
        if len(self._frames) >= self._max_frames:
            return f"a message of more than {self._max_frames} frames"
        return None

    def _receive_frame(self, flags: int, body: bytes, events: Events) -> None:
        self._frames.append(body)
        self._size += len(body)
        if not flags & MORE:
            events.append(new_message(Message, self._frames))
            self._frames = []
            self._size = 0
            self._ignored_in_a_row = 0

    def _receive_command(self, command: Command, events: Events) -> None:
        if (event := _COMMANDS.get(command.name, Connection._ignore)(self, command)) is not None:
            events.append(event)
            self.messages_only = False

    def _receive_subscription(self, command: Command) -> Event | None:
        if self._socket_type not in TAKES_SUBSCRIPTIONS:
            return self._ignore(command)
        kind = Subscribe if command.name == b"SUBSCRIBE" else Cancel
        return kind(parse_topic(command))

    def _receive_ping(self, command: Command) -> Event:
        ping = parse_ping(command)
        # One answer at most waits, or a peer that only pings and never reads fills our memory.
        self._pong = Pong(ping.context)
        return ping

    def _ignore(self, command: Command) -> Event | None:
        self.commands_ignored += 1
        self._ignored_in_a_row += 1
        if self._ignored_in_a_row > MAX_IGNORED:
            raise RemoteProtocolError(
                f"more than {MAX_IGNORED} commands in a row that mean nothing here, the last {command.name[:32]!r}",
                command.offset,
            )
        return None

    # Traffic to the peer

    def _encode_event(self, event: object) -> bytes:
        """The frame for what is neither a message nor encoded."""
        flags, body = event_frame(event, self._version)
        return self._encode_frame(flags, body)

    def _encode_frame(self, flags: int, body: bytes) -> bytes:
        if self.shares_encoding:
            return encode_frame(flags, body)
        return encode_frame(0, self._mechanism.encode_frame(flags, body))

    def _encode_changed(self, item: Item) -> bytes:
        """Encode one item through a mechanism that changes frames."""
        if isinstance(item, bytes):
            raise LocalProtocolError(f"{self._mechanism.name} peers cannot share an encoding")
        if not isinstance(item, tuple):
            return self._encode_event(item)
        *front, last = item
        return b"".join([*(self._encode_frame(MORE, body) for body in front), self._encode_frame(0, last)])


_Step: TypeAlias = Callable[[Connection, Events, int], bool]

_STEPS: Final[Mapping[State, _Step]] = {
    State.GREETING: Connection._step_greeting,
    State.HANDSHAKE: Connection._step_handshake,
    State.ESTABLISHED: Connection._step_established,
}

_COMMANDS: Final[Mapping[bytes, Callable[[Connection, Command], Event | None]]] = {
    b"SUBSCRIBE": Connection._receive_subscription,
    b"CANCEL": Connection._receive_subscription,
    b"PING": Connection._receive_ping,
    b"PONG": lambda _, command: parse_pong(command),
}
