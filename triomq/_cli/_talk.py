"""What each socket command does: what is read is sent, what arrives is written."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import trio

from .. import PUB, PULL, PUSH, REP, REQ, ROUTER, SUB, Socket, open_context
from ._answers import answer_each
from ._conversation import Conversation
from ._exits import Teller
from ._plan import Plan
from ._signals import Interruption
from ._sources import invite


async def converse(plan: Plan, teller: Teller, interruption: Interruption) -> int:
    """Run a socket command to its end.

    Returns: the exit code.
    Raises:
      Failure: it ends early, and why; it may come in a group.
    """
    talk: Conversation | None = None
    code = 0
    try:
        async with open_context() as ctx:
            talk = Conversation(plan, ctx, teller)
            in_time = False
            try:
                with interruption.work():
                    await talk.attach()
                    await _do(talk)
                    in_time = True
            finally:
                await talk.close(in_time=in_time)  # noqa: ASYNC102  # it ends soon, and at once if it is cancelled
    finally:
        if talk is not None:
            code = talk.verdict()
    return code


async def _do(talk: Conversation) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.output.watch)
        await _WHAT_TO_DO.get(talk.plan.kind, _talk_both_ways)(talk)
        nursery.cancel_scope.cancel(reason="all is done")


async def _send_all(talk: Conversation, count: float = math.inf) -> None:
    """Send what is read, to the end; the peers come first."""
    source = talk.source(count=count)
    if source.reads_input:
        invite(talk.teller)
    message = await source.next()
    if message is not None:
        await talk.wait_for_peers(message)
    while message is not None:
        await talk.send(message)
        message = await source.next()


async def _send(talk: Conversation) -> None:
    await _send_all(talk, talk.left)


async def _receive(talk: Conversation) -> None:
    if talk.plan.command is not None:
        await answer_each(talk)
        return
    while talk.left > 0:
        messages = await talk.receive()
        talk.left -= len(messages)
        await talk.write(messages)


async def _request(talk: Conversation) -> None:
    """Send each message and write its reply."""
    assert isinstance(talk.socket, REQ)
    source = talk.source(count=talk.left)
    if source.reads_input:
        invite(talk.teller)
    await talk.wait_for_peers()
    while (message := await source.next()) is not None:
        with talk.limit("no reply came"):
            reply = await talk.socket.request(message)
        await talk.write([reply])


async def _reply(talk: Conversation) -> None:
    """Write each request; the reply is what is read next."""
    if talk.plan.answers:
        await answer_each(talk)
        return
    source = talk.source(count=math.inf)
    while talk.left > 0:
        with talk.limit("nothing arrived"):
            request = await talk.receiver.receive()
        talk.left -= 1
        await talk.write([request])
        reply = await source.next()
        if reply is None:
            return
        await talk.send(reply)


async def _talk_both_ways(talk: Conversation) -> None:
    """Send what is read and write what arrives, until as many have arrived as were asked for."""
    if talk.plan.answers:
        await answer_each(talk)
        return
    send_all = _route_all if talk.plan.kind is ROUTER else _send_all
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_all, talk)
        if talk.left:
            await _receive(talk)
            nursery.cancel_scope.cancel(reason="as many messages have arrived as were asked for")


async def _route_all(talk: Conversation) -> None:
    """Send what is read to those whose routing id it begins with, or to the one target."""
    target = talk.plan.target
    if target is not None:
        await _wait_for(talk, target)
    source = talk.source(count=math.inf)
    while (message := await source.next()) is not None:
        await talk.send(message if target is None else (target, *message))


async def _wait_for(talk: Conversation, target: bytes) -> None:
    monitor = talk.socket.monitor()
    try:
        with talk.limit(f"no peer with the routing id {target!r} came"):
            while target not in [peer.routing_id for peer in talk.socket.peers]:
                await monitor.receive()
    finally:
        monitor.close()


_WHAT_TO_DO: dict[type[Socket], Callable[[Conversation], Awaitable[None]]] = {
    PUSH: _send,
    PUB: _send,
    PULL: _receive,
    SUB: _receive,
    REQ: _request,
    REP: _reply,
}
