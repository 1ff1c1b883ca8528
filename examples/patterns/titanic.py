"""Titanic: Majordomo for requests that must survive a crash of anybody. It keeps requests and replies on disk.

    python titanic.py [endpoint of the broker] [directory]

For mdbroker.py, mdworker.py and ticlient.py, or the guide's (RFC 9). Titanic is three workers of the broker and a
client of it. A request is on disk, and synced, before its client is told so; its reply, before anybody can ask for it.
After a crash, requests without a reply are made again: a service may get one twice, and none is lost.
"""

import os
import re
import sys
import uuid
from collections import deque
from functools import partial
from pathlib import Path

import mdp
import trio

import triomq

OK, PENDING, UNKNOWN, FAILED = b"200", b"300", b"400", b"500"
RETRY = 1.0  # seconds until a request is made again
in_thread = trio.to_thread.run_sync  # a disk may take its time


class Store:
    """A directory with a file for each request and each reply: what ``save`` has saved is there after a crash."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        closed = [path for path in directory.glob("*.rep") if not path.with_suffix(".req").exists()]
        for path in [*directory.glob("*.new"), *closed]:  # what a crash has left half done
            path.unlink()

    def save(self, name: str, frames: mdp.Body) -> None:
        path, new = self._directory / name, self._directory / f"{name}.new"
        with new.open("w") as file:
            file.writelines(f"{frame.hex()}\n" for frame in frames)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        self._sync()

    def load(self, name: str) -> list[bytes] | None:
        try:
            return [bytes.fromhex(line) for line in (self._directory / name).read_text().splitlines()]
        except FileNotFoundError:
            return None

    def remove(self, number: str) -> None:
        (self._directory / f"{number}.req").unlink(missing_ok=True)  # first: without it, nothing is done again
        (self._directory / f"{number}.rep").unlink(missing_ok=True)
        self._sync()

    def unanswered(self) -> list[str]:
        """The requests without a reply, the oldest first."""
        paths = sorted(self._directory.glob("*.req"), key=lambda path: path.stat().st_mtime_ns)
        return [path.stem for path in paths if not path.with_suffix(".rep").exists()]

    def _sync(self) -> None:
        number = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(number)  # else a new name, or its end, may be forgotten
        finally:
            os.close(number)


class Titanic:
    def __init__(self, ctx: triomq.Context, broker: str, store: Store, nursery: trio.Nursery, patience: float) -> None:
        self._ctx, self._broker, self._store, self._nursery = ctx, broker, store, nursery
        self._patience = patience
        self._queues: dict[bytes, deque[str]] = {}  # by service; each has a task while there is one

    def enqueue(self, number: str, service: bytes) -> None:
        if service in self._queues:
            self._queues[service].append(number)
        else:
            self._queues[service] = deque([number])
            self._nursery.start_soon(self._make_requests, service)

    async def request(self, body: mdp.Body) -> mdp.Body:
        if not body:
            return [UNKNOWN]
        number = uuid.uuid4().hex
        try:
            await in_thread(self._store.save, f"{number}.req", body)
        except OSError as error:
            print(f"Cannot keep a request: {error}", flush=True)
            return [FAILED]
        self.enqueue(number, body[0])
        return [OK, number.encode()]

    async def reply(self, body: mdp.Body) -> mdp.Body:
        number = _number(body)
        if (reply := await in_thread(self._store.load, f"{number}.rep")) is not None:
            return [OK, *reply]
        return [UNKNOWN if await in_thread(self._store.load, f"{number}.req") is None else PENDING]

    async def close(self, body: mdp.Body) -> mdp.Body:
        await in_thread(self._store.remove, _number(body))
        return [OK]

    async def _make_requests(self, service: bytes) -> None:
        """Make the requests for a service, one after the other, until none is left."""
        queue = self._queues[service]
        async with mdp.connect(self._ctx, self._broker) as client:
            while queue:
                request = await in_thread(self._store.load, f"{queue[0]}.req")
                if request is None or await self._make(client, queue[0], request):  # None: closed meanwhile
                    queue.popleft()
                else:
                    queue.rotate(-1)  # another one may fare better
                    await trio.sleep(RETRY)
            del self._queues[service]

    async def _make(self, client: triomq.REQ, number: str, request: list[bytes]) -> bool:
        """Make a request once. Returns: whether there is a reply now."""
        service, *body = request
        try:
            if await mdp.ask(client, b"mmi.service", [service], tries=1) != [OK]:
                return False
            reply = await mdp.ask(client, service, body, self._patience, tries=1)
        except trio.TooSlowError:
            return False
        if await in_thread(self._store.load, f"{number}.req") is not None:  # else it was closed meanwhile
            await in_thread(self._store.save, f"{number}.rep", reply)
        return True


def _number(body: mdp.Body) -> str:
    """What a client says is the number of its request: never a path to somewhere else."""
    number = body[0].decode("ascii", "replace") if body else ""
    return number if re.fullmatch("[0-9a-f]{32}", number) else "unknown"


async def serve(ctx: triomq.Context, broker: str, directory: Path, patience: float = 30.0) -> None:
    """Serve for ever. A worker that takes longer than ``patience`` seconds is asked again."""
    store = Store(directory)
    async with trio.open_nursery() as nursery:
        titanic = Titanic(ctx, broker, store, nursery, patience)
        for number in await in_thread(store.unanswered):
            titanic.enqueue(number, (await in_thread(store.load, f"{number}.req") or [b""])[0])
        nursery.start_soon(mdp.work, ctx, broker, b"titanic.request", titanic.request)
        nursery.start_soon(mdp.work, ctx, broker, b"titanic.reply", titanic.reply)
        nursery.start_soon(mdp.work, ctx, broker, b"titanic.close", titanic.close)


async def main(broker: str = "tcp://localhost:5555", directory: str = ".titanic") -> None:
    async with triomq.open_context() as ctx:
        await serve(ctx, broker, Path(directory))


if __name__ == "__main__":
    try:
        trio.run(partial(main, *sys.argv[1:]))
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
