"""Majordomo, a client: asks a service by its name, several times at once.

    python mdclient.py [endpoint] [service] [requests] [at once]

For mdbroker.py and mdworker.py, or the guide's (RFC 7). To ask whether there is a worker, as the guide's mmiecho does,
ask the service ``mmi.service`` (RFC 8): it is the first request below.
"""

import sys
from functools import partial

import mdp
import trio

import triomq


async def ask_often(ctx: triomq.Context, broker: str, service: bytes, requests: int) -> None:
    async with mdp.connect(ctx, broker) as client:
        for number in range(requests):
            assert await mdp.ask(client, service, [b"%d" % number]) == [b"%d" % number]


async def main(
    broker: str = "tcp://localhost:5555", service: str = "echo", requests: str = "1000", at_once: str = "10"
) -> None:
    async with triomq.open_context() as ctx:
        async with mdp.connect(ctx, broker) as client:
            (code,) = await mdp.ask(client, b"mmi.service", [service.encode()], tries=10)
            print(f"Lookup of {service}: {code.decode()}", flush=True)
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(int(at_once)):
                nursery.start_soon(ask_often, ctx, broker, service.encode(), int(requests) // int(at_once))
        print(f"{requests} requests in {trio.current_time() - start:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
