"""A program that runs out of file descriptors while its sockets are in use, and says how they fare."""

from __future__ import annotations

import errno
import os
import resource
import socket

import trio

import triomq

CALLERS = 5
PATIENCE = 60.0  # seconds after which it hangs


class StepsOfOthers(trio.abc.Instrument):
    """Counts the steps of all tasks but the one that made this."""

    def __init__(self) -> None:
        self.taken = 0
        self._own = trio.lowlevel.current_task()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `trio.abc.Instrument`."""
        self.taken += task is not self._own


def take_all_descriptors() -> list[int]:
    taken = []
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        return taken


async def exchange(push: triomq.PUSH, pull: triomq.PULL, number: int) -> None:
    await push.send(b"%d" % number)
    with trio.fail_after(PATIENCE):
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
        steps, exchanges = StepsOfOthers(), 0
        trio.lowlevel.add_instrument(steps)
        shortages: list[triomq.MonitorEvent] = []
        while len(shortages) < 2:  # told of, waited for, and met again
            await exchange(push, pull, exchanges)
            exchanges += 1
            for _ in range(100):  # what spins runs in each of these turns
                await trio.lowlevel.checkpoint()
            try:
                shortages.append(accepting.receive_nowait())
            except trio.WouldBlock:
                pass
        trio.lowlevel.remove_instrument(steps)
        assert exchanges > 1
        assert steps.taken < 20 * exchanges, "it spins"
        for event in shortages:
            assert isinstance(event, triomq.AcceptFailed)
            assert isinstance(event.error, OSError)
            assert event.error.errno == errno.EMFILE
            assert event.retry_in > 0
        with trio.fail_after(PATIENCE):
            failed = await dialling.receive()
        assert isinstance(failed, triomq.ConnectFailed)

        for descriptor in taken:
            os.close(descriptor)
        with trio.fail_after(PATIENCE):
            connected = 0
            while connected < CALLERS + 1:
                connected += isinstance(await accepting.receive(), triomq.Connected)
            await pull.wait_peers(2)
        await exchange(late, pull, exchanges)
        await exchange(push, pull, exchanges + 1)
        for caller in callers:
            caller.close()
    print("well")


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
    trio.run(main)
