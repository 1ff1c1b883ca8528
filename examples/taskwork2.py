"""A worker of the parallel pipeline that ends when it is told to: the guide's polls a second socket for that.

    python taskwork2.py [ventilator] [sink] [control]

In trio nobody polls. One task works, another waits for the word and then cancels the first, wherever it is; even in
the middle of a task, where the guide's would first finish. Results already sent still go out: the sockets are closed
outside the cancelled nursery, and linger.
"""

import sys

import trio

import triomq


async def work(tasks: triomq.PULL, results: triomq.PUSH) -> None:
    async for workload in tasks:
        print(f"{workload.text()}.", flush=True)
        await trio.sleep(int(bytes(workload)) / 1000)  # this is the work
        await results.send(b"")


async def main(
    ventilator: str = "tcp://localhost:5557", sink: str = "tcp://localhost:5558", control: str = "tcp://localhost:5559"
) -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.PULL) as tasks,
        ctx.socket(triomq.PUSH) as results,
        ctx.socket(triomq.SUB, topics=[b""]) as commands,
    ):
        tasks.connect(ventilator)
        results.connect(sink)
        commands.connect(control)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work, tasks, results)
            command = await commands.receive()
            print(command.text(), flush=True)
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
