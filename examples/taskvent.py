"""Hands out a hundred tasks, each a number of milliseconds of work: the ventilator of the parallel pipeline.

    python taskvent.py [endpoint] [sink] [tasks] [workers]

The guide's asks its user to press Enter when the workers are ready: whoever connects first would get all the work.
Here ``wait_peers`` knows. Nor does it sleep in the end to let the last tasks out: a socket that is closed lingers.
"""

import random
import sys

import trio

import triomq


async def main(
    endpoint: str = "tcp://*:5557", sink: str = "tcp://localhost:5558", tasks: str = "100", workers: str = "1"
) -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.PUSH) as sender,
        ctx.socket(triomq.PUSH) as start_of_batch,
    ):
        await sender.bind(endpoint)
        start_of_batch.connect(sink)
        print("Waiting for the sink and the workers", flush=True)
        await start_of_batch.wait_peers()
        await sender.wait_peers(int(workers))

        await start_of_batch.send(b"0")
        workloads = [random.randint(1, 100) for _ in range(int(tasks))]
        for workload in workloads:
            await sender.send(str(workload).encode())
        print(f"Sent {tasks} tasks, expected to cost {sum(workloads)} ms", flush=True)


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
