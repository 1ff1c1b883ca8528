"""``triomq probe`` with keys or a password: whom it meets, and why it meets nobody."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import trio
import zmq
from zmq.auth.thread import ThreadAuthenticator

import triomq
from triomq import Curve, KeyPair, Plain
from triomq._cli._exits import Failure
from triomq._cli._probe_secured import probe_secured
from triomq.auth import write_certificates

from .shell import run

SERVER, CLIENT = KeyPair.generate(), KeyPair.generate()
SIDES = {
    "CURVE": (Curve.server(SERVER, clients=[CLIENT.public_key]), Curve(SERVER.public_key, CLIENT)),
    "PLAIN": (Plain.server({"joe": "secret"}), Plain("joe", "secret")),
}
MET = {"REP", "ROUTER", "PUB", "XPUB", "SUB", "XSUB", "PULL"}
TYPES = [*sorted(MET), "REQ", "DEALER", "PUSH", "PAIR"]


@pytest.mark.parametrize("name", list(SIDES))
@pytest.mark.parametrize("kind", TYPES)
async def test_every_type_of_ours(kind: str, name: str) -> None:
    server, client = SIDES[name]
    async with triomq.open_context() as ctx:
        socket = ctx.socket(getattr(triomq, kind), mechanism=server)
        endpoint = await socket.bind("tcp://127.0.0.1:0")
        if kind in MET:
            finding = await probe_secured(endpoint, 30, client)
            assert (finding.socket_type, finding.mechanism, finding.met) == (kind, name, True)
            assert finding.round_trip is not None
        else:
            with pytest.raises(Failure, match=f"it talks {name}, but to no type that probe comes as"):
                await probe_secured(endpoint, 30, client)


@pytest.fixture
def authenticated() -> Iterator[zmq.Context]:
    """libzmq, where an authenticator knows Joe."""
    with zmq.Context() as context:
        authenticator = ThreadAuthenticator(context)
        authenticator.start()
        authenticator.configure_plain("*", {"joe": "secret"})
        authenticator.configure_curve(location=zmq.auth.CURVE_ALLOW_ANY)
        try:
            yield context
        finally:
            authenticator.stop()


@pytest.mark.parametrize("name", list(SIDES))
@pytest.mark.parametrize("kind", ["ROUTER", "PUB", "PULL", "DEALER"])
async def test_types_of_libzmq(authenticated: zmq.Context, kind: str, name: str) -> None:
    with authenticated.socket(getattr(zmq, kind)) as socket:
        socket.linger = 0
        if name == "PLAIN":
            socket.plain_server = True
        else:
            socket.curve_server = True
            socket.curve_secretkey, socket.curve_publickey = SERVER.secret_text.encode(), SERVER.public_text.encode()
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        if kind in MET:
            finding = await probe_secured(f"tcp://127.0.0.1:{port}", 30, SIDES[name][1])
            assert (finding.socket_type, finding.mechanism) == (kind, name)
        else:
            with pytest.raises(Failure, match="to no type that probe comes as"):
                await probe_secured(f"tcp://127.0.0.1:{port}", 30, SIDES[name][1])


@pytest.mark.parametrize(
    ("name", "client", "says"),
    [
        ("CURVE", Curve(SERVER.public_key, KeyPair.generate()), "400"),
        ("CURVE", Curve(CLIENT.public_key, CLIENT), "handshake: it is probably not the server of the given server_key"),
        ("CURVE", Plain("joe", "secret"), "CURVE"),
        ("PLAIN", Plain("joe", "wrong"), "400"),
        ("PLAIN", Curve(SERVER.public_key, CLIENT), "PLAIN"),
    ],
)
async def test_why_nobody_is_met(name: str, client: triomq.Security, says: str) -> None:
    async with triomq.open_context() as ctx:
        rep = ctx.socket(triomq.REP, mechanism=SIDES[name][0])
        endpoint = await rep.bind("tcp://127.0.0.1:0")
        with pytest.raises(Failure) as caught:
            await probe_secured(endpoint, 30, client)
        assert says in str(caught.value)
        assert str(caught.value).startswith(f"{endpoint}: ")
        assert "secret" not in str(caught.value)


async def test_a_peer_of_another_mechanism_is_told_that_of_the_probe() -> None:
    async with triomq.open_context() as ctx:
        rep = ctx.socket(triomq.REP)
        monitor = rep.monitor()
        endpoint = await rep.bind("tcp://127.0.0.1:0")
        with pytest.raises(Failure, match="wants mechanism 'NULL', this side CURVE; give both the same"):
            await probe_secured(endpoint, 30, SIDES["CURVE"][1])
        with trio.fail_after(30):
            while not isinstance(event := await monitor.receive(), triomq.HandshakeFailed):
                pass
        assert "wants mechanism 'CURVE', this side NULL" in str(event.error)


async def test_a_silent_peer() -> None:
    async with trio.open_nursery() as nursery:

        async def silent(stream: trio.SocketStream) -> None:
            await trio.sleep_forever()

        (listener,) = await nursery.start(partial(trio.serve_tcp, silent, 0, host="127.0.0.1"))
        endpoint = f"tcp://127.0.0.1:{listener.socket.getsockname()[1]}"
        with pytest.raises(Failure, match="it said nothing") as caught:
            await probe_secured(endpoint, 2, SIDES["CURVE"][1])
        assert caught.value.code == 2
        nursery.cancel_scope.cancel()


def test_the_command(tmp_path: Path) -> None:
    write_certificates(tmp_path, "server", SERVER)
    write_certificates(tmp_path, "client", CLIENT)

    async def serve() -> tuple[str, bytes]:
        async with triomq.open_context() as ctx:
            rep = ctx.socket(triomq.REP, mechanism=SIDES["CURVE"][0])
            endpoint = await rep.bind(f"ipc://{tmp_path}/it")
            keys = ["--server-key", f"{tmp_path}/server.key", "--keys", f"{tmp_path}/client.key_secret"]
            ended = await trio.to_thread.run_sync(lambda: run("probe", endpoint, *keys))
            assert ended.code == 0, ended
            return endpoint, ended.output

    endpoint, output = trio.run(serve)
    assert output.startswith(f"{endpoint}: REP\n  speaks     ZMTP 3.1, mechanism CURVE\n".encode())
    assert b"PING" in output


async def test_top_asks_by_curve(tmp_path: Path) -> None:
    write_certificates(tmp_path, "server", SERVER)
    write_certificates(tmp_path, "client", CLIENT)
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        server = SIDES["CURVE"][0]
        endpoint = await nursery.start(
            lambda task_status: triomq.serve_statistics(
                ctx, f"ipc://{tmp_path}/it", mechanism=server, task_status=task_status
            )
        )
        keys = ["--server-key", f"{tmp_path}/server.key", "--keys", f"{tmp_path}/client.key_secret"]
        ended = await trio.to_thread.run_sync(lambda: run("top", endpoint, "--once", *keys))
        assert ended.code == 0, ended
        assert b"0 sockets" in ended.output
        nursery.cancel_scope.cancel()
