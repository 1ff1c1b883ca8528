"""What `triomq.zmtp` asks of a security mechanism, as a check of anybody's mechanism."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..._errors import RemoteProtocolError
from ..._message import Message
from ...zmtp import Connection, Mechanism
from .._determinism import seeded
from ._requirements import require

_MESSAGES = [
    Message([b""]),
    Message([b"one"]),
    Message([b"several", b"", b"frames", bytes(300)]),
    Message([bytes(range(256)) * 300]),
    *(Message([b"%d" % number]) for number in range(50)),
]
_GREETING = 64  # bytes of a greeting (RFC 37 §2.1)
_LONG = 2  # the flag of a frame whose size takes eight bytes
_MOST_TURNS = 100  # turns of a handshake, at the most
_LONGEST_CUT = 64  # a body that is cut short keeps 0 to 63 bytes
_MOST_CUT_TURNS = 3  # the commands of the first three turns of a handshake are cut short
_HARMED = 400  # handshakes and conversations with a wrong byte


def check_mechanism(client: Callable[[], Mechanism], server: Callable[[], Mechanism], *, seed: int = 0) -> None:
    """Check that a mechanism's two sides agree, carry every message, and withstand any bytes from the peer.

    The handshake completes, into whatever pieces its bytes are cut, and tells each side the metadata of the other.
    Messages arrive whole and in order. A frame grows by ``overhead`` bytes. Wrong bytes and frames that are cut
    short, in the handshake or after, raise nothing but `RemoteProtocolError`.

    Args:
      client: makes a fresh mechanism for the side that connects.
      server: makes a fresh mechanism for the side that binds.
      seed: the wrong bytes are drawn from it.
    Raises:
      AssertionError: a promise is broken; the text says which.
    """
    for size in (1, 7, 10_000):
        pair = _Pair(client(), server())
        pair.shake_hands(size)
        pair.check_metadata()
        pair.exchange(size)
    _check_overhead(client, server)
    dice = seeded(seed, "mechanism")
    for _ in range(_HARMED):
        _harm(_Pair(client(), server()), dice.random(), dice.randrange(1, 256), dice.choice([True, False]))
    for from_client in True, False:
        for kept in range(_LONGEST_CUT):
            _cut_frame(_Pair(client(), server()), kept, from_client)
            for turn in range(_MOST_CUT_TURNS):
                _cut_command(_Pair(client(), server()), turn, kept, from_client)


class _Pair:
    """Two connections, and the bytes between them."""

    def __init__(self, client: Mechanism, server: Mechanism) -> None:
        self.client = Connection("DEALER", as_server=False, mechanism=client, metadata={"X-Side": b"client"})
        self.server = Connection("ROUTER", as_server=True, mechanism=server, metadata={"X-Side": b"server"})
        self.sides = (self.client, self.server), (self.server, self.client)

    def shake_hands(self, size: int, change: Callable[[Connection, bytes], bytes] | None = None) -> None:
        """Let them talk until both are ready."""
        for _ in range(_MOST_TURNS):
            said = False
            for speaker, listener in self.sides:
                data = speaker.data_to_send()
                said = said or bool(data)
                _feed(listener, change(speaker, data) if change and data else data, size)
            if self.client.established and self.server.established and not said:
                return
            require(said or change, "the handshake stops before both sides are ready: neither has anything to say")
            if not said:
                return
        require(change, f"the handshake is not over after {_MOST_TURNS} turns")

    def check_metadata(self) -> None:
        """Check that each side knows the metadata of the other."""
        for side, other in (self.client, b"server"), (self.server, b"client"):
            require(side.peer is not None, "an established connection knows its peer")
            metadata = dict(side.peer.metadata) if side.peer else {}
            require(metadata.get("X-Side") == other, f"the peer's metadata arrives; it was {metadata!r}")

    def exchange(self, size: int) -> None:
        """Send every message both ways."""
        for speaker, listener in self.sides:
            received = [
                event for event in _feed(listener, _encoded(speaker, _MESSAGES), size) if type(event) is Message
            ]
            require(received == _MESSAGES, "every message arrives, whole and in order")


def _encoded(connection: Connection, messages: Sequence[Message]) -> bytes:
    buffers: list[bytes] = []
    count = connection.encode(messages, buffers)
    data = b"".join(buffers)
    require(count == len(data), "encode counts the bytes it makes")
    return data


def _feed(connection: Connection, data: bytes, size: int) -> list[Any]:
    events: list[Any] = []
    for start in range(0, len(data), size):
        events += connection.receive_data(data[start : start + size])
    return events


def _check_overhead(client: Callable[[], Mechanism], server: Callable[[], Mechanism]) -> None:
    one, other = client(), server()
    pair = _Pair(one, other)
    pair.shake_hands(10_000)
    for mechanism in one, other:
        if mechanism.shares_encoding:
            require(not mechanism.overhead, "a mechanism that shares encodings does not change frames: overhead is 0")
        else:
            for body in (b"", b"x", bytes(1000)):
                longer = len(mechanism.encode_frame(0, body)) - len(body)
                require(longer == mechanism.overhead, f"overhead is {mechanism.overhead}, a frame grew by {longer}")


def _harm(pair: _Pair, where: float, mask: int, from_client: bool) -> None:
    """Change one byte of what one side says; nothing but a RemoteProtocolError may come of it."""
    speaker_harmed = pair.client if from_client else pair.server
    rest = [1 + int(where * 200)]

    def change(speaker: Connection, data: bytes) -> bytes:
        if speaker is not speaker_harmed or rest[0] < 0:
            return data
        position, rest[0] = rest[0], rest[0] - len(data)
        if position >= len(data):
            return data
        rest[0] = -1
        return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]

    with _nothing_but_protocol_errors("a wrong byte"):
        pair.shake_hands(10_000, change)
        if pair.client.established and pair.server.established:
            data = bytearray(_encoded(speaker_harmed, _MESSAGES[:3]))
            data[int(where * len(data))] ^= mask
            _feed(pair.server if from_client else pair.client, bytes(data), 10_000)


def _cut_frame(pair: _Pair, kept: int, from_client: bool) -> None:
    """Send a frame that is cut short."""
    speaker, listener = pair.sides[0] if from_client else pair.sides[1]
    pair.shake_hands(10_000)
    with _nothing_but_protocol_errors("a frame that was cut short"):
        _feed(listener, _first_cut(_encoded(speaker, [Message([b"some bytes"])]), kept), 10_000)


def _cut_command(pair: _Pair, turn: int, kept: int, from_client: bool) -> None:
    """Send a command of the handshake that is cut short: the first, the second or a later one."""
    speaker_harmed = pair.client if from_client else pair.server
    said, turns = 0, 0

    def change(speaker: Connection, data: bytes) -> bytes:
        nonlocal said, turns
        if speaker is not speaker_harmed:
            return data
        greeting, commands = data[: max(0, _GREETING - said)], data[max(0, _GREETING - said) :]
        said += len(data)
        if not commands:
            return data
        turns += 1
        return greeting + (_first_cut(commands, kept) if turns == turn + 1 else commands)

    with _nothing_but_protocol_errors("a command that was cut short"):
        pair.shake_hands(10_000, change)


def _first_cut(data: bytes, kept: int) -> bytes:
    """The encoded frames, the first of them with no more than ``kept`` bytes of its body."""
    if data[0] & _LONG:
        start, size = 9, int.from_bytes(data[1:9], "big")
    else:
        start, size = 2, data[1]
    kept = min(kept, size)
    return bytes((data[0] & ~_LONG, kept)) + data[start : start + kept] + data[start + size :]


@contextmanager
def _nothing_but_protocol_errors(what: str) -> Iterator[None]:
    try:
        yield
    except RemoteProtocolError:
        return
    except Exception as exc:
        raise AssertionError(f"{what} from the peer raised {exc!r}, not RemoteProtocolError") from exc
