"""A mesh of brokers: what is published at one is received at all. Publishers and subscribers know the nearest one only.

    python mesh.py [publishers] [subscribers] [brokers] [endpoint of another broker ...]

One broker (examples/wuproxy.py) solves the discovery of any number of publishers and subscribers. Several brokers take
that load, and live on different machines. Each passes on to the other brokers what its own publishers send, and never
what came from a broker; so nothing goes round in circles. Start each with the endpoints that the others have for
brokers. Subscriptions travel the other way, so a topic that nobody wants leaves no broker.
"""

import sys
from collections.abc import Sequence
from functools import partial

import trio

import triomq


async def pump(source: triomq.XSUB | triomq.XPUB, *sinks: triomq.XSUB | triomq.XPUB) -> None:
    async for message in source:
        for sink in sinks:
            await sink.send(message)


async def broker(ctx: triomq.Context, publishers: str, subscribers: str, brokers: str, others: Sequence[str]) -> None:
    """Serve for ever."""
    async with (
        ctx.socket(triomq.XSUB) as from_publishers,
        ctx.socket(triomq.XSUB) as from_brokers,
        ctx.socket(triomq.XPUB) as to_subscribers,
        ctx.socket(triomq.XPUB) as to_brokers,
        trio.open_nursery() as nursery,
    ):
        await from_publishers.bind(publishers)
        await to_subscribers.bind(subscribers)
        await to_brokers.bind(brokers)
        for other in others:
            from_brokers.connect(other)
        nursery.start_soon(pump, from_publishers, to_subscribers, to_brokers)
        nursery.start_soon(pump, from_brokers, to_subscribers)
        nursery.start_soon(pump, to_subscribers, from_publishers, from_brokers)  # these are subscriptions
        nursery.start_soon(pump, to_brokers, from_publishers)


async def main(
    publishers: str = "tcp://*:6001", subscribers: str = "tcp://*:6002", brokers: str = "tcp://*:6003", *others: str
) -> None:
    async with triomq.open_context() as ctx:
        await broker(ctx, publishers, subscribers, brokers, others)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
