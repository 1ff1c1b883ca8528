"""The client of ZAP against handlers written to RFC 27, and against handlers that break it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import triomq
from triomq import Accept, Curve, Deny, PeerProcess, Plain
from triomq.auth import ZapClient
from triomq.testing import VirtualNetwork
from triomq.zmtp import encode_properties

from .requests import JOE, SERVER, of_key, of_user, request

ENDPOINT = "inproc://zeromq.zap.01"
Answer = Callable[[Sequence[bytes]], Sequence[bytes]]


async def rep_handler(ctx: triomq.Context, answer: Answer, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
    """A handler as in the guide: a loop around a REP."""
    async with ctx.socket(triomq.REP, bind=ENDPOINT) as rep:
        task_status.started()
        async for asked in rep:
            await rep.send(answer(asked))


def saying(status: bytes, text: bytes = b"", user_id: bytes = b"", metadata: bytes = b"") -> Answer:
    return lambda asked: [b"1.0", asked[1], status, text, user_id, metadata]


@pytest.fixture
async def ctx(virtual_network: VirtualNetwork):  # type: ignore[no-untyped-def]
    async with virtual_network.open_context() as ctx:
        yield ctx


async def test_what_a_handler_is_asked(ctx: triomq.Context, nursery: trio.Nursery) -> None:
    asked = []

    def answer(frames: Sequence[bytes]) -> Sequence[bytes]:
        asked.append(tuple(frames))
        return saying(b"200", b"OK", b"joe", encode_properties({"Role": b"cook"}))(frames)

    await nursery.start(rep_handler, ctx, answer)
    client = ZapClient(ctx, "test")
    process = PeerProcess(4711, 1000, 100)
    requests = [
        request(routing_id=b"BOB"),
        of_user("admin", "secret"),
        of_key(JOE.public_key),
        request(address="ipc:///run/feed", process=process),
        request(address="ipc:///run/feed"),
    ]
    for one in requests:
        assert await client(one) == Accept("joe", {"Role": b"cook"})
    assert asked == [
        (b"1.0", b"1", b"test", b"192.0.2.7", b"BOB", b"NULL"),
        (b"1.0", b"2", b"test", b"192.0.2.7", b"", b"PLAIN", b"admin", b"secret"),
        (b"1.0", b"3", b"test", b"192.0.2.7", b"", b"CURVE", JOE.public_key),
        (b"1.0", b"4", b"test", b":1000:100:4711", b"", b"NULL"),
        (b"1.0", b"5", b"test", b"", b"", b"NULL"),
    ]
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("status", [300, 400, 500])
async def test_denials(ctx: triomq.Context, nursery: trio.Nursery, status: int) -> None:
    await nursery.start(rep_handler, ctx, saying(b"%d" % status, b"not today \xff"))
    assert await ZapClient(ctx)(request()) == Deny(status, "not today \\xff")
    nursery.cancel_scope.cancel()


BROKEN: dict[str, Answer] = {
    "version": lambda asked: [b"1.1", asked[1], b"200", b"OK", b"joe", b""],
    "status 201": saying(b"201"),
    "status empty": saying(b""),
    "status with a blank": saying(b"200 "),
    "too few frames": lambda asked: [b"1.0", asked[1], b"200", b"OK", b"joe"],
    "too many frames": lambda asked: [b"1.0", asked[1], b"200", b"OK", b"joe", b"", b""],
    "another number": lambda asked: [b"1.1", b"4711", b"200", b"OK", b"joe", b""],
    "nothing": lambda asked: [b""],
    "metadata": saying(b"200", b"OK", b"joe", b"\4Rol"),
    "metadata of a wrong name": saying(b"200", b"OK", b"joe", encode_properties({"a b": b""})),
    "user id": saying(b"200", b"OK", b"jos\xc3\xa9"),
    "long user id": saying(b"200", b"OK", b"x" * 256),
}


@pytest.mark.parametrize("name", list(BROKEN))
async def test_a_handler_that_breaks_the_rules_lets_nobody_in(
    ctx: triomq.Context, nursery: trio.Nursery, name: str
) -> None:
    await nursery.start(rep_handler, ctx, BROKEN[name])
    with trio.fail_after(1):
        verdict = await ZapClient(ctx)(request())
    assert isinstance(verdict, Deny)
    assert verdict.status == 500
    assert "ZAP handler" in verdict.text
    nursery.cancel_scope.cancel()


async def test_without_a_handler_peers_are_to_come_again(ctx: triomq.Context, nursery: trio.Nursery) -> None:
    client = ZapClient(ctx)
    verdict = await client(request())
    assert isinstance(verdict, Deny)
    assert verdict.status == 300
    assert ENDPOINT in verdict.text
    await nursery.start(rep_handler, ctx, saying(b"200"))
    assert await client(request()) == Accept()
    nursery.cancel_scope.cancel()


async def router_handler(ctx: triomq.Context, backwards: int, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
    """A handler that gathers so many questions, and answers the last one first."""
    async with ctx.socket(triomq.ROUTER, bind=ENDPOINT) as router:
        task_status.started()
        while True:
            asked = [await router.receive() for _ in range(backwards)]
            for routing_id, empty, version, number, *rest in reversed(asked):
                name = rest[2]  # the routing id
                await router.send([routing_id, empty, version, number, b"200", b"OK", name, b""])


async def test_several_are_asked_at_a_time_and_answered_in_any_order(
    ctx: triomq.Context, nursery: trio.Nursery
) -> None:
    await nursery.start(router_handler, ctx, 10)
    client, verdicts = ZapClient(ctx), {}

    async def ask(number: int) -> None:
        verdicts[number] = await client(request(routing_id=b"%d" % number))

    for turn in range(3):
        async with trio.open_nursery() as asking:
            for number in range(10):
                asking.start_soon(ask, turn * 10 + number)
    assert verdicts == {number: Accept(str(number)) for number in range(30)}
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("cancelled", range(4))
async def test_the_others_get_their_replies_whoever_is_cancelled(ctx: triomq.Context, cancelled: int) -> None:
    """One of them receives for all; a late reply to the one that was cancelled is nobody's."""
    client, verdicts = ZapClient(ctx), {}
    scopes = [trio.CancelScope() for _ in range(4)]

    async def ask(number: int) -> None:
        with scopes[number]:
            verdicts[number] = await client(request(routing_id=b"%d" % number))

    async with ctx.socket(triomq.ROUTER, bind=ENDPOINT) as router:
        async with trio.open_nursery() as asking:
            for number in range(4):
                asking.start_soon(ask, number)
            asked = [await router.receive() for _ in range(4)]
            await wait_all_tasks_blocked()
            scopes[cancelled].cancel()
            await wait_all_tasks_blocked()
            with trio.fail_after(1):
                for routing_id, empty, version, number, *rest in asked:
                    await router.send([routing_id, empty, version, number, b"200", b"", rest[2], b""])
                    await wait_all_tasks_blocked()
    assert verdicts == {number: Accept(str(number)) for number in range(4) if number != cancelled}
    assert not client._questions


async def test_all_may_be_cancelled_at_once(ctx: triomq.Context, nursery: trio.Nursery) -> None:
    client = ZapClient(ctx)
    async with ctx.socket(triomq.ROUTER, bind=ENDPOINT):
        with trio.move_on_after(1):
            async with trio.open_nursery() as asking:
                for _ in range(4):
                    asking.start_soon(client, request())
        assert not client._questions
    await nursery.start(rep_handler, ctx, saying(b"200"))
    assert await client(request()) == Accept()
    nursery.cancel_scope.cancel()


async def test_questions_that_nobody_waits_for_are_bounded(ctx: triomq.Context) -> None:
    """A handler that hangs, and peers that come and go."""
    client = ZapClient(ctx)
    async with ctx.socket(triomq.ROUTER, bind=ENDPOINT, receive_hwm=5) as router:
        for _ in range(1500):
            with trio.move_on_after(0.001):
                await client(request())
        assert router.statistics().peers[0].receive_queue <= 1005  # both HWMs
        assert not client._questions


@pytest.mark.parametrize("domain", ["", "x" * 256, "é", 7])
def test_domains_are_checked(domain: Any) -> None:
    with pytest.raises(ValueError, match="domain"):
        ZapClient(None, domain)  # type: ignore[arg-type]


# --- with sockets ------------------------------------------------------------------------------

SIDES: dict[str, tuple[Any, Any]] = {
    "NULL": (None, None),
    "PLAIN": (Plain.server(), Plain("admin", "secret")),
    "CURVE": (Curve.server(SERVER), Curve(SERVER.public_key, JOE)),
}


async def serve(ctx: triomq.Context, answer: Answer, mechanism: Any) -> None:
    ctx.authenticator(ZapClient(ctx))
    async with ctx.socket(triomq.PULL, mechanism=mechanism) as pull, trio.open_nursery() as nursery:
        await nursery.start(rep_handler, ctx, answer)
        await pull.bind("tcp://*:5555")
        async for _ in pull:
            pass


@pytest.mark.parametrize("name", list(SIDES))
async def test_a_handler_decides_for_a_context(virtual_network: VirtualNetwork, name: str) -> None:
    server, client = SIDES[name]
    answer = saying(b"200", b"OK", b"joe", encode_properties({"Role": b"cook"}))
    async with virtual_network.open_context("here") as here, virtual_network.open_context("there") as there:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, here, answer, server)
            push = there.socket(triomq.PUSH, mechanism=client, connect="tcp://here:5555")
            await push.send(b"hello")
            await push.wait_peers()
            (pull,) = [one for one in here.sockets if isinstance(one, triomq.PULL)]
            assert [(peer.user_id, peer.user_metadata) for peer in pull.peers] == [("joe", {"Role": b"cook"})]
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("name", list(SIDES))
@pytest.mark.parametrize(("status", "often"), [(300, True), (400, False), (500, False)])
async def test_a_temporary_failure_is_tried_again_soon_and_a_denial_is_not(
    virtual_network: VirtualNetwork, name: str, status: int, often: bool
) -> None:
    """RFC 27."""
    server, client = SIDES[name]
    asked = []

    def answer(frames: Sequence[bytes]) -> Sequence[bytes]:
        asked.append(frames)
        return saying(b"%d" % status)(frames)

    async with virtual_network.open_context("here") as here, virtual_network.open_context("there") as there:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, here, answer, server)
            options = {"linger": 0, "reconnect_interval_max": 1}
            async with there.socket(triomq.PUSH, mechanism=client, connect="tcp://here:5555", **options):
                await trio.sleep(60)
            nursery.cancel_scope.cancel()
    assert len(asked) >= 60 if often else 1 <= len(asked) <= 10


async def test_a_handler_that_hangs_is_bounded_in_time_and_in_number(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("here") as here, virtual_network.open_context("there") as there:
        here.authenticator(ZapClient(here), max_requests=3)
        router = here.socket(triomq.ROUTER)
        await router.bind(ENDPOINT)
        pull = here.socket(triomq.PULL, handshake_timeout=5)
        await pull.bind("tcp://*:5555")
        monitor = pull.monitor()
        options = {"linger": 0, "reconnect_interval": 1000, "reconnect_interval_max": 1000}
        pushes = [there.socket(triomq.PUSH, connect="tcp://here:5555", **options) for _ in range(10)]
        await trio.sleep(1)
        waiting = router.statistics().peers[0].receive_queue
        assert waiting == 3
        await trio.sleep(6)
        failed = []
        while len(failed) < 10:
            event = await monitor.receive()
            if isinstance(event, triomq.HandshakeFailed):
                failed.append(event)
        assert len({event.address for event in failed}) == 10
        assert all(isinstance(event.error, trio.TooSlowError) for event in failed)
        assert not any(push.peers for push in pushes)
        assert pull.statistics().messages_received == 0


async def test_the_client_ends_with_its_context(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        client = ZapClient(ctx)
    with pytest.raises(trio.ClosedResourceError):
        ZapClient(ctx)
    assert isinstance(await client(request()), Deny)


async def test_it_may_end_before_its_context(ctx: triomq.Context, nursery: trio.Nursery) -> None:
    await nursery.start(rep_handler, ctx, saying(b"200"))
    async with ZapClient(ctx) as client:
        assert await client(request()) == Accept()
    assert isinstance(await client(request()), Deny)
    assert [socket.socket_type for socket in ctx.sockets] == ["REP"]
    nursery.cancel_scope.cancel()


async def test_it_has_a_socket_of_a_name(ctx: triomq.Context) -> None:
    ZapClient(ctx)
    assert [socket.name for socket in ctx.sockets] == ["ZAP client"]
