"""Majordomo, a worker: offers a service, here an echo. Start several, at any time.

    python mdworker.py [endpoint] [service]

For mdbroker.py and mdclient.py, or the guide's (RFC 7).
"""

import sys
from functools import partial

import mdp
import trio

import triomq


async def echo(body: mdp.Body) -> mdp.Body:
    return body


async def main(broker: str = "tcp://localhost:5555", service: str = "echo") -> None:
    async with triomq.open_context() as ctx:
        await mdp.work(ctx, broker, service.encode(), echo)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
