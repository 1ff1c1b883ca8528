"""PLAIN and CURVE with libzmq, in both roles: every pairing, every size, and what each side says of a refusal."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import triomq
from triomq import Curve, KeyPair, Plain

from ..monitors import next_event
from .libzmq import Peer
from .pairs import PAIRINGS, Couple, Pairing, bring_together, ours_of, theirs_of

pytestmark = pytest.mark.interop

SERVER = KeyPair("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
CLIENT = KeyPair.generate()
USERS = {"admin": "secret"}
SIZES = [0, 1, 33, 255, 256, 8191, 8192, 100_000, 2**20, 2**24]


def ours(mechanism: str, *, we_serve: bool) -> dict[str, Any]:
    """Options of a socket of ours."""
    if mechanism == "PLAIN":
        return {"mechanism": Plain.server(USERS) if we_serve else Plain("admin", "secret")}
    return {"mechanism": Curve.server(SERVER) if we_serve else Curve(SERVER.public_key, CLIENT)}


def theirs(mechanism: str, *, we_serve: bool) -> dict[str, Any]:
    """Options of a socket of theirs."""
    if mechanism == "PLAIN":
        return {"plain_username": "admin", "plain_password": "secret"} if we_serve else {"plain_server": 1}
    keys = CLIENT if we_serve else SERVER
    own = {"curve_publickey": keys.public_text, "curve_secretkey": keys.secret_text}
    return {**own, "curve_serverkey": SERVER.public_text} if we_serve else {**own, "curve_server": 1}


async def secured(
    ctx: triomq.Context, peer: Peer, pairing: Pairing, endpoint: str, mechanism: str, *, first: bool, **roles: bool
) -> Couple:
    we_serve, we_bind = roles["we_serve"], roles["we_bind"]
    kinds = (pairing.first, pairing.second) if first else (pairing.second, pairing.first)
    one = ours_of(ctx, kinds[0], first=first, **ours(mechanism, we_serve=we_serve))
    other = await theirs_of(peer, kinds[1], first=not first, **theirs(mechanism, we_serve=we_serve))
    await bring_together(one, other, endpoint, we_bind=we_bind)
    made = Couple(pairing, one, other, first)
    await made.get_ready()
    return made


async def authenticate(peer: Peer) -> None:
    """Let pyzmq's own authenticator serve: libzmq's server of PLAIN lets nobody in without one."""
    await peer.call("authenticate", users=USERS, keys=[CLIENT.public_text])


@pytest.fixture
async def users(peer: Peer) -> None:
    await authenticate(peer)


@pytest.mark.parametrize("we_serve", [True, False], ids=["we-serve", "they-serve"])
@pytest.mark.parametrize("ours_first", [True, False], ids=["we-begin", "they-begin"])
@pytest.mark.parametrize("pairing", PAIRINGS, ids=str)
@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
async def test_messages_pass(
    ctx: triomq.Context, peer: Peer, mechanism: str, pairing: Pairing, ours_first: bool, we_serve: bool
) -> None:
    """Where the server binds, as it mostly does."""
    if mechanism == "PLAIN":
        if pairing.first == "REQ" and not ours_first and not we_serve:
            return  # a REQ of libzmq that serves and asks an authenticator gets no reply, of libzmq's own peers neither
        await authenticate(peer)
    roles = {"we_serve": we_serve, "we_bind": we_serve}
    pair = await secured(ctx, peer, pairing, "tcp://127.0.0.1:*", mechanism, first=ours_first, **roles)
    await pair.exchange(b"one")
    await pair.exchange(b"several", b"", b"frames" * 100)
    await pair.exchange(b"")


@pytest.mark.parametrize("we_serve", [True, False], ids=["we-serve", "they-serve"])
@pytest.mark.parametrize("endpoint", ["tcp"], indirect=True)
@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
async def test_the_server_may_connect(
    ctx: triomq.Context, peer: Peer, users: None, endpoint: str, mechanism: str, we_serve: bool
) -> None:
    roles = {"we_serve": we_serve, "we_bind": not we_serve}
    pair = await secured(ctx, peer, Pairing("DEALER", "DEALER"), endpoint, mechanism, first=True, **roles)
    await pair.exchange(b"one")


@pytest.mark.parametrize("we_serve", [True, False], ids=["we-serve", "they-serve"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
async def test_every_size(ctx: triomq.Context, peer: Peer, users: None, mechanism: str, we_serve: bool) -> None:
    roles = {"we_serve": we_serve, "we_bind": we_serve}
    pair = await secured(ctx, peer, Pairing("PAIR", "PAIR"), "tcp://127.0.0.1:*", mechanism, first=True, **roles)
    for size in SIZES:
        await pair.theirs.call("send_sizes", sizes=[size])
        (frame,) = await pair.ours.receive()
        assert len(frame) == size
        assert frame == bytes(size)
        await pair.ours.send(frame)
        assert await pair.theirs.call("receive_sizes", sizes=[size])


@pytest.mark.parametrize("we_serve", [True, False], ids=["we-serve", "they-serve"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
async def test_restarts(ctx: triomq.Context, peer: Peer, users: None, mechanism: str, we_serve: bool) -> None:
    """Each connection has keys of its own, and they come together again."""
    options = theirs(mechanism, we_serve=we_serve)
    mine = ctx.socket(triomq.DEALER, reconnect_interval=0.01, **ours(mechanism, we_serve=we_serve))
    endpoint = await mine.bind("tcp://127.0.0.1:*") if we_serve else "tcp://127.0.0.1:*"
    for number in range(3):
        other = await peer.socket("DEALER", **options)
        if we_serve:
            await other.connect(endpoint)
        elif number:
            await other.bind(endpoint)
        else:
            endpoint = await other.bind(endpoint)
            mine.connect(endpoint)
        await mine.wait_peers()
        await mine.send(b"%d" % number)
        assert await other.receive() == (b"%d" % number,)
        await other.send(b"back")
        assert await mine.receive() == (b"back",)
        await other.aclose()
        while mine.peers:  # noqa: ASYNC110  # of this no event tells
            await trio.sleep(0.002)


@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
async def test_heartbeats_inside(ctx: triomq.Context, peer: Peer, users: None, mechanism: str) -> None:
    """Both sides ping, and the connection stays."""
    mine = ctx.socket(triomq.PULL, heartbeat_interval=0.02, heartbeat_timeout=20, **ours(mechanism, we_serve=True))
    monitor = mine.monitor()
    endpoint = await mine.bind("tcp://127.0.0.1:*")
    other = await peer.socket("PUSH", heartbeat_ivl=20, heartbeat_timeout=20_000, **theirs(mechanism, we_serve=True))
    await other.connect(endpoint)
    await mine.wait_peers()
    await trio.sleep(0.3)
    await other.send(b"still")
    assert await mine.receive() == (b"still",)
    while True:
        try:
            assert not isinstance(monitor.receive_nowait(), triomq.Disconnected)
        except trio.WouldBlock:
            break


# --- refusals ---------------------------------------------------------------------------------------


async def refused(ctx: triomq.Context, endpoint: str, mechanism: Any) -> BaseException:
    """Why a client of ours is not let in."""
    socket = ctx.socket(triomq.DEALER, mechanism=mechanism, linger=0)
    socket.connect(endpoint)
    with pytest.raises(triomq.HandshakeRefusedError) as caught:
        await socket.wait_peers()
    assert caught.value.endpoint == endpoint
    assert caught.value.__cause__ is not None
    return caught.value.__cause__


async def test_libzmqs_authenticator_refuses_ours(ctx: triomq.Context, peer: Peer, users: None) -> None:
    server = await peer.socket("DEALER", plain_server=1)
    endpoint = await server.bind("tcp://127.0.0.1:*")
    error = await refused(ctx, endpoint, Plain("admin", "wrong"))
    assert isinstance(error, triomq.RefusedByPeerError)
    assert error.status == 400
    server = await peer.socket("DEALER", **theirs("CURVE", we_serve=False))
    endpoint = await server.bind("tcp://127.0.0.1:*")
    error = await refused(ctx, endpoint, Curve(SERVER.public_key))
    assert isinstance(error, triomq.RefusedByPeerError)
    assert error.status == 400


@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
@pytest.mark.parametrize("who_hangs_up", ["we", "they"])
async def test_two_servers(ctx: triomq.Context, peer: Peer, mechanism: str, who_hangs_up: str) -> None:
    """A server of libzmq greets as a client does, and waits for a HELLO: only the time that is over tells."""
    limit = {"we": 0.3, "they": 30}[who_hangs_up]
    server = await peer.socket("DEALER", **theirs(mechanism, we_serve=False), handshake_ivl=400)
    mine = ctx.socket(triomq.DEALER, **ours(mechanism, we_serve=True), handshake_timeout=limit, linger=0)
    monitor = mine.monitor()
    mine.connect(await server.bind("tcp://127.0.0.1:*"))
    failed = await next_event(monitor, triomq.HandshakeFailed)
    assert isinstance(failed.error, trio.TooSlowError if who_hangs_up == "we" else trio.BrokenResourceError)
    assert f"it is probably a server of {mechanism}, too" in str(failed.error)


async def test_a_wrong_server_key(ctx: triomq.Context, peer: Peer) -> None:
    """libzmq says nothing, so it takes three connections to be sure enough; between them are the shortest waits."""
    server = await peer.socket("DEALER", **theirs("CURVE", we_serve=False))
    endpoint = await server.bind("tcp://127.0.0.1:*")
    mine = ctx.socket(triomq.DEALER, mechanism=Curve(CLIENT.public_key), linger=0)
    monitor = mine.monitor()
    mine.connect(endpoint)
    with pytest.raises(triomq.HandshakeRefusedError) as caught:
        await mine.wait_peers()
    error = caught.value.__cause__
    assert isinstance(error, triomq.RefusedByPeerError)
    assert "it is probably not the server of the given server_key" in str(error)
    failed = [event async for event in monitor_so_far(monitor) if isinstance(event, triomq.HandshakeFailed)]
    assert failed[-1].error is error
    assert [event.retry_in is not None and event.retry_in < 0.3 for event in failed] == [True, True, False]


@pytest.mark.parametrize("kind", ["PLAIN", "CURVE"])
async def test_a_client_that_wants_a_mechanism_where_we_have_none(ctx: triomq.Context, peer: Peer, kind: str) -> None:
    """libzmq hangs up when we have named ours, and comes only once; but the next client tells its mechanism.

    Mostly it has sent its signature by then. One that is slow reads before it writes, and leaves like who looks whether
    a port is open.
    """
    pull = ctx.socket(triomq.PULL)
    monitor = pull.monitor()
    endpoint = await pull.bind("tcp://127.0.0.1:*")
    await (await peer.socket("PUSH", **theirs(kind, we_serve=True))).connect(endpoint)
    first = await next_failed(monitor)
    what = "the peer closed the connection during the greeting"
    if isinstance(first.error, triomq.RefusedByPeerError):
        assert str(first.error).startswith(
            f"{what}: it is probably a libzmq that wants another mechanism than NULL; give"
        )
    else:
        assert str(first.error) == what
    await (await peer.socket("PUSH", **theirs(kind, we_serve=True))).connect(endpoint)
    second = await next_failed(monitor)
    assert isinstance(second.error, triomq.MechanismMismatchError)
    assert (second.error.theirs, second.error.ours) == (kind.encode(), "NULL")
    for number in range(2):  # greeted in two pieces, and at once
        right = await peer.socket("PUSH")
        await right.connect(endpoint)
        await right.send(b"%d" % number)
        assert await pull.receive() == (b"%d" % number,)


async def next_failed(monitor: triomq.Monitor) -> triomq.HandshakeFailed:
    async for event in monitor:
        if isinstance(event, triomq.HandshakeFailed):
            return event
    raise AssertionError("the monitor ended")


@pytest.mark.parametrize("kind", ["PLAIN", "CURVE", "NULL"])
async def test_a_server_of_another_mechanism(ctx: triomq.Context, peer: Peer, kind: str) -> None:
    options = {} if kind == "NULL" else theirs(kind, we_serve=False)
    server = await peer.socket("DEALER", **options)
    endpoint = await server.bind("tcp://127.0.0.1:*")
    mine = Plain("admin", "secret") if kind == "CURVE" else Curve(SERVER.public_key)
    error = await refused(ctx, endpoint, mine)
    assert isinstance(error, triomq.MechanismMismatchError)
    assert (error.theirs, error.ours) == (kind.encode(), mine.name)


@pytest.mark.parametrize("kind", ["PLAIN", "CURVE"])
async def test_a_server_that_wants_a_mechanism_where_we_have_none(ctx: triomq.Context, peer: Peer, kind: str) -> None:
    """libzmq hangs up at our first greeting, and tells its mechanism at the second, which comes in pieces."""
    server = await peer.socket("DEALER", **theirs(kind, we_serve=False))
    error = await refused(ctx, await server.bind("tcp://127.0.0.1:*"), None)
    assert isinstance(error, triomq.MechanismMismatchError)
    assert (error.theirs, error.ours) == (kind.encode(), "NULL")


@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN", "CURVE"])
async def test_our_authenticator_serves_theirs(ctx: triomq.Context, peer: Peer, mechanism: str) -> None:
    requests: list[triomq.AuthenticationRequest] = []

    async def authenticator(request: triomq.AuthenticationRequest) -> triomq.Accept | triomq.Deny:
        await trio.sleep(0.01)
        requests.append(request)
        return triomq.Accept("joe") if len(requests) > 1 else triomq.Deny(300, "not yet")

    ctx.authenticator(authenticator)
    security = {"NULL": None, "PLAIN": Plain.server(), "CURVE": Curve.server(SERVER)}[mechanism]
    mine = ctx.socket(triomq.ROUTER, mechanism=security)
    monitor = mine.monitor()
    endpoint = await mine.bind("tcp://127.0.0.1:*")
    other = await peer.socket(
        "DEALER", reconnect_ivl=10, **({} if mechanism == "NULL" else theirs(mechanism, we_serve=True))
    )
    await other.connect(endpoint)
    await mine.wait_peers()
    assert [one.user_id for one in mine.peers] == ["joe"]
    await other.send(b"hello")
    assert (await mine.receive())[1:] == (b"hello",)
    credentials = {"NULL": (), "PLAIN": (b"admin", b"secret"), "CURVE": (CLIENT.public_key,)}[mechanism]
    assert {(one.mechanism, one.credentials) for one in requests} == {(mechanism, credentials)}
    failed = [event async for event in monitor_so_far(monitor) if isinstance(event, triomq.HandshakeFailed)]
    assert "not yet" in str(failed[0].error)
    assert failed[0].address.startswith("tcp://127.0.0.1:")


async def monitor_so_far(monitor: triomq.Monitor) -> Any:
    while True:
        try:
            yield monitor.receive_nowait()
        except trio.WouldBlock:
            return


@pytest.mark.parametrize("status", [400, 500])
async def test_theirs_learns_the_status(ctx: triomq.Context, peer: Peer, status: int) -> None:
    async def authenticator(_: triomq.AuthenticationRequest) -> triomq.Deny:
        return triomq.Deny(status)

    ctx.authenticator(authenticator)
    mine = ctx.socket(triomq.DEALER, mechanism=Curve.server(SERVER))
    endpoint = await mine.bind("tcp://127.0.0.1:*")
    other = await peer.socket("DEALER", **theirs("CURVE", we_serve=True))
    await other.call("watch_refusals")
    await other.connect(endpoint)
    assert await other.call("until_refused") == status
