"""Subscribes to the weather of one place and prints its average temperature.

    python wuclient.py [endpoint] [zipcode] [updates]

The publisher filters: what nobody has subscribed to is not even sent. A topic is a prefix, hence the space after the
zipcode.
"""

import sys

import trio

import triomq


async def main(endpoint: str = "tcp://localhost:5556", zipcode: str = "10001", updates: str = "100") -> None:
    temperatures = []
    async with triomq.open_context() as ctx, ctx.socket(triomq.SUB, topics=[f"{zipcode} "]) as subscriber:
        subscriber.connect(endpoint)
        async for update in subscriber:
            temperatures.append(int(update.text().split()[1]))
            if len(temperatures) == int(updates):
                break
    average = sum(temperatures) / len(temperatures)
    print(f"Average temperature for zipcode {zipcode} was {average:.0f}F, in {len(temperatures)} updates")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
