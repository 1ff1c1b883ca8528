"""What an established peer sends and is sent: the meaning of frames and commands.

Theory of operation. `Connection` cuts the input into frames and asks `Incoming` what each of them means: a
part of a message, a message, an event, nothing, or a fault. `Outgoing` makes frames of what is sent. Neither
knows in which state the connection is.

Most messages pass by both: `take_messages` and `encode_items`, the two hot loops, do the same for whole messages
whose frames the mechanism leaves unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from .._errors import LocalProtocolError, RemoteProtocolError
from .._message import Frames
from ._commands import MAX_COMMAND, Command, event_frame, parse_error_reason, parse_ping, parse_pong, parse_topic
from ._compatibility import TAKES_SUBSCRIPTIONS
from ._events import Cancel, Event, Pong, Subscribe
from ._frames import COMMAND, MORE, MOST_LONE, Item, encode_frame, encode_items
from ._greeting import VERSION
from ._mechanism import Mechanism

MAX_IGNORED: Final = 1_000
"""Commands that mean nothing and come without a message between; with more of them the connection ends."""


_FRAME_COST: Final = 8  # bytes that a frame takes besides what it holds: an empty one takes no more
_FRAMES_ALLOWANCE: Final = 256 * 1024  # bytes that the frames of one message may take beyond what they may hold


class Incoming:
    """Reads the frames of an established peer.

    Args:
      socket_type: of this side; it decides whether subscriptions mean anything.
      mechanism: decodes each frame, if it changes frames.
      max_message_size: bytes; the most in all frames of one message.
      max_frames: the most frames in one message.

    Attributes:
      most_lone: bytes; what is read at once, and is longer, is not for `take_lone`.
      frames: those that have come of a message whose last frame has not.
      pong: the answer to the last PING, until the connection sends it.
      last_error: why the peer is about to hang up, in its words; empty while it has not said.
      ignored: how many commands have come that mean nothing here.
      ignored_in_a_row: how many since the last message. The connection resets it when it takes messages by itself.
    """

    __slots__ = (
        "_mechanism", "_size", "_socket_type", "frames", "ignored", "ignored_in_a_row", "last_error",
        "max_frames", "max_message_size", "most_lone", "pong",
    )  # fmt: skip

    def __init__(self, socket_type: str, mechanism: Mechanism, max_message_size: float, max_frames: int) -> None:
        self.max_message_size = max_message_size
        self.max_frames = max_frames
        self.most_lone: float = min(MOST_LONE, max_message_size) if max_frames > 1 else 0
        self.frames: list[bytes] = []
        self.pong: Pong | None = None
        self.last_error: str = ""
        self.ignored: int = 0
        self.ignored_in_a_row: int = 0
        self._socket_type = socket_type
        self._mechanism = mechanism
        self._size = 0  # bytes in `frames`

    def admit(self, flags: int, size: int) -> str | None:
        """Why the frame with this header is refused; None if it is not. ``size`` is that of its body."""
        if self._mechanism.shares_encoding:
            return self._admit_plain(flags, size)
        # Only decoding shows whether this is a command or a message: for now, allow what either may have.
        size -= self._mechanism.overhead
        return None if size <= MAX_COMMAND else self._admit_plain(0, size)

    def _admit_plain(self, flags: int, size: int) -> str | None:
        if flags & COMMAND:
            return None if size <= MAX_COMMAND else f"a command of {size} octets; {MAX_COMMAND} are allowed"
        if self._size + size > self.max_message_size:
            limit = f"{self.max_message_size} are allowed (max_message_size)"
            return f"a message of {self._size + size} octets or more; {limit}"
        if self._size + size + _FRAME_COST * len(self.frames) > self.max_message_size + _FRAMES_ALLOWANCE:
            return f"a message of {len(self.frames)} frames or more, which hold next to nothing"
        if len(self.frames) >= self.max_frames:
            return f"a message of more than {self.max_frames} frames"
        return None

    def check(self, flags: int, body: bytes, offset: int) -> None:
        """Check the limits of a frame that the mechanism has found in another, which began at ``offset`` of the stream.

        Raises:
          RemoteProtocolError: one of them refuses it.
        """
        if not (flags or self.frames) and len(body) <= self.max_message_size:  # most messages
            return
        if (refusal := self._admit_plain(flags, len(body))) is not None:
            raise RemoteProtocolError(refusal, offset)

    def receive_frame(self, flags: int, body: bytes) -> Frames | None:
        """Take a frame of a message. Returns: the message, if this was its last frame."""
        if not (flags or self.frames):  # most messages
            self.ignored_in_a_row = 0
            return (body,)
        self.frames.append(body)
        self._size += len(body)
        if flags & MORE:
            return None
        message = tuple(self.frames)
        self.frames = []
        self._size = 0
        self.ignored_in_a_row = 0
        return message

    def receive_command(self, command: Command) -> Event | None:
        """The event that a command stands for; None if it means nothing here.

        Raises:
          RemoteProtocolError: the command is malformed, or one too many that means nothing.
        """
        return _COMMANDS.get(command.name, Incoming._ignore)(self, command)

    def _receive_subscription(self, command: Command) -> Event | None:
        if self._socket_type not in TAKES_SUBSCRIPTIONS:
            return self._ignore(command)
        kind = Subscribe if command.name == b"SUBSCRIBE" else Cancel
        return kind(parse_topic(command))

    def _receive_ping(self, command: Command) -> Event:
        ping = parse_ping(command)
        # Only the last answer waits: a peer that pings and never reads would fill our memory.
        self.pong = Pong(ping.context)
        return ping

    def _receive_error(self, command: Command) -> Event | None:
        """Note the reason, for when the peer hangs up; should it go on, the command has meant nothing."""
        self.last_error = parse_error_reason(command.data) or "it gave no reason"
        return self._ignore(command)

    def _ignore(self, command: Command) -> Event | None:
        self.ignored += 1
        self.ignored_in_a_row += 1
        if self.ignored_in_a_row > MAX_IGNORED:
            raise RemoteProtocolError(
                f"more than {MAX_IGNORED} commands in a row that mean nothing here, the last {command.name[:32]!r}",
                command.offset,
            )
        return None


_COMMANDS: Final[Mapping[bytes, Callable[[Incoming, Command], Event | None]]] = {
    b"SUBSCRIBE": Incoming._receive_subscription,
    b"CANCEL": Incoming._receive_subscription,
    b"PING": Incoming._receive_ping,
    b"ERROR": Incoming._receive_error,
    b"PONG": lambda _, command: parse_pong(command),
}


class Outgoing:
    """Makes the frames for an established peer.

    Args:
      mechanism: encodes each frame, if it changes frames.

    Attributes:
      version: of ZMTP, spoken with this peer: it decides how subscriptions are sent.
    """

    __slots__ = ("_mechanism", "version")

    def __init__(self, mechanism: Mechanism) -> None:
        self.version: tuple[int, int] = VERSION
        self._mechanism = mechanism

    def encode_event(self, event: object) -> bytes:
        """The frame for what is neither a message nor encoded.

        Raises:
          LocalProtocolError: it cannot be sent.
        """
        flags, body = event_frame(event, self.version)
        return self.encode_frame(flags, body)

    def encode_changed(self, items: Sequence[Item], out: list[bytes], ends: list[int] | None) -> int:
        """Append each item to ``out`` as a mechanism that changes frames wants it; return how many bytes.

        Args:
          ends: gets where each of the items ends, if it is given.
        Raises:
          LocalProtocolError: an item cannot be sent.
        """
        change = self._mechanism.encode_frame
        frames: list[tuple[bytes]] = []
        total = 0
        for item in items:
            if type(item) is tuple and len(item) == 1:  # most messages
                changed = change(0, item[0])
                frames.append((changed,))
                total += len(changed) + (2 if len(changed) < 256 else 9)
            else:
                for changed in self._change(item):
                    frames.append((changed,))
                    total += len(changed) + (2 if len(changed) < 256 else 9)
            if ends is not None:
                ends.append(total)
        return encode_items(frames, out, self.encode_event)

    def _change(self, item: Item) -> list[bytes]:
        change = self._mechanism.encode_frame
        if not isinstance(item, tuple):
            if isinstance(item, bytes):
                raise LocalProtocolError(f"{self._mechanism.name} peers cannot share an encoding")
            return [change(*event_frame(item, self.version))]
        *front, last = item
        changed = [change(MORE, body) for body in front]
        changed.append(change(0, last))
        return changed

    def encode_frame(self, flags: int, body: bytes) -> bytes:
        """A frame, as the mechanism wants it."""
        if self._mechanism.shares_encoding:
            return encode_frame(flags, body)
        return encode_frame(0, self._mechanism.encode_frame(flags, body))
