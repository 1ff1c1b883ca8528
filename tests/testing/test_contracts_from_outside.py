"""The contract kit in the hands of a user: a transport and a mechanism made of public names alone, and their faults."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import trio
import trio.testing

import triomq
from triomq.abc import Listener, Transport
from triomq.testing import check_mechanism, check_transport
from triomq.zmtp import Command, Mechanism, Properties, command_body, encode_properties, parse_properties


class BoardListener(Listener):
    """Somebody who waits at a notice board."""

    def __init__(self, board: Board, name: str) -> None:
        self.board = board
        self.name = name
        self.arriving, self.accepting = trio.open_memory_channel[trio.abc.Stream](10)

    @property
    def endpoint(self) -> str:
        return f"board://{self.name}"

    async def accept(self) -> trio.abc.Stream:
        return await self.accepting.receive()

    async def aclose(self) -> None:
        self.board.names.pop(self.name, None)
        self.accepting.close()
        await trio.lowlevel.checkpoint()


class Board(Transport):
    """Names that are pinned to a board; what connects them is a pair of streams in memory."""

    listener = BoardListener

    def __init__(self) -> None:
        self.names: dict[str, BoardListener] = {}

    def check_connect(self, address: str) -> None:
        if not address.isalpha():
            raise triomq.EndpointError(f"board://{address}: a name is letters")

    async def connect(self, address: str, options: triomq.Options) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if address not in self.names:
            raise ConnectionRefusedError(f"nobody is at board://{address}")
        ours, theirs = self.pair()
        self.names[address].arriving.send_nowait(theirs)
        return ours

    def pair(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        return trio.testing.memory_stream_pair()

    async def listen(self, address: str, options: triomq.Options) -> Listener:
        await trio.lowlevel.checkpoint()
        if address in self.names:
            raise triomq.AddressInUseError(f"board://{address} is taken")
        self.names[address] = self.listener(self, address)
        return self.names[address]


class Lockstep(Board):
    """A sender waits until everything was read."""

    def pair(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        return trio.testing.lockstep_stream_pair()


@pytest.mark.parametrize("make", [Board, Lockstep])
async def test_a_transport(autojump_clock: trio.testing.MockClock, make: type[Board]) -> None:
    await check_transport(make(), "work", malformed=["", "4711"])


class Crowded(Board):
    """Two may have one name."""

    async def listen(self, address: str, options: triomq.Options) -> Listener:
        self.names.pop(address, None)
        return await super().listen(address, options)


class Lazy(Board):
    """Somebody may yet come, so it waits."""

    async def connect(self, address: str, options: triomq.Options) -> trio.abc.Stream:
        if address not in self.names:
            await trio.sleep_forever()
        return await super().connect(address, options)


class Unfit(Board):
    """Fails with whatever a dictionary fails with."""

    async def connect(self, address: str, options: triomq.Options) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        ours, theirs = self.pair()
        self.names[address].arriving.send_nowait(theirs)
        return ours


class Greeting(BoardListener):
    """Has taken the peer when it is cancelled."""

    async def accept(self) -> trio.abc.Stream:
        stream = await super().accept()
        await trio.lowlevel.checkpoint()
        return stream


class Clinging(BoardListener):
    """Keeps its name when it is closed."""

    async def aclose(self) -> None:
        self.accepting.close()
        await trio.lowlevel.checkpoint()


class Deaf(BoardListener):
    """Who waits in accept does not learn that it was closed."""

    async def accept(self) -> trio.abc.Stream:
        if self.accepting.statistics().open_receive_channels:
            return await self.accepting.clone().receive()
        return await super().accept()


class Silent(Board):
    """Closing one end is not seen at the other."""

    def pair(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        ours, theirs = trio.testing.memory_stream_pair()
        ours.send_stream.close_hook = None
        return ours, theirs


def with_listener(kind: type[BoardListener]) -> type[Board]:
    return type(kind.__name__, (Board,), {"listener": kind})


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Crowded, "binding what is bound already: it raised nothing"),
        (Lazy, "connecting where nobody listens: it was not over after 60 s"),
        (Unfit, r"connecting where nobody listens: it raised KeyError\('work'\)"),
        (with_listener(Greeting), "cancelled just when a peer came lost that peer"),
        (with_listener(Clinging), "connecting where nobody listens: it raised BrokenResourceError"),
        (with_listener(Deaf), "accept that was blocked when the listener was closed hangs"),
        (Silent, "trio.testing.check_two_way_stream: it was not over"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_faulty_transport(autojump_clock: trio.testing.MockClock, make: type[Board], text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        await check_transport(make(), "work")


async def test_an_address_that_is_not_refused(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(AssertionError, match=r"check_connect\('work'\): it raised nothing"):
        await check_transport(Board(), "work", malformed=["work"])


class Mask(Mechanism):
    """Both sides know a mask, and XOR every frame with it and its number."""

    name = "MASK"
    shares_encoding = False
    overhead = 2
    command = b"KNOWN"

    def __init__(self, mask: int = 0x5A) -> None:
        super().__init__()
        self.mask = mask
        self.sent = self.received = 0
        self.ready: bytes | None = None

    def start(self, metadata: Mapping[str, bytes], as_server: bool) -> None:
        self.ready = command_body(self.command, encode_properties(metadata))

    def next_command(self) -> bytes | None:
        ready, self.ready = self.ready, None
        return ready

    def receive_command(self, command: Command) -> Properties | None:
        if command.name != self.command or self.complete:
            raise triomq.RemoteProtocolError("this is not its turn", command.offset)
        self.complete = True
        return parse_properties(command.data, command.offset)

    def encode_frame(self, flags: int, body: bytes) -> bytes:
        self.sent = (self.sent + 1) % 256
        return bytes((self.sent, flags)) + bytes(octet ^ self.mask ^ self.sent for octet in body)

    def decode_frame(self, body: bytes, offset: int) -> tuple[int, bytes]:
        self.received = (self.received + 1) % 256
        if len(body) < 2 or body[0] != self.received:
            raise triomq.RemoteProtocolError("not the next frame", offset)
        return body[1], bytes(octet ^ self.mask ^ self.received for octet in body[2:])


def test_a_mechanism() -> None:
    check_mechanism(Mask, Mask)


class Trusting(Mask):
    """Believes that a frame has two octets at least."""

    def decode_frame(self, body: bytes, offset: int) -> tuple[int, bytes]:
        self.received = (self.received + 1) % 256
        if body[0] != self.received:
            raise triomq.RemoteProtocolError("not the next frame", offset)
        return body[1], bytes(octet ^ self.mask ^ self.received for octet in body[2:])


class Stuck(Mask):
    """Numbers what it sends, and not what it receives."""

    def decode_frame(self, body: bytes, offset: int) -> tuple[int, bytes]:
        return body[1], bytes(octet ^ self.mask ^ 1 for octet in body[2:])


class Reticent(Mask):
    """Does not tell the peer's metadata."""

    def receive_command(self, command: Command) -> Properties | None:
        super().receive_command(command)
        return parse_properties(encode_properties({"Socket-Type": b"DEALER"}), command.offset)


class Shy(Mask):
    """Waits for the peer to begin."""

    def next_command(self) -> bytes | None:
        return super().next_command() if self.complete else None


class Understated(Mask):
    overhead = 1


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Trusting, "a frame that was cut short from the peer raised IndexError"),
        (Stuck, "whole and in order"),
        (Reticent, "the peer's metadata arrives"),
        (Shy, "the handshake stops before both sides are ready"),
        (Understated, "overhead is 1, a frame grew by 2"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_faulty_mechanism(make: type[Mask], text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        check_mechanism(make, make)


def test_two_sides_that_do_not_agree() -> None:
    with pytest.raises(AssertionError, match="whole and in order"):
        check_mechanism(Mask, lambda: Mask(0x55))
