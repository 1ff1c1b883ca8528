"""A server that has something to do when it is interrupted, by Ctrl-C or SIGTERM.

    python interrupt.py [endpoint]

The guide's sets a flag in a signal handler, and must look at it, and at EINTR, after every call. In trio a signal is
something to wait for, like a message; who waits for it decides what ends. (Where there is nothing to do but end, you
need none of this: Ctrl-C cancels a trio program anyhow.)
"""

import signal
import sys

import trio

import triomq


async def serve(server: triomq.REP) -> None:
    async for _ in server:
        await server.send(b"World")


async def main(endpoint: str = "tcp://*:5555") -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with triomq.open_context() as ctx, ctx.socket(triomq.REP) as server, trio.open_nursery() as nursery:
            print(f"Serving {await server.bind(endpoint)}", flush=True)
            nursery.start_soon(serve, server)
            async for number in signals:
                requests = server.statistics().messages_received
                print(f"{signal.Signals(number).name} received after {requests} requests, closing down", flush=True)
                nursery.cancel_scope.cancel()
                break
    print("Everything is closed")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
