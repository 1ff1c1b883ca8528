"""Titanic, a client: leaves a request, and comes for the reply later, as often as need be.

    python ticlient.py [endpoint of the broker] [service] [text]

For titanic.py, or the guide's (RFC 9). Between the two steps the client may end, if it keeps the number: anybody who
knows the number can fetch the reply, once the worker, the broker and Titanic have all been there.
"""

import sys
from functools import partial

import mdp
import trio

import triomq

OK, PENDING = b"200", b"300"


async def leave(client: triomq.REQ, service: bytes, body: mdp.Body, tries: int = 3) -> bytes:
    """Leave a request. Returns: its number. It may be made more than once."""
    status, *number = await mdp.ask(client, b"titanic.request", [service, *body], tries=tries)
    if status != OK:
        raise RuntimeError(f"Titanic cannot keep the request: {status.decode()}")
    return number[0]


async def fetch(client: triomq.REQ, number: bytes, seconds: float = 1.0, tries: int = 3) -> mdp.Body:
    """Wait for the reply, looking every so many seconds, and let Titanic forget it."""
    while True:
        status, *reply = await mdp.ask(client, b"titanic.reply", [number], tries=tries)
        if status == OK:
            await mdp.ask(client, b"titanic.close", [number], tries=tries)
            return reply
        if status != PENDING:
            raise LookupError(f"Titanic does not know request {number.decode()}: {status.decode()}")
        await trio.sleep(seconds)


async def main(broker: str = "tcp://localhost:5555", service: str = "echo", text: str = "Hello world") -> None:
    async with triomq.open_context() as ctx, mdp.connect(ctx, broker) as client:
        number = await leave(client, service.encode(), [text.encode()], tries=10)
        print(f"Request {number.decode()}", flush=True)
        reply = await fetch(client, number, tries=10)
        print(f"Reply {b' '.join(reply).decode()}", flush=True)


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
