"""Who decides whether a peer may come in: answers, patience, and what becomes of a question that nobody waits for."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
import trio

import triomq
from triomq import Accept, AuthenticationRequest, Curve, Deny, Plain
from triomq.testing import VirtualNetwork

from ..hostile.scene import until
from ..zmtp.curve_peer import key_pair

SERVER, CLIENT = key_pair(1), key_pair(2)
SIDES: dict[str, tuple[Any, Any, tuple[bytes, ...]]] = {
    "NULL": (None, None, ()),
    "PLAIN": (Plain.server(), Plain("admin", "secret"), (b"admin", b"secret")),
    "CURVE": (Curve.server(SERVER), Curve(SERVER.public_key, CLIENT), (CLIENT.public_key,)),
}
every_mechanism = pytest.mark.parametrize("name", list(SIDES))


class Gatekeeper:
    """An authenticator that does what a test says, and remembers what it was asked."""

    def __init__(self, answer: Callable[[AuthenticationRequest], Any], seconds: float = 0) -> None:
        self.asked: list[AuthenticationRequest] = []
        self.asking = self.most = self.cancelled = 0
        self.patience = 0.0  # seconds until the last one was cancelled
        self._answer = answer
        self._seconds = seconds

    async def __call__(self, request: AuthenticationRequest) -> Any:
        self.asked.append(request)
        self.asking += 1
        self.most = max(self.most, self.asking)
        begun = trio.current_time()
        try:
            await trio.sleep(self._seconds)
            return self._answer(request)
        except trio.Cancelled:
            self.cancelled += 1
            self.patience = trio.current_time() - begun
            raise
        finally:
            self.asking -= 1


def failures(monitor: triomq.Monitor) -> list[triomq.HandshakeFailed]:
    found = []
    while True:
        try:
            event = monitor.receive_nowait()
        except trio.WouldBlock:
            return found
        if isinstance(event, triomq.HandshakeFailed):
            found.append(event)


@every_mechanism
@pytest.mark.parametrize("endpoint", ["tcp://*:5555", "ipc:///run/it"])
async def test_who_is_let_in_is_known_by_name(virtual_network: VirtualNetwork, name: str, endpoint: str) -> None:
    server, client, credentials = SIDES[name]
    gatekeeper = Gatekeeper(lambda _: Accept("joe", {"Role": b"cook"}), seconds=1)
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(gatekeeper)
        router = here.socket(triomq.ROUTER, mechanism=server)
        dealer = there.socket(triomq.DEALER, mechanism=client, routing_id=b"me")
        place = (await router.bind(endpoint)).replace("0.0.0.0", "localhost")
        dealer.connect(place)
        await dealer.send(b"hello")
        assert await router.receive() == (b"me", b"hello")
        (peer,) = router.peers
        assert (peer.user_id, peer.user_metadata) == ("joe", {"Role": b"cook"})
        (request,) = gatekeeper.asked
        assert (request.mechanism, request.credentials) == (name, credentials)
        assert (request.socket_type, request.endpoint) == ("ROUTER", peer.endpoint)
        assert request.address == peer.address
        assert request.routing_id == (b"" if name == "PLAIN" else b"me")  # PLAIN tells it to who let it in
        assert [one.user_id for one in dealer.peers] == [""]


@every_mechanism
@pytest.mark.parametrize("status", [400, 500])
async def test_who_is_denied_knows_and_seldom_comes_again(
    virtual_network: VirtualNetwork, name: str, status: int
) -> None:
    server, client, _ = SIDES[name]
    gatekeeper = Gatekeeper(lambda _: Deny(status, "not today"))
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(gatekeeper)
        pull, push = here.socket(triomq.PULL, mechanism=server), there.socket(triomq.PUSH, mechanism=client, linger=0)
        theirs, ours = push.monitor(), pull.monitor()
        push.connect(await pull.bind("tcp://localhost:5555"))
        with pytest.raises(triomq.HandshakeRefusedError) as caught:
            await push.wait_peers()
        cause = caught.value.__cause__
        assert isinstance(cause, triomq.RefusedByPeerError)
        assert cause.status == status
        assert "not today" not in str(cause)  # it is for the server's eyes
        (event,) = failures(ours)
        assert isinstance(event.error, triomq.DeniedError)
        assert event.error.status == status
        assert "not today" in str(event.error)
        assert event.address.startswith("tcp://")
        assert (failures(theirs)[0].retry_in or 0) > 1
        await trio.sleep(3600)
        assert len(gatekeeper.asked) < 30
        assert pull.statistics().messages_received == 0
        await push.aclose()


@every_mechanism
async def test_a_temporary_failure_is_soon_tried_again(virtual_network: VirtualNetwork, name: str) -> None:
    """The peer is told nothing, as libzmq has it (RFC 27: status 300)."""
    server, client, _ = SIDES[name]
    gatekeeper = Gatekeeper(lambda _: Deny(300, "the database is away") if len(gatekeeper.asked) < 4 else Accept("joe"))
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(gatekeeper)
        pull, push = here.socket(triomq.PULL, mechanism=server), there.socket(triomq.PUSH, mechanism=client)
        ours = pull.monitor()
        push.connect(await pull.bind("tcp://localhost:5555"))
        with trio.fail_after(10):
            await push.wait_peers()
            await push.send(b"hello")
            assert await pull.receive() == (b"hello",)
        assert [event.error.status for event in failures(ours)] == [300] * 3  # type: ignore[union-attr]
        assert len(gatekeeper.asked) == 4


class ShopError(Exception):
    pass


def _raise(_: AuthenticationRequest) -> Accept:
    raise ShopError("no connection to the database")


@pytest.mark.parametrize("answer", [_raise, lambda _: True, lambda _: None, lambda _: triomq.Accept])
async def test_an_authenticator_that_fails_lets_nobody_in(virtual_network: VirtualNetwork, answer: Any) -> None:
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(Gatekeeper(answer))
        pull, push = here.socket(triomq.PULL), there.socket(triomq.PUSH, linger=0)
        ours = pull.monitor()
        push.connect(await pull.bind("tcp://localhost:5555"))
        with pytest.raises(triomq.HandshakeRefusedError, match="500"):
            await push.wait_peers()
        (event,) = failures(ours)
        assert isinstance(event.error, triomq.DeniedError)
        assert event.error.status == 500
        assert isinstance(event.error.__cause__, ShopError if answer is _raise else TypeError)
        await push.aclose()


@pytest.mark.parametrize("io_thread", [False, True])
@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), BaseExceptionGroup("one", [SystemExit(3)])])
async def test_what_is_no_exception_ends_the_context_and_comes_out_alone(
    virtual_network: VirtualNetwork, raised: BaseException, io_thread: bool
) -> None:
    """As trio would end the nursery of a task that raises it; a program that calls ``sys.exit()`` wants to exit."""

    async def leave(_: AuthenticationRequest) -> Accept:
        raise raised

    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        async with virtual_network.open_context("it", io_thread=io_thread) as ctx:
            ctx.authenticator(leave)
            pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, linger=1000)
            push.connect(await pull.bind("tcp://127.0.0.1:0"))
            await push.send(b"it")
            await pull.receive()
    assert caught.value in (raised, *getattr(raised, "exceptions", ()))


@every_mechanism
async def test_where_nobody_can_be_asked_the_peer_comes_again(
    virtual_network: VirtualNetwork, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What asks is imported for the first question, and no descriptor may be free then."""
    from triomq import _security

    server, client, _ = SIDES[name]
    question = _security.AuthenticationRequest
    refused: list[str] = []

    def bring(missing: str) -> Any:
        if len(refused) == 2:
            return question
        refused.append(missing)
        raise OSError(errno.EMFILE, "Too many open files", missing)

    monkeypatch.delattr(_security, "AuthenticationRequest")
    monkeypatch.setattr(_security, "__getattr__", bring)
    async with virtual_network.open_context("it") as ctx:
        ctx.authenticator(Gatekeeper(lambda _: Accept()))
        pull, push = ctx.socket(triomq.PULL, mechanism=server), ctx.socket(triomq.PUSH, mechanism=client)
        monitor = pull.monitor()
        push.connect(await pull.bind("tcp://127.0.0.1:0"))
        with trio.fail_after(10):
            await push.wait_peers()
        assert refused == ["AuthenticationRequest"] * 2
        assert ["Too many open files" in str(one.error) for one in failures(monitor)] == [True, True]


@every_mechanism
async def test_it_has_no_longer_than_the_handshake(virtual_network: VirtualNetwork, name: str) -> None:
    server, client, _ = SIDES[name]
    gatekeeper = Gatekeeper(lambda _: Accept(), seconds=60)
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(gatekeeper)
        pull = here.socket(triomq.PULL, mechanism=server, handshake_timeout=20)
        push = there.socket(triomq.PUSH, mechanism=client, linger=0)
        ours = pull.monitor()
        push.connect(await pull.bind("tcp://localhost:5555"))
        await until(lambda: bool(gatekeeper.asked))
        await trio.sleep(25)
        assert gatekeeper.patience == pytest.approx(20, abs=0.1)
        (event,) = failures(ours)
        assert isinstance(event.error, trio.TooSlowError)
        assert "no verdict of the authenticator" in str(event.error)
        await push.aclose()


@every_mechanism
async def test_a_peer_that_leaves_waits_for_no_answer(virtual_network: VirtualNetwork, name: str) -> None:
    server, client, _ = SIDES[name]
    gatekeeper = Gatekeeper(lambda _: Accept(), seconds=20)
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(gatekeeper)
        pull, push = here.socket(triomq.PULL, mechanism=server), there.socket(triomq.PUSH, mechanism=client, linger=0)
        push.connect(await pull.bind("tcp://localhost:5555"))
        await until(lambda: bool(gatekeeper.asked))
        await trio.sleep(5)
        await push.aclose()
        await trio.sleep(0.1)
        assert gatekeeper.cancelled == 1
        assert pull.peers == ()


@pytest.mark.parametrize("how", ["socket", "context", "unbind"])
async def test_a_server_that_leaves_asks_no_more(virtual_network: VirtualNetwork, how: str) -> None:
    gatekeeper = Gatekeeper(lambda _: Accept(), seconds=20)
    async with virtual_network.open_context() as there:
        push = there.socket(triomq.PUSH, linger=0)
        async with virtual_network.open_context() as here:
            here.authenticator(gatekeeper)
            pull = here.socket(triomq.PULL)
            endpoint = await pull.bind("tcp://localhost:5555")
            push.connect(endpoint)
            await until(lambda: bool(gatekeeper.asked))
            begun = trio.current_time()
            if how == "socket":
                await pull.aclose()
            elif how == "unbind":
                await pull.unbind(endpoint)
        assert trio.current_time() - begun < 1
        assert (gatekeeper.cancelled, gatekeeper.asking) == (1, 0)
        await push.aclose()


async def test_requests_are_bounded_and_all_are_answered(virtual_network: VirtualNetwork) -> None:
    gatekeeper = Gatekeeper(lambda _: Accept(), seconds=1)
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(gatekeeper, max_requests=3)
        pull = here.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://localhost:5555")
        clients = [there.socket(triomq.PUSH, connect=endpoint) for _ in range(12)]
        begun = trio.current_time()
        await pull.wait_peers(12)
        assert gatekeeper.most == 3
        assert trio.current_time() - begun == pytest.approx(4, abs=0.1)
        for client in clients:
            await client.aclose()


async def test_another_authenticator_answers_from_now_on(virtual_network: VirtualNetwork) -> None:
    """What was asked before, the one before answers; and who is in stays in."""
    first, second = Gatekeeper(lambda _: Accept("first"), seconds=5), Gatekeeper(lambda _: Accept("second"))
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        router = here.socket(triomq.ROUTER)
        dealers = [there.socket(triomq.DEALER, routing_id=b"%d" % number) for number in range(3)]
        endpoint = await router.bind("tcp://localhost:5555")
        here.authenticator(first)
        dealers[0].connect(endpoint)
        await until(lambda: bool(first.asked))
        here.authenticator(second)
        dealers[1].connect(endpoint)
        await router.wait_peers(2)
        here.authenticator(None)
        dealers[2].connect(endpoint)
        await router.wait_peers(3)
        users = {peer.routing_id: peer.user_id for peer in router.peers}
        assert users == {b"0": "first", b"1": "second", b"2": ""}


@every_mechanism
async def test_nothing_is_heard_of_a_peer_before_the_answer(virtual_network: VirtualNetwork, name: str) -> None:
    server, client, _ = SIDES[name]
    gatekeeper = Gatekeeper(lambda _: Deny(), seconds=5)
    async with virtual_network.open_context() as here, virtual_network.open_context() as there:
        here.authenticator(gatekeeper)
        xpub, sub = here.socket(triomq.XPUB, mechanism=server), there.socket(triomq.SUB, mechanism=client, topics=["a"])
        sub.connect(await xpub.bind("tcp://localhost:5555"))
        with trio.move_on_after(60) as patience:
            await xpub.receive()
        assert patience.cancelled_caught
        assert gatekeeper.asked
        assert xpub.statistics().messages_received == 0


def _arguments() -> list[tuple[Any, dict[str, Any], type[Exception]]]:
    gatekeeper = Gatekeeper(lambda _: Accept())
    return [
        ("a name", {}, TypeError),
        (gatekeeper, {"max_requests": 0}, ValueError),
        (gatekeeper, {"max_requests": True}, ValueError),
        (gatekeeper, {"max_requests": 1.5}, ValueError),
    ]


@pytest.mark.parametrize(("authenticator", "more", "error"), _arguments())
async def test_what_is_no_authenticator(authenticator: Any, more: dict[str, Any], error: type[Exception]) -> None:
    async with triomq.open_context() as ctx:
        with pytest.raises(error, match=r"Context\.authenticator"):
            ctx.authenticator(authenticator, **more)
    with pytest.raises(trio.ClosedResourceError):
        ctx.authenticator(None)
