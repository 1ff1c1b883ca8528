"""Last value cache: a late subscriber gets at once what its topic was last, and then what is new.

    python lvcache.py [publisher] [subscribers]

For pathopub.py and pathosub.py, or the guide's. The cache stands between a publisher and its subscribers. XPUB tells of
each subscription, and the answer is what the cache has below that topic. Everybody who has subscribed there gets the
answer, because PUB knows no single subscriber: a value may come twice, and never an older one after a newer one. A
cache that was started again knows what was published since.
"""

import sys
from functools import partial

import trio

import triomq

SUBSCRIBE = b"\x01"


async def cache(ctx: triomq.Context, publisher: str, subscribers: str) -> None:
    """Serve for ever."""
    values: dict[bytes, triomq.Message] = {}
    async with (
        ctx.socket(triomq.SUB, topics=[b""]) as frontend,
        ctx.socket(triomq.XPUB, xpub_verbose=True) as backend,  # verbose: also of topics that others have already
    ):
        frontend.connect(publisher)
        await backend.bind(subscribers)
        async for socket, message in triomq.merge(frontend, backend):
            if socket is frontend:
                values[message[0]] = message
                await backend.send(message)
            elif message[0].startswith(SUBSCRIBE):
                topic = message[0][1:]
                for value in [value for key, value in values.items() if key.startswith(topic)]:
                    await backend.send(value)


async def main(publisher: str = "tcp://localhost:5557", subscribers: str = "tcp://*:5558") -> None:
    async with triomq.open_context() as ctx:
        await cache(ctx, publisher, subscribers)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
