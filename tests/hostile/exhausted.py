"""A program that runs out of file descriptors while its sockets are in use, and says how they fare."""

from __future__ import annotations

import errno
import os
import resource
import socket
import time

import trio

import triomq

CALLERS = 5
WHILE = 0.6  # seconds without descriptors


def take_all_descriptors() -> list[int]:
    taken = []
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        return taken


async def exchange(push: triomq.PUSH, pull: triomq.PULL, number: int) -> None:
    await push.send(b"%d" % number)
    with trio.fail_after(2):
        assert await pull.receive() == (b"%d" % number,)


async def main() -> None:
    async with triomq.open_context() as ctx:
        pull, push, late = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH), ctx.socket(triomq.PUSH)
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        push.connect(endpoint)
        await pull.wait_peers()
        accepting, dialling = pull.monitor(), late.monitor()
        callers = [socket.socket() for _ in range(CALLERS)]
        taken = take_all_descriptors()

        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", int(endpoint.rsplit(":", 1)[1])))
        late.connect(endpoint)
        began, worked, number = time.monotonic(), time.process_time(), 0
        while time.monotonic() < began + WHILE:
            await exchange(push, pull, number)
            number += 1
            await trio.sleep(0.01)
        assert number > 10
        assert time.process_time() - worked < WHILE / 2, "it spins"
        shortages = []
        while len(shortages) < 2:
            event = accepting.receive_nowait()
            assert isinstance(event, triomq.AcceptFailed)
            assert isinstance(event.error, OSError)
            assert event.error.errno == errno.EMFILE
            assert event.retry_in > 0
            shortages.append(event)
        failed = dialling.receive_nowait()
        assert isinstance(failed, triomq.ConnectFailed)

        for descriptor in taken:
            os.close(descriptor)
        with trio.fail_after(5):
            connected = 0
            while connected < CALLERS + 1:
                connected += isinstance(await accepting.receive(), triomq.Connected)
            await pull.wait_peers(2)
        await exchange(late, pull, number)
        await exchange(push, pull, number + 1)
        for caller in callers:
            caller.close()
    print("well")


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
    trio.run(main)
