"""Sends a file in pieces, as many at a time as the receiver asks for.

    python sendfile.py file [endpoint]

Neither end has more than some pieces in memory, however large the file is, and however slow the other end. If the
connection breaks, or the receiver is started again, the pieces that it has not written are sent again.
"""

import sys

import trio

import triomq

SIZE = 250_000  # bytes of a piece


async def main(path: str, endpoint: str = "tcp://*:5570") -> None:
    async with triomq.open_context() as ctx, triomq.JobSender(ctx, redo=True) as pieces:
        print(f"Sending {path} at {await pieces.bind(endpoint)}")
        async with await trio.open_file(path, "rb") as file:
            offset = 0
            while piece := await file.read(SIZE):
                await pieces.send([str(offset).encode(), piece])
                offset += len(piece)
        await pieces.wait_done()  # the receiver has written them all
        await pieces.send([str(offset).encode(), b""])
    print(f"Sent {offset} bytes")


if __name__ == "__main__":
    try:
        trio.run(main, *sys.argv[1:])
    except* KeyboardInterrupt:
        pass  # Ctrl-C is how one ends it
