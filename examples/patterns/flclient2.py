"""Freelance, the second model: asks all servers at once, and takes the first answer.

    python flclient2.py [endpoint ...]

For flserver2.py, or the guide's. Dead servers cost nothing; living ones all do the same work. Where the guide sends by
one DEALER, and trusts that it sends to each server once, here each server has a task with a socket of its own, and the
first answer cancels the others. A request begins with its number, which the servers send back.
"""

import itertools
import sys
from collections.abc import Sequence
from functools import partial

import trio

import triomq


class Freelance:
    """The servers, as one. One request at a time."""

    def __init__(self, ctx: triomq.Context, endpoints: Sequence[str]) -> None:
        self._numbers = itertools.count(1)
        self._clients = [ctx.socket(triomq.REQ, linger=0, connect_timeout=1) for _ in endpoints]
        for client, endpoint in zip(self._clients, endpoints, strict=True):
            client.connect(endpoint)

    async def ask(self, body: bytes, seconds: float = 2.5) -> bytes:
        """Ask all. Raises `trio.TooSlowError` if none of them answers in time."""
        request = [b"%d" % next(self._numbers), body]
        answers: list[bytes] = []

        async def ask_one(client: triomq.REQ) -> None:
            number, answer = await client.request(request)
            assert number == request[0]
            answers.append(answer)
            nursery.cancel_scope.cancel()

        with trio.fail_after(seconds):
            async with trio.open_nursery() as nursery:
                for client in self._clients:
                    nursery.start_soon(ask_one, client)
        return answers[0]


async def main(*endpoints: str) -> None:
    async with triomq.open_context() as ctx:
        servers = Freelance(ctx, endpoints or ["tcp://localhost:5555"])
        start = trio.current_time()
        for _ in range(1000):
            await servers.ask(b"random name", seconds=10)
        print(f"Average round trip: {1000 * (trio.current_time() - start):.0f} µs", flush=True)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
