"""What a type checker must see, and must refuse. Checked, never run.

Each ``type: ignore`` is an assertion: were the error gone, mypy would report the comment as unused.
"""

from __future__ import annotations

from typing import Any, assert_type

import trio

import triomq


def the_class_is_the_static_type(ctx: triomq.Context) -> None:
    assert_type(ctx.socket(triomq.REQ), triomq.REQ)
    assert_type(ctx.socket(triomq.REP), triomq.REP)
    assert_type(ctx.socket(triomq.DEALER), triomq.DEALER)
    assert_type(ctx.socket(triomq.ROUTER), triomq.ROUTER)
    assert_type(ctx.socket(triomq.PUB), triomq.PUB)
    assert_type(ctx.socket(triomq.SUB), triomq.SUB)
    assert_type(ctx.socket(triomq.XPUB), triomq.XPUB)
    assert_type(ctx.socket(triomq.XSUB), triomq.XSUB)
    assert_type(ctx.socket(triomq.PUSH), triomq.PUSH)
    assert_type(ctx.socket(triomq.PULL), triomq.PULL)
    assert_type(ctx.socket(triomq.PAIR), triomq.PAIR)


def sockets_are_channels(ctx: triomq.Context) -> None:
    senders: list[trio.abc.SendChannel[triomq.Message]] = [
        ctx.socket(triomq.PUSH),
        ctx.socket(triomq.PUB),
    ]
    receivers: list[trio.abc.ReceiveChannel[triomq.Message]] = [
        ctx.socket(triomq.PULL),
        ctx.socket(triomq.SUB),
    ]
    channels: list[trio.abc.Channel[triomq.Message]] = [
        ctx.socket(triomq.REQ),
        ctx.socket(triomq.REP),
        ctx.socket(triomq.DEALER),
        ctx.socket(triomq.ROUTER),
        ctx.socket(triomq.XPUB),
        ctx.socket(triomq.XSUB),
        ctx.socket(triomq.PAIR),
    ]
    print(senders, receivers, channels)
    octets: list[trio.abc.SendChannel[bytes]] = [ctx.socket(triomq.PUSH), ctx.socket(triomq.PUB)]
    frames: list[trio.abc.SendChannel[list[bytes]]] = [ctx.socket(triomq.PUSH), ctx.socket(triomq.DEALER)]
    texts: trio.abc.SendChannel[str] = ctx.socket(triomq.PUSH)  # type: ignore[assignment]
    print(octets, frames, texts)


class Number:
    def encode(self, value: int, /) -> bytes:
        return b"%d" % value

    def decode(self, message: triomq.Message, /) -> int:
        return int(bytes(message))


async def a_codec_makes_a_channel_of_its_type(ctx: triomq.Context) -> None:
    texts = triomq.codec(ctx.socket(triomq.PUSH), str)
    assert_type(texts, triomq.CodecSendChannel[str])
    await texts.send(b"x")  # type: ignore[arg-type]
    await texts.receive()  # type: ignore[attr-defined]
    numbers: trio.abc.ReceiveChannel[int] = triomq.codec(ctx.socket(triomq.SUB), Number())
    both: trio.abc.Channel[int] = triomq.codec(ctx.socket(triomq.DEALER), Number())
    print(numbers, both)
    assert_type(await triomq.codec(ctx.socket(triomq.REQ), str).request("x"), str)
    assert_type(triomq.codec(ctx.socket(triomq.PULL), "json"), triomq.CodecReceiveChannel[Any])
    assert_type(triomq.codec(ctx.socket(triomq.ROUTER), Number()), triomq.CodecChannel[tuple[triomq.Message, int]])
    await triomq.codec(ctx.socket(triomq.PUB), str, envelope=True).send((b"topic", "text"))
    topic, text = await triomq.codec(ctx.socket(triomq.SUB), str, envelope=True).receive()
    assert_type(topic, triomq.Message)
    assert_type(text, str)
    triomq.codec(ctx.socket(triomq.XPUB), str)  # type: ignore[call-overload]
    triomq.codec(ctx.socket(triomq.PULL), "yaml")  # type: ignore[call-overload]


async def a_direction_it_has_not_does_not_exist(
    push: triomq.PUSH, pull: triomq.PULL, pub: triomq.PUB, sub: triomq.SUB
) -> None:
    await pull.send(b"x")  # type: ignore[attr-defined]
    pull.send_nowait(b"x")  # type: ignore[attr-defined]
    await pull.send_many([b"x"])  # type: ignore[attr-defined]
    await sub.send(b"x")  # type: ignore[attr-defined]
    await push.receive()  # type: ignore[attr-defined]
    push.receive_nowait()  # type: ignore[attr-defined]
    await push.receive_many(5)  # type: ignore[attr-defined]
    await pub.receive()  # type: ignore[attr-defined]
    async for _ in push:  # type: ignore[attr-defined]
        pass


async def only_those_that_have_it(pub: triomq.PUB, sub: triomq.SUB, pull: triomq.PULL, req: triomq.REQ) -> None:
    sub.subscribe(b"a")
    sub.unsubscribe(b"a")
    await pub.wait_subscribers(b"a", 2)
    assert_type(await req.request(b"x"), triomq.Message)
    pub.subscribe(b"a")  # type: ignore[attr-defined]
    pull.subscribe(b"a")  # type: ignore[attr-defined]
    await pull.wait_subscribers(b"a", 2)  # type: ignore[attr-defined]


async def what_may_be_sent(push: triomq.PUSH) -> None:
    await push.send(b"x")
    await push.send(bytearray(b"x"))
    await push.send(memoryview(b"x"))
    await push.send([b"a", b"b"])
    await push.send(frame for frame in (b"a", memoryview(b"b")))
    await push.send(triomq.Message.from_json({"a": 1}))
    await push.send_many([b"x", [b"a", b"b"]])
    await push.send("x")  # type: ignore[arg-type]
    await push.send(1)  # type: ignore[arg-type]
    await push.send(["x"])  # type: ignore[list-item]
    await push.send(None)  # type: ignore[arg-type]


async def wrong_names_are_refused(ctx: triomq.Context, push: triomq.PUSH, pull: triomq.PULL) -> None:
    pull.recv()  # type: ignore[attr-defined]
    push.linger  # type: ignore[attr-defined]
    push.linger = 0  # type: ignore[attr-defined]
    ctx.term()  # type: ignore[attr-defined]
    triomq.NOBLOCK  # type: ignore[attr-defined]
    await pull.receive(timeout=1)  # type: ignore[arg-type]
    with triomq.open_context():  # type: ignore[attr-defined]
        pass


async def what_is_received(pull: triomq.PULL) -> None:
    message = await pull.receive()
    assert_type(message, triomq.Message)
    assert_type(message[0], bytes)
    assert_type(message[1:], triomq.Message)
    assert_type(bytes(message), bytes)
    assert_type(message.text(), str)
    assert_type(message.json(), Any)
    routing_id, *rest = message
    assert_type(routing_id, bytes)
    assert_type(rest, list[bytes])
    assert_type(pull.receive_nowait(), triomq.Message)
    for each in await pull.receive_many(10):
        assert_type(each, triomq.Message)
    async for each in pull:
        assert_type(each, triomq.Message)


async def what_is_async_and_what_is_not(push: triomq.PUSH) -> None:
    endpoint = await push.bind("tcp://127.0.0.1:0")
    assert_type(endpoint, str)
    push.connect(endpoint)
    push.disconnect(endpoint)
    await push.unbind(endpoint)
    await push.wait_peers(2)
    async with push:
        assert_type(push.options.linger, float)
    await push.aclose()


def options_are_checked(ctx: triomq.Context) -> None:
    ctx.socket(triomq.PUSH, hwm=10, linger=0.5)
    ctx.socket(triomq.SUB, topics=[b"a", "b"])
    ctx.socket(triomq.PUSH, connect=["tcp://127.0.0.1:5555"])
    ctx.socket(triomq.PUSH, bind=5555)  # type: ignore[arg-type]
    ctx.socket(triomq.PUSH, hmw=10)  # type: ignore[call-arg]
    ctx.socket(triomq.PUSH, linger="1")  # type: ignore[arg-type]


async def proxies_start_in_a_nursery(frontend: triomq.ROUTER, backend: triomq.DEALER) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(triomq.proxy, frontend, backend)
        nursery.start_soon(triomq.proxy, frontend, backend)
        nursery.start_soon(triomq.proxy, frontend)  # type: ignore[arg-type]


async def helpers_over_several_types(
    pull: triomq.PULL, sub: triomq.SUB, push: triomq.PUSH, dealer: triomq.DEALER
) -> None:
    async def drain(socket: triomq.ReceiveSocket) -> list[triomq.Message]:
        assert_type(socket.receive_nowait(), triomq.Message)
        return await socket.receive_many(10)

    async def feed(socket: triomq.SendSocket) -> None:
        socket.send_nowait(b"x")
        await socket.send_many([b"x"])

    await drain(pull)
    await drain(sub)
    await drain(dealer)
    await feed(push)
    await feed(dealer)
    await drain(push)  # type: ignore[arg-type]
    await feed(sub)  # type: ignore[arg-type]


async def the_wrong_kind_is_refused(pull: triomq.PULL, push: triomq.PUSH, router: triomq.ROUTER) -> None:
    triomq.merge(pull, router)
    triomq.merge(push)  # type: ignore[type-var]
    await triomq.proxy(pull, push, capture=push)
    await triomq.proxy(push, pull)
    await triomq.proxy(pull, pull)  # type: ignore[call-overload]
    await triomq.proxy(push, push)  # type: ignore[call-overload]
    await triomq.proxy(pull, push, capture=pull)  # type: ignore[call-overload]


async def job_channels(ctx: triomq.Context, jobs: triomq.JobSender, worker: triomq.JobReceiver) -> None:
    triomq.JobSender(ctx, redo=3, linger=1)
    triomq.JobReceiver(ctx, credit=2, no_such_option=1)  # type: ignore[call-arg]
    sender: trio.abc.SendChannel[triomq.MessageLike] = jobs
    receiver: trio.abc.ReceiveChannel[triomq.Message] = worker
    await sender.send([b"a", b"b"])
    assert_type(await receiver.receive(), triomq.Message)
    assert_type(await jobs.request(b"a"), triomq.Message)
    assert_type(jobs.statistics().jobs_done, int)
    assert_type(jobs.socket, triomq.ROUTER)
    async for job in worker:
        assert_type(job, triomq.Message)
        await worker.done("text")  # type: ignore[arg-type]


def blocking_handles(ctx: triomq.Context) -> None:
    both = triomq.blocking(ctx.socket(triomq.REP))
    assert_type(both, triomq.BlockingChannel[triomq.MessageLike, triomq.Message])
    both.send(both.exchange(b"a reply"))
    assert_type(list(both), list[triomq.Message])
    puller = triomq.blocking(ctx.socket(triomq.PULL))
    assert_type(puller, triomq.BlockingReceiver[triomq.Message])
    assert_type(next(puller.batches(10)), list[triomq.Message])
    puller.send(b"a PULL does not send")  # type: ignore[attr-defined]
    pusher = triomq.blocking(ctx.socket(triomq.PUSH))
    assert_type(pusher, triomq.BlockingSender[triomq.MessageLike])
    pusher.receive()  # type: ignore[attr-defined]
    pusher.send("a str is no message")  # type: ignore[arg-type]
    jobs = triomq.blocking(triomq.JobReceiver(ctx))
    assert_type(jobs, triomq.BlockingChannel[triomq.MessageLike, triomq.Message])
    texts = triomq.blocking(triomq.codec(ctx.socket(triomq.PAIR), str))
    assert_type(texts, triomq.BlockingChannel[str, str])
    merged = triomq.blocking(triomq.merge(ctx.socket(triomq.PULL)))
    assert_type(merged.receive(), tuple[triomq.PULL, triomq.Message])
    assert_type(triomq.blocking(trio.open_memory_channel[int](1)[1]), triomq.BlockingReceiver[int])
    triomq.blocking(5)  # type: ignore[call-overload]
