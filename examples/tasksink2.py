"""Collects the results of the parallel pipeline, says how long the batch took, and sends the workers home.

    python tasksink2.py [endpoint] [control] [tasks] [workers]

PUSH and PULL are one-way, so the kill goes over sockets of its own. A PUB drops what nobody has subscribed to:
``wait_subscribers`` makes sure that it is the workers who get it, however short the batch was.
"""

import sys

import trio

import triomq


async def main(
    endpoint: str = "tcp://*:5558", control: str = "tcp://*:5559", tasks: str = "100", workers: str = "1"
) -> None:
    async with (
        triomq.open_context() as ctx,
        ctx.socket(triomq.PULL) as receiver,
        ctx.socket(triomq.PUB) as controller,
    ):
        await receiver.bind(endpoint)
        await controller.bind(control)

        await receiver.receive()  # the start of the batch
        started = trio.current_time()
        for number in range(int(tasks)):
            await receiver.receive()
            print(":" if number % 10 == 0 else ".", end="", flush=True)
        print(f"\nTotal elapsed time: {(trio.current_time() - started) * 1000:.0f} ms")

        await controller.wait_subscribers(b"KILL", int(workers))
        await controller.send(b"KILL")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
