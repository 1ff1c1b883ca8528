"""Bridges two networks: takes the weather from the inner one and publishes it on the outer one.

    python wuproxy.py [weather server] [endpoint]

The guide's sits between tcp://192.168.55.210:5556 and tcp://10.1.1.0:8100; give your own two. Subscriptions travel
upstream as messages: XPUB receives them, the proxy moves them, XSUB sends them on. So only the weather that somebody
out there wants crosses the bridge.
"""

import sys

import trio

import triomq


async def main(weather: str = "tcp://localhost:5556", endpoint: str = "tcp://*:8100") -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.XSUB) as frontend,
        ctx.socket(triomq.XPUB) as backend,
    ):
        frontend.connect(weather)
        await backend.bind(endpoint)
        await triomq.proxy(frontend, backend)


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
