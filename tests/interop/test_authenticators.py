"""Certificates and handlers of ZAP that pyzmq made, at our sockets, with libzmq's clients."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import trio
import zmq.auth

import triomq
from triomq import Curve, KeyPair, Plain
from triomq.auth import AllOf, AllowAddresses, CertificateDirectory, ZapClient, read_certificate, write_certificates

from .libzmq import PATIENCE, Peer, Theirs

pytestmark = pytest.mark.interop

ENDPOINT = "inproc://zeromq.zap.01"
SERVER = KeyPair.generate()


async def client_of(peer: Peer, secret: str | Path) -> Theirs:
    """A DEALER of libzmq with the keys of a certificate, as pyzmq reads it."""
    public_key, secret_key = zmq.auth.load_certificate(secret)
    assert secret_key is not None
    keys = {"curve_publickey": public_key.decode(), "curve_secretkey": secret_key.decode()}
    return await peer.socket("DEALER", curve_serverkey=SERVER.public_text, reconnect_ivl=10, **keys)


async def refused(other: Theirs, endpoint: str) -> int:
    await other.call("watch_refusals")
    await other.connect(endpoint)
    return int(await other.call("until_refused"))


async def test_a_directory_of_pyzmqs_certificates(ctx: triomq.Context, peer: Peer, tmp_path: Path) -> None:
    """Keys of a client change while the server runs."""
    clients = tmp_path / "clients"
    clients.mkdir()
    old, old_secret = zmq.auth.create_certificates(clients, "old")
    new, new_secret = zmq.auth.create_certificates(tmp_path, "new", {"email": "joe@example.org"})
    directory = CertificateDirectory(clients)
    ctx.authenticator(AllOf(AllowAddresses("127.0.0.1"), directory))
    router = ctx.socket(triomq.ROUTER, mechanism=Curve.server(SERVER))
    endpoint = await router.bind("tcp://127.0.0.1:*")

    before = await client_of(peer, old_secret)
    await before.connect(endpoint)
    await before.send(b"hello")
    assert (await router.receive())[1:] == (b"hello",)
    (known,) = router.peers
    assert known.user_id.encode() == zmq.auth.load_certificate(old)[0]
    assert known.user_metadata["certificate"] == b"old"
    assert await refused(await client_of(peer, new_secret), endpoint) == 400

    shutil.copy(new, clients)
    directory.reload()
    after = await client_of(peer, new_secret)
    await after.connect(endpoint)
    await after.send(b"again")
    assert (await router.receive())[1:] == (b"again",)

    os.unlink(old)
    directory.reload()
    known.disconnect()
    assert await refused(await client_of(peer, old_secret), endpoint) == 400
    await after.send(b"still here")
    assert (await router.receive())[1:] == (b"still here",)


async def test_our_certificates_open_the_door_of_libzmq(ctx: triomq.Context, peer: Peer, tmp_path: Path) -> None:
    public, secret = write_certificates(tmp_path, "joe")
    await peer.call("authenticate", users={}, keys=[zmq.auth.load_certificate(public)[0].decode()])
    server = {"curve_publickey": SERVER.public_text, "curve_secretkey": SERVER.secret_text, "curve_server": 1}
    pull = await peer.socket("PULL", **server)
    push = ctx.socket(triomq.PUSH, mechanism=Curve(SERVER.public_key, read_certificate(secret).keypair))
    push.connect(await pull.bind("tcp://127.0.0.1:*"))
    await push.send(b"hello")
    assert await pull.receive() == (b"hello",)


class Replies:
    """What pyzmq's authenticator takes for its socket."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []

    def send_multipart(self, frames: list[bytes]) -> None:
        self.sent.append(frames)


async def pyzmqs_handler(
    ctx: triomq.Context, judge: zmq.auth.Authenticator, task_status: Any = trio.TASK_STATUS_IGNORED
) -> None:
    """pyzmq's own authenticator, behind a REP of ours in place of its own."""
    replies = Replies()
    judge.zap_socket = replies  # type: ignore[assignment]
    async with ctx.socket(triomq.REP, bind=ENDPOINT) as rep:
        task_status.started()
        async for frames in rep:
            await judge.handle_zap_message(list(frames))
            await rep.send(replies.sent.pop())


@pytest.mark.parametrize("kind", ["NULL", "PLAIN", "CURVE"])
async def test_pyzmqs_authenticator_as_a_handler_of_ours(
    ctx: triomq.Context, peer: Peer, tmp_path: Path, kind: str
) -> None:
    public, secret = zmq.auth.create_certificates(tmp_path, "joe")
    _, stranger = zmq.auth.create_certificates(tmp_path.parent, "jim")
    with zmq.Context() as theirs:
        judge = zmq.auth.Authenticator(theirs)
        judge.allow("127.0.0.1")
        judge.configure_plain("test", {"joe": "secret"})
        judge.configure_curve("test", tmp_path)
        ctx.authenticator(ZapClient(ctx, "test"))
        async with trio.open_nursery() as nursery:
            await nursery.start(pyzmqs_handler, ctx, judge)
            server = {"NULL": None, "PLAIN": Plain.server(), "CURVE": Curve.server(SERVER)}[kind]
            router = ctx.socket(triomq.ROUTER, mechanism=server)
            endpoint = await router.bind("tcp://127.0.0.1:*")
            if kind == "CURVE":
                other, wrong = await client_of(peer, secret), await client_of(peer, stranger)
                user = zmq.auth.load_certificate(public)[0].decode()
            else:
                login = {"plain_username": "joe", "plain_password": "secret"} if kind == "PLAIN" else {}
                other = await peer.socket("DEALER", **login)
                wrong = await peer.socket("DEALER", **{**login, **({"plain_password": "no"} if login else {})})
                user = "joe" if kind == "PLAIN" else "anonymous"
            await other.connect(endpoint)
            await other.send(b"hello")
            assert (await router.receive())[1:] == (b"hello",)
            assert [one.user_id for one in router.peers] == [user]
            monitor = router.monitor()
            if kind == "CURVE":
                assert await refused(wrong, endpoint) == 400
            if kind == "PLAIN":  # libzmq's client does not tell
                await wrong.connect(endpoint)
                with trio.fail_after(PATIENCE):
                    while not isinstance(event := await monitor.receive(), triomq.HandshakeFailed):
                        pass
                assert isinstance(event.error, triomq.DeniedError)
                assert event.error.status == 400
                assert "Invalid password" in str(event.error)
            nursery.cancel_scope.cancel()
