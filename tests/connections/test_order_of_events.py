"""What a monitor tells at either side, in which order: the same over every transport, whoever ends the connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork

TRANSPORTS = ["tcp", "ipc", "inproc"]
MET = ["Connected", "HandshakeSucceeded"]
LEFT = [*MET, "Disconnected"]
TABLE: dict[str, tuple[list[str], list[str]]] = {
    "the connecting socket disconnects": (LEFT, ["Listening", *LEFT]),
    "the connecting socket is closed": (LEFT, ["Listening", *LEFT]),
    "the bound socket unbinds": (LEFT, ["Listening", *MET, "ListeningStopped", "Disconnected"]),
    "the bound socket is closed": (LEFT, ["Listening", *MET, "ListeningStopped", "Disconnected"]),
    "the context is left": (LEFT, ["Listening", *MET, "ListeningStopped", "Disconnected"]),
    "nobody connects": ([], ["Listening", "ListeningStopped"]),
}
"""Who ends the connection: what the connecting side is told, then what the bound side is told."""


class Heard:
    """What one monitor tells, without the attempts to connect again."""

    def __init__(self, nursery: trio.Nursery, socket: Any) -> None:
        self.names: list[str] = []
        self.peers: list[triomq.Peer | None] = []
        nursery.start_soon(self._listen, socket.monitor())

    async def _listen(self, monitor: triomq.Monitor) -> None:
        async for event in monitor:
            if not isinstance(event, triomq.ConnectFailed):
                self.names.append(type(event).__name__)
            if isinstance(event, (triomq.HandshakeSucceeded, triomq.Disconnected)):
                assert event.peer is not None
                assert (event.endpoint, event.address) == (event.peer.endpoint, event.peer.address)
                self.peers.append(event.peer)


@pytest.mark.parametrize("who", TABLE)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("bound", "connected"), [(triomq.PULL, triomq.PUSH), (triomq.ROUTER, triomq.DEALER)])
@pytest.mark.parametrize("spoken", [False, True])
async def test_the_order_of_events(
    who: str, transport: str, bound: Any, connected: Any, spoken: bool, tmp_path: Path
) -> None:
    await play(triomq.open_context, endpoint_of(transport, tmp_path), who, bound, connected, spoken)


def endpoint_of(transport: str, directory: Path) -> str:
    return {"tcp": "tcp://127.0.0.1:0", "ipc": f"ipc://{directory}/it", "inproc": "inproc://it"}[transport]


async def play(opened: Any, endpoint: str, who: str, bound: Any, connected: Any, spoken: bool) -> None:
    async with trio.open_nursery() as nursery:
        async with opened() as ctx:
            there = ctx.socket(bound, linger=0.1)
            binding = Heard(nursery, there)
            endpoint = await there.bind(endpoint)
            here = ctx.socket(connected, linger=0.1)
            connecting = Heard(nursery, here)
            if who != "nobody connects":
                here.connect(endpoint)
                await here.wait_peers()
                await there.wait_peers()
                if spoken:
                    await here.send(b"it")
                    await there.receive()
            if who == "the connecting socket disconnects":
                here.disconnect(endpoint)
            elif who == "the connecting socket is closed":
                await here.aclose()
            elif who == "the bound socket unbinds":
                await there.unbind(endpoint)
            elif who == "the bound socket is closed":
                await there.aclose()
            if who not in ("the context is left", "nobody connects"):
                with trio.fail_after(5):
                    while "Disconnected" not in connecting.names or "Disconnected" not in binding.names:  # noqa: ASYNC110
                        await trio.sleep(0.001)
            connecting_names, binding_names = connecting.names, binding.names
            for_the_end = list(binding_names)
        here_expected, there_expected = TABLE[who]
        with trio.fail_after(5):
            while nursery.child_tasks:  # noqa: ASYNC110  # the monitors end with their sockets
                await trio.sleep(0.001)
        assert connecting_names == here_expected
        if "ListeningStopped" in there_expected:
            assert binding_names == there_expected
        else:
            assert for_the_end == there_expected
            assert binding_names == [*there_expected, "ListeningStopped"]
        for heard, theirs in ((connecting, bound), (binding, connected)):
            assert [peer.socket_type for peer in heard.peers if peer] == [theirs.socket_type] * len(heard.peers)
            assert len(set(heard.peers)) <= 1, "who leaves is who came"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("who", ["aclose", "disconnect", "context"])
async def test_what_is_not_sent_is_told_before_the_end(transport: str, who: str, tmp_path: Path) -> None:
    """By a socket that has nobody to send it to; then it has nothing more to tell."""
    names: list[str] = []
    endpoint = {"tcp": "tcp://127.0.0.1:1"}.get(transport) or endpoint_of(transport, tmp_path)
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH, linger=0.01)
        monitor = push.monitor()
        push.connect(endpoint)
        await push.send_many([b"it"] * 3)
        if who == "disconnect":
            push.disconnect(endpoint)
            with trio.fail_after(5):
                while not push.messages_dropped:  # noqa: ASYNC110  # no event is to be taken from the monitor
                    await trio.sleep(0.001)
        elif who == "aclose":
            await push.aclose()
    async for event in monitor:
        if isinstance(event, triomq.MessageDropped):
            reason = "disconnected" if who == "disconnect" else "linger"
            assert (event.count, event.reason, event.peer, event.address) == (3, reason, None, endpoint)
        if not isinstance(event, triomq.ConnectFailed):
            names.append(type(event).__name__)
    assert names == ["MessageDropped"]


@pytest.mark.parametrize("who", TABLE)
@pytest.mark.parametrize("spoken", [False, True])
async def test_the_order_of_events_on_a_virtual_network(
    who: str, spoken: bool, virtual_network: VirtualNetwork
) -> None:
    await play(virtual_network.open_context, "tcp://*:5555", who, triomq.PULL, triomq.PUSH, spoken)


async def test_an_end_is_told_once_and_with_the_reason(virtual_network: VirtualNetwork) -> None:
    """Whoever breaks the rules is told of at the side that hangs up, and at the other by the other's words."""
    async with virtual_network.open_context("a") as here, virtual_network.open_context("b") as there:
        pull = there.socket(triomq.PULL, max_message_size=10)
        push = here.socket(triomq.PUSH, reconnect_interval=100)
        monitors = [one.monitor() for one in (pull, push)]
        await pull.bind("tcp://*:5555")
        push.connect("tcp://b:5555")
        await push.send(bytes(11))
        await trio.sleep(0.1)
        await push.aclose()
        await pull.aclose()
        texts = []
        for monitor in monitors:
            (end,) = [event async for event in monitor if isinstance(event, triomq.Disconnected)]
            texts.append(str(end.error))
        assert "a message of 11 octets or more; 10 are allowed (max_message_size)" in texts[0]
        assert "the peer ended the connection: a message of 11 octets or more" in texts[1]
