"""Typed channels over sockets: values in, values out, and what becomes of messages that do not decode."""

from __future__ import annotations

import importlib
import json
import pickle
import sys
import types
from typing import Any

import pytest
import trio
import trio.testing

import triomq
from triomq import Message
from triomq.testing import VirtualNetwork

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://it"])


class Number:
    """A codec of the user's own, of two frames."""

    def encode(self, value: int, /) -> list[bytes]:
        return [b"int", b"%d" % value]

    def decode(self, message: Message, /) -> int:
        kind, digits = message
        assert kind == b"int"
        return int(digits)


async def a_pair(ctx: triomq.Context, one: Any, other: Any, endpoint: str = "inproc://it") -> tuple[Any, Any]:
    first, second = ctx.socket(one), ctx.socket(other)
    second.connect(await first.bind(endpoint))
    await second.wait_peers()
    return first, second


@ENDPOINTS
@pytest.mark.parametrize(
    ("codec", "values"),
    [
        (str, ["", "Grüße", "x" * 1000]),
        (bytes, [b"", b"\xff"]),
        ("json", [None, {"a": [1, "ø"]}]),
        (json, [True, []]),
        (Number(), [0, -17]),
    ],
    ids=["str", "bytes", "json", "the module json", "own"],
)
async def test_values_come_out_as_they_went_in(
    codec: Any, values: list[Any], endpoint: str, virtual_network: VirtualNetwork
) -> None:
    async with virtual_network.open_context("it") as ctx:
        pull, push = await a_pair(ctx, triomq.PULL, triomq.PUSH, endpoint)
        source, sink = triomq.codec(push, codec), triomq.codec(pull, codec)
        for value in values:
            await source.send(value)
            source.send_nowait(value)
        for value in values:
            assert await sink.receive() == value
            assert await sink.receive() == value
        with pytest.raises(trio.WouldBlock):
            sink.receive_nowait()


async def test_a_channel_has_the_directions_of_its_socket() -> None:
    async with triomq.open_context() as ctx:
        for kind in (triomq.PUSH, triomq.PUB):
            channel = triomq.codec(ctx.socket(kind), str)
            assert isinstance(channel, trio.abc.SendChannel)
            assert not isinstance(channel, trio.abc.ReceiveChannel)
        for receiving in (triomq.PULL, triomq.SUB):
            receiver = triomq.codec(ctx.socket(receiving), str)
            assert isinstance(receiver, trio.abc.ReceiveChannel)
            assert not isinstance(receiver, trio.abc.SendChannel)
        for both in (triomq.DEALER, triomq.PAIR, triomq.REP, triomq.REQ, triomq.ROUTER):
            assert isinstance(triomq.codec(ctx.socket(both), str), trio.abc.Channel)
            assert hasattr(triomq.codec(ctx.socket(both), str), "request") is (both is triomq.REQ)


async def test_a_request_and_its_reply() -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        rep, req = await a_pair(ctx, triomq.REP, triomq.REQ)

        async def shout() -> None:
            async for word in triomq.codec(rep, str):
                await rep.send(word.upper().encode())

        nursery.start_soon(shout)
        assert await triomq.codec(req, str).request("hello") == "HELLO"
        nursery.cancel_scope.cancel()


async def test_the_modes_of_a_router_and_of_topics() -> None:
    async with triomq.open_context() as ctx:
        router, dealer = await a_pair(ctx, triomq.ROUTER, triomq.DEALER)
        server, client = triomq.codec(router, "json"), triomq.codec(dealer, "json")
        await client.send({"a": 1})
        envelope, value = await server.receive()
        assert type(envelope) is Message
        assert (len(envelope), value) == (1, {"a": 1})
        await server.send((envelope, [value]))
        assert await client.receive() == [{"a": 1}]

        pub, sub = await a_pair(ctx, triomq.PUB, triomq.SUB, "inproc://prices")
        sub.subscribe("EUR")
        prices, feed = triomq.codec(pub, "json", envelope=True), triomq.codec(sub, "json", envelope=True)
        await pub.wait_subscribers("EUR")
        await prices.send((b"USD", 1))
        await prices.send(([b"EUR", b"now"], 1.08))
        assert await feed.receive() == ((b"EUR", b"now"), 1.08)


# -- what does not encode, what does not decode ----------------------------------------------------------


async def test_what_does_not_encode_is_told_where_it_is_sent() -> None:
    async with triomq.open_context() as ctx:
        pull, push = await a_pair(ctx, triomq.PULL, triomq.PUSH)
        with pytest.raises(TypeError, match="this channel sends str, not int"):
            await triomq.codec(push, str).send(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="this channel sends bytes, not str"):
            triomq.codec(push, bytes).send_nowait("x")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="JSON serializable"):
            await triomq.codec(push, "json").send(object())
        pairs = triomq.codec(push, Number(), envelope=True)
        with pytest.raises(ValueError, match="behind an envelope a codec makes one frame"):
            await pairs.send((b"id", 1))
        for wrong in (1, (b"id",), (1, 2, 3)):
            with pytest.raises(TypeError, match=r"sends pairs, \(envelope, value\), not "):
                await pairs.send(wrong)  # type: ignore[arg-type]
        with pytest.raises(trio.WouldBlock):
            pull.receive_nowait()


@pytest.mark.parametrize(
    ("codec", "frames", "cause"),
    [
        (str, [b"\xff"], UnicodeDecodeError),
        (str, [b"a", b"b"], ValueError),
        ("json", [b"{"], json.JSONDecodeError),
        ("json", [b"[" * 100_000], RecursionError),
        (Number(), [b"float", b"1"], AssertionError),
    ],
)
async def test_a_message_that_does_not_decode_is_in_the_error(codec: Any, frames: list[bytes], cause: type) -> None:
    async with triomq.open_context() as ctx:
        pull, push = await a_pair(ctx, triomq.PULL, triomq.PUSH)
        sink = triomq.codec(pull, codec)
        for receive in (sink.receive, trio.lowlevel.checkpoint):
            await push.send(frames)
            await push.send(b"1" if codec == "json" else [b"int", b"1"] if isinstance(codec, Number) else b"x")
            with pytest.raises(triomq.DecodeError, match=r"^PULL: a message does not decode, \w+: ") as caught:
                if receive == sink.receive:
                    await receive()
                else:
                    sink.receive_nowait()
            assert caught.value.message == tuple(frames)
            assert type(caught.value.message) is Message
            assert isinstance(caught.value.__cause__, cause)
            assert len(str(caught.value)) < 600
            assert await sink.receive() in (1, "x")  # the channel goes on


async def test_dead_letters_get_what_does_not_decode_while_they_take_it() -> None:
    async with triomq.open_context() as ctx:
        pull, push = await a_pair(ctx, triomq.PULL, triomq.PUSH)
        letters, dead = trio.open_memory_channel[Message](1)
        sink = triomq.codec(pull, str, dead_letters=letters)
        for body in (b"\xff1", b"good", b"\xff2", b"\xff3", b"better"):
            await push.send(body)
        assert await sink.receive() == "good"
        assert dead.receive_nowait() == (b"\xff1",)
        with pytest.raises(triomq.DecodeError) as caught:  # the first went to the letters, and they are full
            await sink.receive()
        assert caught.value.message == (b"\xff3",)
        assert isinstance(caught.value.__cause__, trio.WouldBlock)
        assert dead.receive_nowait() == (b"\xff2",)
        assert sink.receive_nowait() == "better"
        letters.close()
        await push.send(b"\xff4")
        with pytest.raises(triomq.DecodeError):
            await sink.receive()


async def test_dead_letters_may_be_a_socket() -> None:
    async with triomq.open_context() as ctx:
        pull, push = await a_pair(ctx, triomq.PULL, triomq.PUSH)
        morgue, grave = await a_pair(ctx, triomq.PULL, triomq.PUSH, "inproc://morgue")
        sink = triomq.codec(pull, str, dead_letters=grave)
        await push.send(b"\xff")
        await push.send(b"x")
        assert await sink.receive() == "x"
        assert await morgue.receive() == (b"\xff",)


async def test_a_reply_that_does_not_decode_ends_its_exchange() -> None:
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        rep, req = await a_pair(ctx, triomq.REP, triomq.REQ)

        async def answer() -> None:
            async for message in rep:
                await rep.send(b"\xff" if message == (b"bad",) else message)

        nursery.start_soon(answer)
        asks = triomq.codec(req, str)
        with pytest.raises(triomq.DecodeError):
            await asks.request("bad")
        assert await asks.request("good") == "good"
        nursery.cancel_scope.cancel()


# -- cancellation, and the end -----------------------------------------------------------------------------


async def test_a_cancelled_receive_takes_nothing_and_a_cancelled_send_sends_nothing() -> None:
    async with triomq.open_context() as ctx:
        pull, push = await a_pair(ctx, triomq.PULL, triomq.PUSH)
        source, sink = triomq.codec(push, str), triomq.codec(pull, str)
        await source.send("first")
        with trio.CancelScope() as scope:
            scope.cancel()
            await sink.receive()
        assert scope.cancelled_caught
        with trio.CancelScope() as scope:
            scope.cancel()
            await source.send("never")
        assert scope.cancelled_caught
        async with trio.open_nursery() as nursery:
            assert await sink.receive() == "first"
            nursery.start_soon(sink.receive)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await source.send("second")
        assert await sink.receive() == "second"


async def test_closing_the_channel_closes_the_socket_and_entering_it_binds() -> None:
    async with triomq.open_context() as ctx:
        async with triomq.codec(ctx.socket(triomq.PULL, bind="inproc://it"), str) as sink:
            assert sink.socket.endpoints == ("inproc://it",)
            async with triomq.codec(ctx.socket(triomq.PUSH, connect="inproc://it"), str) as source:
                await source.send("x")
                assert await sink.receive() == "x"
                assert repr(source) == f"<triomq.CodecSendChannel over {source.socket!r}>"
            with pytest.raises(trio.ClosedResourceError):
                await source.send("x")
        with pytest.raises(trio.ClosedResourceError):
            await sink.receive()


# -- what makes no sense -----------------------------------------------------------------------------------


async def test_what_makes_no_sense_is_refused() -> None:
    letters, _ = trio.open_memory_channel[Message](1)
    refused: list[tuple[Any, Any, dict[str, Any], str]] = [
        (triomq.XPUB, str, {}, "messages of an XPUB are subscriptions too; use a PUB"),
        (triomq.XSUB, str, {}, "messages of an XSUB are subscriptions too; use a SUB"),
        (triomq.PULL, int, {}, "a codec is str, bytes, 'json', 'msgpack', or an object with encode"),
        (triomq.PULL, "yaml", {}, "a codec is str, bytes, 'json', 'msgpack', or an object with encode"),
        (triomq.PULL, Number, {}, r"Number is a class; give an object of it: Number\(\)"),
        (triomq.PULL, pickle, {}, "pickle is no codec, since unpickling bytes from a network runs any code"),
        (triomq.PUSH, str, {"dead_letters": letters}, "no dead letters for a PUSH, which does not receive"),
        (triomq.REQ, str, {"dead_letters": letters}, "no dead letters for a REQ, which exchanges requests and replies"),
        (triomq.REP, str, {"dead_letters": letters}, "no dead letters for a REP"),
        (triomq.PULL, str, {"dead_letters": []}, r"takes a channel with send_nowait, not \[\]"),
    ]
    async with triomq.open_context() as ctx:
        for kind, codec, others, why in refused:
            with pytest.raises(TypeError, match=why):
                triomq.codec(ctx.socket(kind), codec, **others)
        with pytest.raises(TypeError, match=r"the first argument is a socket, as in codec\(socket, str\)"):
            triomq.codec(triomq.PUSH, str)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="takes a socket, and str, bytes"):
            triomq.codec(ctx.socket(triomq.PUSH))  # type: ignore[call-overload]


async def test_msgpack_is_told_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgpack", None)
    async with triomq.open_context() as ctx:
        with pytest.raises(ImportError, match=r"the codec 'msgpack' needs the package msgpack: pip install") as caught:
            triomq.codec(ctx.socket(triomq.PUSH), "msgpack")
        assert caught.value.name == "msgpack"


@pytest.mark.skipif(importlib.util.find_spec("msgpack") is None, reason="msgpack is an extra")
async def test_msgpack_itself() -> None:
    async with triomq.open_context() as ctx:
        pull, push = await a_pair(ctx, triomq.PULL, triomq.PUSH)
        await triomq.codec(push, "msgpack").send({"a": [1, b"x", None]})
        assert await triomq.codec(pull, importlib.import_module("msgpack")).receive() == {"a": [1, b"x", None]}
        await push.send(b"\xc1")
        with pytest.raises(triomq.DecodeError):
            await triomq.codec(pull, "msgpack").receive()


def test_a_codec_of_static_methods_is_one_as_a_class() -> None:
    from triomq._tools._codecs import as_codec

    class Static:
        @staticmethod
        def encode(value: int, /) -> bytes:
            return b"%d" % value

        @staticmethod
        def decode(message: Message, /) -> int:
            return int(bytes(message))

    assert as_codec(Static) is Static
    assert as_codec(types.SimpleNamespace(encode=bytes, decode=bytes)).encode is bytes
