"""What the thread tells comes in the order in which it happened, and what belongs together comes together."""

from __future__ import annotations

import trio

import triomq
from triomq.testing import VirtualNetwork


async def test_who_sees_a_peer_has_been_told_of_it() -> None:
    """A monitor that is opened when the peer is there hears no more of its coming."""
    for _ in range(20):
        async with triomq.open_context(io_thread=True) as ctx:
            pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
            push.connect(await pull.bind("tcp://127.0.0.1:0"))
            with trio.fail_after(60):
                await push.wait_peers()
                await pull.wait_peers()
            monitors = [pull.monitor(), push.monitor()]
            await push.send(b"it")
            with trio.fail_after(60):
                await pull.receive()
            await ctx._aclose()
            for monitor in monitors:
                events = [type(event).__name__ async for event in monitor]
                assert "HandshakeSucceeded" not in events


async def test_listening_comes_before_who_was_waiting_to_connect(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("a", io_thread=True) as a, virtual_network.open_context("b") as b:
        push = b.socket(triomq.PUSH, reconnect_interval=1e-3, reconnect_interval_max=1e-3)
        push.connect("tcp://a:5555")
        for _ in range(20):
            pull = a.socket(triomq.PULL)
            monitor = pull.monitor()
            await pull.bind("tcp://*:5555")
            await pull.wait_peers()
            await pull.aclose()
            names = [type(event).__name__ async for event in monitor]
            assert names[:3] == ["Listening", "Connected", "HandshakeSucceeded"]
            assert names[-1] == "Disconnected"


async def test_a_message_between_two_subscriptions_keeps_its_place(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context(io_thread=True) as ctx:
        xpub, xsub = ctx.socket(triomq.XPUB), ctx.socket(triomq.XSUB)
        xsub.connect(await xpub.bind("tcp://*:5555"))
        await xsub.wait_peers()
        said = [b"\1a", b"hello", b"\1b", b"there", b"\0a", b"bye"]
        for message in said:
            await xsub.send(message)
        assert [bytes(await xpub.receive()) for _ in said] == said


async def test_a_place_that_a_peer_of_inproc_has(virtual_network: VirtualNetwork) -> None:
    """The thread knows nothing of that peer. The other one waits all the same, and nothing of it is lost."""
    async with virtual_network.open_context(io_thread=True) as ctx:
        bound, near, far = (ctx.socket(triomq.PAIR) for _ in range(3))
        await bound.bind("inproc://here")
        endpoint = await bound.bind("tcp://*:5555")
        near.connect("inproc://here")
        far.connect(endpoint)
        await far.send(b"far")
        await trio.sleep(1)
        await near.send(b"near")
        assert bytes(await bound.receive()) == b"near"
        await near.aclose()
        assert bytes(await bound.receive()) == b"far"
        await bound.send(b"welcome")
        assert bytes(await far.receive()) == b"welcome"


async def test_the_room_is_exact(virtual_network: VirtualNetwork) -> None:
    """With nobody there, as many messages as the HWM; with a peer that reads nothing, no more at any time."""
    async with virtual_network.open_context(io_thread=True) as ctx:
        push = ctx.socket(triomq.PUSH, send_hwm=7, linger=0)
        push.connect("tcp://127.0.0.1:9")
        for _ in range(7):
            push.send_nowait(b"it")
            await trio.sleep(0.1)
        with trio.move_on_after(10) as scope:
            await push.send(b"one more")
        assert scope.cancelled_caught
        (row,) = push.statistics().peers
        assert (row.send_queue, row.send_hwm) == (7, 7)


async def test_an_authenticator_is_asked_in_the_users_run() -> None:
    """And the answer counts; a peer that leaves meanwhile cancels the question."""
    asked: list[trio.lowlevel.TrioToken] = []

    async def judge(request: triomq.AuthenticationRequest) -> triomq.Accept | triomq.Deny:
        asked.append(trio.lowlevel.current_trio_token())
        await trio.lowlevel.checkpoint()
        return triomq.Accept("me") if len(asked) > 1 else triomq.Deny(300)

    async with triomq.open_context(io_thread=True) as ctx:
        ctx.authenticator(judge)
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, reconnect_interval=0.01)
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        with trio.fail_after(60):
            await pull.wait_peers()
        assert [peer.user_id for peer in pull.peers] == ["me"]
    assert asked == [trio.lowlevel.current_trio_token()] * 2


async def test_the_limits_of_the_context_hold(virtual_network: VirtualNetwork) -> None:
    """Of connections, and of bytes that wait: those included that are on their way between the two runs."""
    net = virtual_network
    async with net.open_context("a", io_thread=True, max_peers=2, max_queued_bytes=10_000) as a:
        pull = a.socket(triomq.PULL, receive_hwm=0)
        await pull.bind("tcp://*:5555")
        async with net.open_context("b") as b:
            pushes = [b.socket(triomq.PUSH, linger=0, send_hwm=0) for _ in range(3)]
            for push in pushes:
                push.connect("tcp://a:5555")
                await trio.sleep(1)
            assert len(pull.peers) == 2
            for number in range(1000):
                await pushes[0].send(b"%4d" % number + bytes(996))
            await trio.sleep(10)
            waiting = sum(peer.receive_queue for peer in pull.statistics().peers)
            assert 10 <= waiting <= 300, "10,000 bytes, and what was read at once"
            for number in range(1000):
                assert int((await pull.receive())[0][:4]) == number
