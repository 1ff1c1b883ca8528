"""Either side is killed and comes back, or comes late: traffic goes on by itself."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from itertools import count, cycle
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

import triomq

from .libzmq import Peer, PeerError, Theirs, own_process
from .pairs import PAIRINGS, Couple, bring_together, ours_of, theirs_of, until

pytestmark = pytest.mark.interop

QUICK = {"reconnect_interval_max": 0.1}
BOTH_WAYS = [(pairing, ours_first) for pairing in PAIRINGS for ours_first in (True, False)]

# Below those that systems choose by themselves; another process begins elsewhere.
_ports = cycle((port + os.getpid() * 97) % 10_000 + 20_000 for port in range(10_000))

Place = Callable[[], str]


@pytest.fixture(params=["tcp", "ipc"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Endpoints that are known before anybody has bound them."""
    if request.param == "ipc":
        return map("ipc://{}/{}".format, iter(lambda: tmp_path, None), count()).__next__

    def free_port() -> str:
        while True:
            port = next(_ports)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            return f"tcp://127.0.0.1:{port}"

    return free_port


@pytest.fixture(params=[True, False], ids=["we-bind", "we-connect"])
def we_bind(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
async def doomed() -> AsyncIterator[Peer]:
    """A process of this test's own, to be killed."""
    async with own_process() as peer:
        yield peer


@attrs.frozen
class Company:
    """A couple for each pairing, triomq at either end, all connected in the same direction."""

    couples: list[Couple]
    endpoints: list[str]
    we_bind: bool

    @classmethod
    async def gather(cls, ctx: triomq.Context, peer: Peer, place: Place, we_bind: bool) -> Company:
        couples, endpoints = [], []
        for pairing, ours_first in BOTH_WAYS:
            ours = our_part(ctx, pairing, ours_first)
            theirs = await their_part(peer, pairing, ours_first)
            endpoints.append(await bring_together(ours, theirs, place(), we_bind=we_bind))
            couples.append(Couple(pairing, ours, theirs, ours_first))
        return cls(couples, endpoints, we_bind)

    async def talk(self) -> None:
        """Messages pass in every couple, in every direction that it has."""
        for couple in self.couples:
            await couple.get_ready()
            await couple.exchange(b"one")
            await couple.exchange(b"two", b"frames")


def our_part(ctx: triomq.Context, pairing: Any, ours_first: bool) -> Any:
    ours, theirs = (pairing.first, pairing.second) if ours_first else (pairing.second, pairing.first)
    # A REP of libzmq, too, would ignore the next of a name, and has no such option: it talks to the nameless.
    options: dict[str, Any] = {"routing_id": b""} if theirs == "REP" else {}
    return ours_of(ctx, ours, first=ours_first, **QUICK, **options)


async def their_part(peer: Peer, pairing: Any, ours_first: bool) -> Theirs:
    kind = pairing.second if ours_first else pairing.first
    # A ROUTER that does not know yet that a peer has left would ignore the next of its name.
    options = {"XPUB": {"xpub_verbose": 1}, "ROUTER": {"router_handover": 1}}.get(kind, {})
    return await theirs_of(peer, kind, first=not ours_first, reconnect_ivl=20, **options)


async def test_libzmq_killed_and_restarted(ctx: triomq.Context, doomed: Peer, place: Place, we_bind: bool) -> None:
    """Our sockets of every type notice that libzmq is gone, and serve the next process at the same endpoint."""
    company = await Company.gather(ctx, doomed, place, we_bind)
    await company.talk()
    doomed.kill()
    for couple in company.couples:
        await until(lambda ours=couple.ours: not ours.peers)
        if couple.pairing.first == "XPUB" and couple.ours_first:
            assert await couple.ours.receive() == (b"\0",)
    async with own_process() as heir:
        for couple, endpoint in zip(company.couples, company.endpoints, strict=True):
            couple.theirs = await their_part(heir, couple.pairing, couple.ours_first)
            await (couple.theirs.connect(endpoint) if we_bind else couple.theirs.bind(endpoint))
        await company.talk()


async def test_triomq_restarted(peer: Peer, place: Place, we_bind: bool) -> None:
    """A context that takes the place of another serves the sockets of libzmq that talked to that one."""
    async with triomq.open_context() as ctx:
        company = await Company.gather(ctx, peer, place, we_bind)
        await company.talk()
    for couple in company.couples:
        # A bound socket of libzmq takes notice that a peer has left only while it is called; until then it would
        # send to that one, and a PAIR ignore any other.
        if couple.theirs.socket_type == "XPUB" and not we_bind:
            assert await couple.theirs.receive() == (b"\0",)
        elif couple.theirs.socket_type in ("DEALER", "PAIR", "PUSH", "REQ") and not we_bind:
            await couple.theirs.call("until_alone")
    async with triomq.open_context() as ctx:
        for couple, endpoint in zip(company.couples, company.endpoints, strict=True):
            couple.ours = our_part(ctx, couple.pairing, couple.ours_first)
            if we_bind:
                await couple.ours.bind(endpoint)
            else:
                couple.ours.connect(endpoint)
        await company.talk()


async def test_connect_before_bind(ctx: triomq.Context, peer: Peer, place: Place, we_bind: bool) -> None:
    """Who connects first has tried in vain, and gets what it wants as soon as the other has bound."""
    couples = []
    for pairing, ours_first in BOTH_WAYS:
        ours, theirs, endpoint = (
            our_part(ctx, pairing, ours_first),
            await their_part(peer, pairing, ours_first),
            place(),
        )
        monitor = ours.monitor()
        if we_bind:
            await theirs.connect(endpoint)
            await ours.bind(endpoint)
        else:
            ours.connect(endpoint)
            assert isinstance(await monitor.receive(), triomq.ConnectFailed)
            await theirs.bind(endpoint)
        couples.append(Couple(pairing, ours, theirs, ours_first))
    await Company(couples, [], we_bind).talk()


@pytest.mark.parametrize(("kind", "theirs_kind"), [("PUSH", "PULL"), ("DEALER", "ROUTER")])
async def test_libzmq_killed_while_we_send(
    ctx: triomq.Context, doomed: Peer, place: Place, we_bind: bool, kind: str, theirs_kind: str
) -> None:
    """The next process receives later numbers only, each once and in order."""
    ours, theirs = ours_of(ctx, kind, **QUICK), await theirs_of(doomed, theirs_kind)
    endpoint = await bring_together(ours, theirs, place(), we_bind=we_bind)

    async def send() -> None:
        for number in count():
            await ours.send(b"%d" % number)
            await trio.sleep(0.0005)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        before = [int((await theirs.receive())[-1]) for _ in range(30)]
        doomed.kill()
        async with own_process() as heir:
            theirs = await theirs_of(heir, theirs_kind)
            await (theirs.connect(endpoint) if we_bind else theirs.bind(endpoint))
            after = [int((await theirs.receive())[-1]) for _ in range(100)]
        nursery.cancel_scope.cancel()
    assert before == list(range(30))
    assert after == list(range(after[0], after[0] + 100))
    assert after[0] >= 30


@pytest.mark.parametrize(("kind", "theirs_kind"), [("PULL", "PUSH"), ("ROUTER", "DEALER")])
async def test_libzmq_killed_while_it_sends(
    ctx: triomq.Context, doomed: Peer, place: Place, we_bind: bool, kind: str, theirs_kind: str
) -> None:
    """What had arrived is whole and in order, without a gap; so are the messages of the next process, all of them."""
    ours, theirs = ours_of(ctx, kind, **QUICK), await theirs_of(doomed, theirs_kind)
    endpoint = await bring_together(ours, theirs, place(), we_bind=we_bind)
    async with trio.open_nursery() as nursery:

        async def send_until_killed() -> None:
            with pytest.raises((PeerError, trio.BrokenResourceError)):  # the process ends in the middle
                await theirs.call("send_numbers", start=0, stop=10_000_000, envelope=["before", "x" * 300])

        nursery.start_soon(send_until_killed)
        for _ in range(3000):
            await ours.receive()
        doomed.kill()
    async with own_process() as heir:
        theirs = await theirs_of(heir, theirs_kind)
        await (theirs.connect(endpoint) if we_bind else theirs.bind(endpoint))
        await theirs.call("send_numbers", start=0, stop=500, envelope=["after"])
        before, after = count(3000), 0
        while after < 500:
            message = await ours.receive()
            if message[-2] == b"after":
                assert message[-1] == b"%d" % after
                after += 1
            else:
                assert message[-3:] == (b"before", b"x" * 300, b"%d" % next(before))


@pytest.mark.parametrize(("kind", "theirs_kind"), [("PUSH", "PULL"), ("DEALER", "ROUTER")])
@pytest.mark.parametrize("seen_before", [True, False], ids=["was-there", "was-never-there"])
async def test_the_queue_is_kept(
    ctx: triomq.Context, place: Place, kind: str, theirs_kind: str, seen_before: bool
) -> None:
    """What is sent while libzmq is away arrives when it is there, all of it, in order, nothing twice."""
    ours, endpoint = ours_of(ctx, kind, **QUICK), place()
    ours.connect(endpoint)
    if seen_before:
        async with own_process() as first:
            theirs = await theirs_of(first, theirs_kind)
            await theirs.bind(endpoint)
            await ours.send(b"seen")
            assert (await theirs.receive())[-1] == b"seen"
        await until(lambda: not ours.peers)
    async with trio.open_nursery() as nursery, own_process() as second:
        nursery.start_soon(ours.send_many, (b"%d" % number for number in range(3000)))
        await until(lambda: ours.statistics().tasks_waiting_send == 1)
        assert ours.statistics().peers[0].send_queue == 1000
        theirs = await theirs_of(second, theirs_kind)
        await theirs.bind(endpoint)
        envelope = ["first"] if theirs_kind == "ROUTER" else []
        assert await theirs.call("receive_numbers", start=0, stop=3000, envelope=envelope)
        await ours.send(b"nothing came between")
        assert (await theirs.receive())[-1] == b"nothing came between"


@pytest.mark.parametrize("theirs_kind", ["PUB", "XPUB"])
async def test_subscriptions_are_renewed(
    ctx: triomq.Context, doomed: Peer, place: Place, we_bind: bool, theirs_kind: str
) -> None:
    """The publisher that comes after learns of the topics as they are by then, and of no others."""
    ours, theirs = ours_of(ctx, "SUB", topics=[b"a", b"b"], **QUICK), await doomed.socket(theirs_kind)
    endpoint = await bring_together(ours, theirs, place(), we_bind=we_bind)
    await arrives(ours, theirs, b"b")
    doomed.kill()
    await until(lambda: not ours.peers)
    ours.unsubscribe(b"b")
    ours.subscribe(b"c")
    async with own_process() as heir:
        theirs = await heir.socket(theirs_kind)
        await (theirs.connect(endpoint) if we_bind else theirs.bind(endpoint))
        if theirs_kind == "XPUB":
            assert {await theirs.receive(), await theirs.receive()} == {(b"\1a",), (b"\1c",)}
            ours.subscribe(b"nothing came between")
            assert await theirs.receive() == (b"\1nothing came between",)
        await arrives(ours, theirs, b"c")
        for topic in (b"b not wanted", b"a wanted", b"b", b"c wanted"):
            await theirs.send(topic)
        assert [await ours.receive(), await ours.receive()] == [(b"a wanted",), (b"c wanted",)]


async def arrives(ours: Any, theirs: Theirs, topic: bytes) -> None:
    """Wait until what is published there arrives here: libzmq's PUB tells nobody of its subscribers."""
    for number in count():
        await theirs.send(topic + b"%d" % number)
        with trio.move_on_after(0.02) as pause:
            await ours.receive()
        if not pause.cancelled_caught:
            break
    await theirs.send(topic + b"last")
    while await ours.receive() != (topic + b"last",):
        pass


async def test_a_request_outlives_no_peer(ctx: triomq.Context, doomed: Peer, place: Place, we_bind: bool) -> None:
    """A request whose server was killed can be given up; the next one is answered by the next server."""
    ours, theirs = ours_of(ctx, "REQ", **QUICK), await theirs_of(doomed, "REP")
    endpoint = await bring_together(ours, theirs, place(), we_bind=we_bind)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.request, b"lost")
        assert await theirs.receive() == (b"lost",)
        doomed.kill()
        await until(lambda: not ours.peers)
        nursery.cancel_scope.cancel()
    async with own_process() as heir, trio.open_nursery() as nursery:
        theirs = await theirs_of(heir, "REP")
        await (theirs.connect(endpoint) if we_bind else theirs.bind(endpoint))

        async def serve() -> None:
            assert await theirs.receive() == (b"asked again",)
            await theirs.send(b"answered")

        nursery.start_soon(serve)
        assert await ours.request(b"asked again") == (b"answered",)
