"""When an answer is written: at once to a single message, together to several that came together."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

settled = trio.testing.wait_all_tasks_blocked

TURN = 20  # answers


class Server:
    """One that is asked, and the writes that come of its answers."""

    def __init__(self, net: VirtualNetwork, socket: triomq.DEALER, client: triomq.DEALER) -> None:
        self._net, self._socket, self._client = net, socket, client
        self.send = socket.send

    def written(self) -> int:
        """How many writes there were so far."""
        return len([event for event in self._net.recorder.of_kind("sent") if event.host == "b"])

    async def ask(self, requests: int) -> None:
        """Let so many requests come together."""
        await self._client.send_many([b"question"] * requests)
        await settled()
        assert self._socket.statistics().peers[0].receive_queue == requests

    async def work(self, turns: int) -> None:
        """Answer some of them in each of so many turns, in which time stands still."""
        for _ in range(turns):
            for _ in range(TURN):
                self._socket.send_nowait(b"answer")
            await trio.lowlevel.checkpoint()


@pytest.fixture
async def server(virtual_network: VirtualNetwork) -> AsyncIterator[Server]:
    """One that has written small messages just now."""
    net = virtual_network
    net.link("a", "b", latency=0.0)
    net.link("b", "a", latency=0.0)
    async with net.open_context("a") as a, net.open_context("b") as b:
        socket, client = b.socket(triomq.DEALER), a.socket(triomq.DEALER)
        client.connect(await socket.bind("tcp://*:5555"))
        await socket.wait_peers()
        await client.wait_peers()
        await socket.send(b"for a start")
        await settled()
        yield Server(net, socket, client)


@pytest.mark.parametrize("requests", [1, 2, 5, 100])
async def test_only_a_single_message_is_answered_at_once(server: Server, requests: int) -> None:
    """All this happens in one moment: what is sent soon after something else is gathered, if it is no answer."""
    moment, before = trio.current_time(), server.written()
    await server.ask(requests)
    await server.send(b"answer")
    assert server.written() - before == (requests == 1)
    await settled()
    assert server.written() - before == 1
    await server.send(b"unasked")
    assert server.written() - before == 1
    await settled()
    assert server.written() - before == 2
    assert trio.current_time() == moment


@pytest.mark.parametrize("requests", [1, 7, 8, 100])
async def test_a_connection_that_was_quiet_answers_a_few_at_once_and_many_together(
    server: Server, requests: int
) -> None:
    await trio.sleep(1)
    before = server.written()
    await server.ask(requests)
    await server.send(b"answer")
    assert server.written() - before == (requests < 8)
    await settled()
    assert server.written() - before == 1


@pytest.mark.parametrize("requests", [1, 7, 8, 100])
async def test_an_answer_that_took_a_while_is_written_at_once(server: Server, requests: int) -> None:
    await server.ask(requests)
    before = server.written()
    for answers in range(1, 4):
        await trio.sleep(1)
        await server.send(b"answer")
        assert server.written() - before == answers


@pytest.mark.parametrize(("requests", "written"), [(50, 1), (127, 1), (128, 0)])
async def test_the_first_answers_leave_after_a_turn_unless_there_are_very_many(
    server: Server, requests: int, written: int
) -> None:
    """So the peer works on them meanwhile."""
    await server.ask(requests)
    before = server.written()
    await server.work(2)
    assert server.written() - before == written
    await settled()
    assert server.written() - before == written + 1
