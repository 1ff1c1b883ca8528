"""Whoever receives gets a `Message`, by whatever call and transport, and however it was sent."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import triomq
from triomq import Message
from triomq.testing import VirtualNetwork

from ..cancellation.kit import FLOWS, SCHEMES, Flow, run

SENT = [(b"one",), Message([b"one"]), (b"a", b"b"), Message([b"a", b"b"])]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow.receiver is not triomq.XPUB], ids=str)
def test_each_call_gives_messages(flow: Flow, scheme: str) -> None:
    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=0)

            async def receive_now() -> Any:
                while True:
                    try:
                        return receiver.receive_nowait()
                    except trio.WouldBlock:
                        await trio.sleep(1)

            async def first_of_many() -> Any:
                (message,) = await receiver.receive_many(1)
                return message

            async def rest_of_many() -> Any:
                for _ in range(2):
                    await sender.send(flow.wrap(b"more"))
                await trio.sleep(1)
                *_, last = await receiver.receive_many(3)
                return last

            async def merged() -> Any:
                return (await triomq.merge(receiver).receive())[1]

            for receive in (receiver.receive, receiver.__anext__, receive_now, first_of_many, rest_of_many, merged):
                for sent in SENT:
                    wrapped = flow.wrap(*sent)
                    await sender.send(wrapped if type(sent) is Message else tuple(wrapped))
                    message = await receive()
                    assert type(message) is Message
                    if receive is not rest_of_many:
                        assert flow.unwrap(message) == sent

    run(main, scheme=scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_request_and_its_reply_are_messages(scheme: str) -> None:
    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            req, rep = await Flow(triomq.REQ, triomq.REP).open(ctx, scheme)
            for sent in SENT:
                await req.send(sent)
                request = await rep.receive()
                await rep.send(request)
                reply = await req.receive()
                assert [request, reply] == [sent] * 2
                assert {type(request), type(reply)} == {Message}

    run(main, scheme=scheme)
