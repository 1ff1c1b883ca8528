"""Majordomo, what its programs share: MDP/0.1 (RFC 7) for a client and for a worker.

mdclient.py and mdworker.py show how to use ``ask`` and ``work``; titanic.py uses both. A client is a lazy pirate that
names a service. A worker is a paranoid pirate that offers one.
"""

from collections.abc import Awaitable, Callable, Sequence

import lpclient
import trio

import triomq

CLIENT, WORKER = b"MDPC01", b"MDPW01"
INTERVAL = 2.5  # seconds between two heartbeats
LIVENESS = 3  # who was silent for that many is dead
PAUSE = 0.5  # seconds before a worker connects again

Body = Sequence[bytes]
Handler = Callable[[Body], Awaitable[Body]]


class Command:
    """What a worker and the broker say to each other."""

    READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"


connect = lpclient.connect


async def ask(client: triomq.REQ, service: bytes, body: Body, seconds: float = 2.5, tries: int = 3) -> Body:
    """Ask a service. Its workers may get the same request more than once.

    Raises:
      trio.TooSlowError: there was no reply to any of the tries.
    """
    header, name, *reply = await lpclient.ask(client, [CLIENT, service, *body], seconds, tries)
    assert (header, name) == (CLIENT, service)
    return reply


async def work(ctx: triomq.Context, broker: str, service: bytes, handle: Handler) -> None:
    """Offer a service for ever: answer each request with what ``handle`` makes of it."""
    while True:
        async with ctx.socket(triomq.DEALER, linger=0) as worker, trio.open_nursery() as nursery:
            worker.connect(broker)
            await worker.send([b"", WORKER, Command.READY, service])
            nursery.start_soon(_beat, worker)
            await _answer(worker, handle)
            nursery.cancel_scope.cancel()
        await trio.sleep(PAUSE)


async def _beat(worker: triomq.DEALER) -> None:
    while True:
        await trio.sleep(INTERVAL)
        await worker.send([b"", WORKER, Command.HEARTBEAT])


async def _answer(worker: triomq.DEALER, handle: Handler) -> None:
    """Work until the broker is silent, or wants us to register again."""
    while True:
        with trio.move_on_after(INTERVAL * LIVENESS) as silence:
            message = await worker.receive()
        if silence.cancelled_caught:
            return
        match message[2:]:
            case (Command.REQUEST, client, b"", *body):
                reply = await handle(body)
                await worker.send([b"", WORKER, Command.REPLY, client, b"", *reply])
            case (Command.DISCONNECT,):
                return
