"""What newcomers write, and what they are told. Golden texts: read them as one who has just made the mistake."""

from __future__ import annotations

import asyncio
import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import trio

import triomq
from triomq._advice import ABSENT, ALIASES, ELSEWHERE

KINDS = ["REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR"]


async def said(call: Any) -> str:
    with pytest.raises(Exception) as caught:
        answer = call()
        if hasattr(answer, "__await__"):
            await answer
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("PULL", "recv", "PULL has no attribute 'recv': write await socket.receive()"),
        ("PUSH", "recv", "PUSH has no attribute 'recv': a PUSH only sends; its peer, a PULL, receives"),
        ("SUB", "send_string", "SUB has no attribute 'send_string': a SUB only receives; its peer, a PUB, sends"),
        ("PUSH", "receive", "PUSH has no attribute 'receive': a PUSH only sends; its peer, a PULL, receives"),
        ("PULL", "send", "PULL has no attribute 'send': a PULL only receives; its peer, a PUSH, sends"),
        ("DEALER", "recv_json", "write (await socket.receive()).json(), or triomq.codec(socket, 'json')"),
        ("PUSH", "send_multipart", "write await socket.send([frame, frame])"),
        ("PUSH", "send_pyobj", "unpickling bytes from a network runs any code that the sender chose"),
        ("PUSH", "setsockopt", "given when the socket is made, as in ctx.socket(triomq.PUSH, linger=0), and read as"),
        ("PUSH", "linger", "write socket.options.linger; ctx.socket(triomq.PUSH, linger=…) sets the option"),
        ("PUSH", "LINGER", "write socket.options.linger"),
        ("PUSH", "sndhwm", "write socket.options.send_hwm"),
        ("PULL", "RCVTIMEO", "no call has a time limit of its own: write 'with trio.move_on_after(seconds):'"),
        ("PUSH", "identity", "write socket.options.routing_id"),
        ("PULL", "close", "write await socket.aclose(), or async with socket:"),
        ("PULL", "poll", "write with trio.move_on_after(seconds): around a call that waits, socket.receive_nowait()"),
        ("PUB", "subscribe", "PUB has no attribute 'subscribe': SUB has that"),
        ("XSUB", "subscribe", r"SUB has that; an XSUB sends its subscriptions, as b'\x01topic'"),
        ("DEALER", "request", "REQ has that"),
        ("PULL", "fileno", "there is no descriptor to watch"),
        ("PULL", "mechanism", "write socket.options.mechanism; ctx.socket(triomq.PULL, mechanism=…) sets the option"),
    ],
)
async def test_a_wrong_name_is_answered_for_that_socket_type(kind: str, name: str, told: str) -> None:
    async with triomq.open_context() as ctx:
        socket = ctx.socket(getattr(triomq, kind))
        assert not hasattr(socket, name)
        assert not hasattr(type(socket), name)
        assert name not in dir(socket)
        assert name not in dir(type(socket))
        text = await said(lambda: getattr(socket, name))
        assert text.startswith("AttributeError: ")
        assert told in text


@pytest.mark.parametrize("kind", KINDS)
async def test_every_name_of_pyzmqs_sockets_is_answered(kind: str) -> None:
    zmq = pytest.importorskip("zmq")
    options = {*zmq.SocketOption.__members__, *ABSENT, *ALIASES, *ELSEWHERE}
    names = {name for name in dir(zmq.Socket) if not name.startswith("_")} | {
        cased(name.removeprefix("ZMQ_")) for name in options for cased in (str.upper, str.lower)
    }
    async with triomq.open_context() as ctx:
        socket = ctx.socket(getattr(triomq, kind))
        for name in sorted(names - set(dir(socket))):
            text = await said(lambda name=name: getattr(socket, name))
            assert text.startswith(f"AttributeError: {kind} has no attribute {name!r}: "), text
            assert not text.endswith(("None", ": ")), text
            assert "`" not in text


async def test_a_name_that_nobody_knows_is_an_attribute_error_of_python() -> None:
    async with triomq.open_context() as ctx:
        assert await said(lambda: ctx.socket(triomq.PUSH).spam) == (
            "AttributeError: 'PUSH' object has no attribute 'spam'"
        )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("linger", 0, "PUSH.linger cannot be set: options are given when the socket is made: ctx.socket(triomq.PUSH, "
         "linger=0)"),
        ("sndhwm", 5, "ctx.socket(triomq.PUSH, send_hwm=…)"),
        ("LINGER", 0, "ctx.socket(triomq.PUSH, linger=…)"),
        ("rcvtimeo", 100, "PUSH.rcvtimeo cannot be set: no call has a time limit of its own"),
        ("options", None, "options are given when the socket is made"),
        ("spam", 1, "PUSH.spam cannot be set: a socket has no attributes but its own; keep yours beside it"),
    ],
)  # fmt: skip
async def test_setting_an_attribute_is_refused(name: str, value: Any, told: str) -> None:
    async with triomq.open_context() as ctx:
        socket = ctx.socket(triomq.PUSH)
        assert told in await said(lambda: setattr(socket, name, value))
        assert "options.linger cannot be changed: options are given when the socket is made" in await said(
            lambda: setattr(socket.options, "linger", 0)
        )


async def test_a_method_can_be_replaced_by_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    async with triomq.open_context() as ctx:
        socket = ctx.socket(triomq.PUSH)
        with monkeypatch.context() as patch:
            patch.setattr(socket, "send_nowait", lambda message: "patched")
            assert socket.send_nowait(b"x") == "patched"  # type: ignore[func-returns-value]


async def test_wrong_statements_are_answered() -> None:
    async with triomq.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        assert await said(lambda: push.__enter__()) == (
            "TypeError: write 'async with', not 'with': leaving the block of a PUSH may have to wait"
        )
        with pytest.raises(TypeError, match="write 'async with', not 'with'"):
            with push:  # type: ignore[attr-defined]
                pass
        with pytest.raises(TypeError, match="write 'async for message in …', not 'for'"):
            list(pull)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="a PUSH only sends"):
            list(push)  # type: ignore[call-overload]
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            for thing in (push, ctx):
                with pytest.raises(TypeError, match="can be neither copied nor pickled: it belongs to its context"):
                    copied(thing)
        with pytest.raises(TypeError, match="'async with', not 'with'"):
            with triomq.open_context():  # type: ignore[attr-defined]
                pass
        assert "'async with', not 'await'" in await said(lambda: triomq.open_context())


async def test_a_block_of_open_context_is_entered_once() -> None:
    block = triomq.open_context()
    async with block:
        assert "was entered before: for another context write 'async with" in await said(block.__aenter__)
    assert "was entered before" in await said(block.__aenter__)
    with pytest.raises(AttributeError, match="this context is not open"):
        block.socket(triomq.PUSH)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda ctx, push, pull: push.send(b"a", b"b"), "send() was given b'b' too: several frames are one message"),
        (lambda ctx, push, pull: push.send(b"a", timeout=1), "write 'with trio.move_on_after(seconds):' around"),
        (lambda ctx, push, pull: push.send(b"a", flags=1), "there are no flags, but send_nowait and receive_nowait"),
        (lambda ctx, push, pull: pull.receive(timeout=1), "receive() was given 1 too: it takes nothing; for a time"),
        (lambda ctx, push, pull: pull.receive(1), "receive() was given 1 too"),
        (lambda ctx, push, pull: pull.receive_many(), "receive_many(max) takes how many messages to take at the most"),
        (lambda ctx, push, pull: pull.receive_many("5"), "is a whole number, an int, not str: '5'"),
        (lambda ctx, push, pull: push.send_many(b"abc"), "send_many() takes an iterable of messages"),
        (lambda ctx, push, pull: push.send_many(None), "send_many() takes an iterable of messages"),
        (lambda ctx, push, pull: push.send_many(pull), "'async for' takes what it yields"),
        (lambda ctx, push, pull: push.send(pull), "send what it yields, one by one"),
        (lambda ctx, push, pull: pull.bind("127.0.0.1", 5555), "bind('tcp://127.0.0.1:5555') takes one endpoint"),
        (lambda ctx, push, pull: pull.bind(("127.0.0.1", 5555)), "an endpoint is a str, not tuple"),
        (lambda ctx, push, pull: pull.bind(b"tcp://127.0.0.1:1"), "endpoint is a str: give endpoint.decode()"),
        (lambda ctx, push, pull: pull.bind(Path("feed")), "write f'ipc://{path}'"),
        (lambda ctx, push, pull: push.connect("127.0.0.1", 5555), "connect('tcp://127.0.0.1:5555') takes one"),
        (lambda ctx, push, pull: push.connect("inproc://x", timeout=1), "it does not wait, and so needs no time limit"),
        (lambda ctx, push, pull: pull.aclose(linger=0), "linger= is given when the socket is made"),
        (lambda ctx, push, pull: pull.wait_peers(timeout=1), "wait_peers(n) takes a number of peers; for a time limit"),
        (lambda ctx, push, pull: pull.wait_peers("1"), "whole number"),
        (lambda ctx, push, pull: pull.monitor(size="x"), "size, the number of events to keep, is a whole"),
        (lambda ctx, push, pull: triomq.merge([pull]), "merge(*sockets) for a list"),
        (lambda ctx, push, pull: triomq.merge(pull, timeout=1), "for a time limit, write 'with trio.move_on_after"),
        (lambda ctx, push, pull: triomq.merge(push), "takes sockets that receive"),
        (lambda ctx, push, pull: triomq.proxy(pull), "proxy(frontend, backend, capture) takes two sockets"),
        (lambda ctx, push, pull: ctx.socket("PUSH"), "a class such as triomq.PUSH, not 'PUSH'"),
        (lambda ctx, push, pull: ctx.socket(8), "a class such as triomq.REQ, not 8"),
        (lambda ctx, push, pull: ctx.socket(), "takes one socket type; options have names"),
        (lambda ctx, push, pull: ctx.socket(triomq.PUSH, 10), "takes one socket type; options have names"),
        (lambda ctx, push, pull: ctx.socket(triomq.SUB, topics=None), "topics= takes a list of topics"),
        (lambda ctx, push, pull: ctx.term(), "Context has no attribute 'term': leave the block, which closes its"),
        (lambda ctx, push, pull: ctx.setsockopt(1, 2), "options are given when a socket is made"),
        (lambda ctx, push, pull: ctx.push(), "write ctx.socket(triomq.PUSH)"),
        (lambda ctx, push, pull: setattr(ctx, "linger", 0), "options are given when a socket is made"),
        (lambda ctx, push, pull: triomq.Context(), "a context is opened by 'async with triomq.open_context() as ctx:'"),
        (lambda ctx, push, pull: triomq.Context.instance(), "as ctx:', and pass ctx on"),
        (lambda ctx, push, pull: triomq.open_context().socket(triomq.PUSH), "this context is not open"),
        (lambda ctx, push, pull: triomq.open_context(1), "options of sockets are for ctx.socket()"),
        (lambda ctx, push, pull: triomq.open_context(io_threads=4), "options of sockets are for ctx.socket()"),
        (lambda ctx, push, pull: triomq.open_context(transports=[1]), "transports= takes a dict"),
        (lambda ctx, push, pull: triomq.open_context(rng=5), "rng= takes a random.Random"),
        (lambda ctx, push, pull: triomq.blocking(pull).__enter__(), "a BlockingReceiver needs no 'with'"),
        (lambda ctx, push, pull: triomq.Message([b"a"]).decode(), "write message.text(), or decode a frame"),
        (lambda ctx, push, pull: triomq.Message([b"a", b"b"]).text(), "text() and json() are for exactly one; index"),
        (lambda ctx, push, pull: triomq.Message(b"a", b"b"), "Message() takes all frames as one list: Message([b'env"),
        (lambda ctx, push, pull: triomq.STREAM, "there are no sockets of this type yet"),
        (lambda ctx, push, pull: push.wait_subscribers("a"), "PUB and XPUB have that"),
        (lambda ctx, push, pull: ctx.observe(print), "an object of a subclass of triomq.abc.Observer, not <built-in"),
        (lambda ctx, push, pull: list(pull.monitor()), "write 'async for event in …', not 'for'"),
        (lambda ctx, push, pull: pull.monitor().__enter__(), "write 'async with', not 'with'"),
        (lambda ctx, push, pull: triomq.curve_keypair(), "write triomq.KeyPair.generate()"),
        (lambda ctx, push, pull: triomq.CURVE, "which takes an object of triomq.Curve or triomq.Plain"),
        (lambda ctx, push, pull: triomq.PUSH(), "sockets are made by a context: ctx.socket(triomq.PUSH)"),
    ],
)  # fmt: skip
async def test_wrong_arguments_are_answered(call: Any, told: str) -> None:
    async with triomq.open_context() as ctx:
        push, pull = ctx.socket(triomq.PUSH), ctx.socket(triomq.PULL)
        text = await said(lambda: call(ctx, push, pull))
        assert told in text
        assert not any(inside in text for inside in ("__init__", "Socket.", "_Block", "positional-only"))


async def test_an_await_that_was_forgotten_is_answered() -> None:
    async with triomq.open_context() as ctx:
        forgotten = ctx.socket(triomq.PULL).bind("inproc://it")
        assert "await it first, as in 'await socket.bind(…)'" in await said(
            lambda: ctx.socket(triomq.PUSH).connect(forgotten)  # type: ignore[arg-type]
        )
        forgotten.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("NOBLOCK", "triomq has no 'NOBLOCK': write socket.send_nowait(message), socket.receive_nowait()"),
        ("SNDMORE", "write await socket.send([frame, frame])"),
        ("Poller", "write a task for each socket, or 'async for socket, message in triomq.merge(a, b):'"),
        ("ZMQError", "write triomq.ZmqError"),
        ("Again", "write trio.WouldBlock"),
        ("LINGER", "as in ctx.socket(triomq.PUSH, linger=…)"),
        ("IDENTITY", "as in ctx.socket(triomq.PUSH, routing_id=…)"),
        ("RCVTIMEO", "no call has a time limit of its own"),
        ("asyncio", "nothing: triomq runs in trio"),
        ("push", "you mean triomq.PUSH"),
        ("XREQ", "write triomq.DEALER"),
        ("EVENT_CONNECTED", "async with socket.monitor() as events:"),
        ("EAGAIN", "errors are classes"),
        ("Messagge", "you mean triomq.Message?"),
        ("spam", "help(triomq) and the reference list what there is"),
    ],
)
async def test_a_wrong_name_of_the_module_is_answered(name: str, told: str) -> None:
    assert not hasattr(triomq, name)
    assert told in await said(lambda: getattr(triomq, name))


async def test_every_name_of_pyzmq_is_answered() -> None:
    zmq = pytest.importorskip("zmq")
    rare = ("NORM_", "RECONNECT_STOP_", "NOTIFY_", "IPC_PATH_MAX_LEN")  # values of options that triomq has not
    classes = ("Enum", "Flag", "IntEnum", "IntFlag", "NormMode", "ReconnectStop", "RouterNotify", "DraftFDWarning")
    for name in zmq.__all__:
        if not name.startswith(("_", *rare)) and name not in classes and not hasattr(triomq, name):
            text = await said(lambda name=name: getattr(triomq, name))
            assert "help(triomq)" not in text, text


def test_asyncio_is_told_of_trio() -> None:
    async def main() -> None:
        async with triomq.open_context():
            pass

    with pytest.raises(RuntimeError, match=r"start the program with trio\.run\(main\), not with asyncio\.run\(main\)"):
        asyncio.run(main())
    with pytest.raises(RuntimeError, match="no trio run is active here"):
        triomq.open_context()


async def test_signatures_show_no_argument_that_is_only_refused() -> None:
    import inspect

    assert list(inspect.signature(triomq.PUSH.send).parameters) == ["self", "message"]
    assert list(inspect.signature(triomq.REQ.receive).parameters) == ["self"]
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH)
        with trio.move_on_after(0):
            await push.send(b"x", None, None)
