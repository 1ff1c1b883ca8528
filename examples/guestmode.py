"""An asyncio program that hosts trio: a REP of triomq answers while asyncio's own tasks go on, in the same thread.

    python guestmode.py [endpoint] [requests]

After so many requests, 3 unless you say otherwise, both are over. hwclient is a client for it.
"""

import asyncio
import sys

import trio

import triomq


class Guest:
    """A trio run that is the guest of the asyncio loop that runs here."""

    def __init__(self, main, *arguments):
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._scope = trio.CancelScope()
        trio.lowlevel.start_guest_run(
            self._run, main, arguments, run_sync_soon_threadsafe=self._loop.call_soon_threadsafe,
            done_callback=self._over.set_result, host_uses_signal_set_wakeup_fd=True,
        )  # fmt: skip

    async def _run(self, main, arguments):
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            return await main(*arguments)

    async def result(self):
        """What trio's main function returns, or raises; when this is cancelled, so is that."""
        try:
            await asyncio.shield(self._over)
        except asyncio.CancelledError:
            self._token.run_sync_soon(self._scope.cancel)
            await self._over
            raise
        return self._over.result().unwrap()


async def serve(endpoint, requests):
    async with triomq.open_context() as ctx, ctx.socket(triomq.REP, bind=endpoint) as rep:
        for _ in range(requests):
            print(f"trio received {(await rep.receive()).text()}", flush=True)
            await rep.send(b"World")
    return requests


async def main(endpoint="tcp://*:5555", requests="3"):
    guest = Guest(serve, endpoint, int(requests))
    print("asyncio goes on", flush=True)
    print(f"trio answered {await guest.result()} requests", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
