"""Receives a file in pieces from sendfile.py.

    python receivefile.py file [endpoint]

It asks for ten pieces, and for another one whenever it has written one. If the connection breaks, a piece may come
twice. Each piece says where it belongs, so that does no harm. What an earlier run has written stays.
"""

import sys

import trio

import triomq


async def main(path: str, endpoint: str = "tcp://localhost:5570") -> None:
    await trio.Path(path).touch()
    async with (
        triomq.open_context() as ctx,
        triomq.JobReceiver(ctx, credit=10) as pieces,
        await trio.open_file(path, "r+b") as file,
    ):
        pieces.connect(endpoint)
        async for offset, piece in pieces:
            if not piece:
                await file.truncate(int(offset))
                await pieces.done()
                break
            await file.seek(int(offset))
            await file.write(piece)
    print(f"Received {int(offset)} bytes")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
