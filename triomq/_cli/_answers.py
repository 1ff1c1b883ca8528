"""Messages that are answered by themselves, or by what a command of the shell makes of them."""

from __future__ import annotations

import trio

from .. import REP, ROUTER, Message, SendSocket
from ._conversation import Conversation


async def answer_each(talk: Conversation) -> None:
    """Receive messages and answer them, a bounded number at one time, until the count is reached.

    A socket that sends nothing has its answers on standard output.
    """
    places = trio.Semaphore(1 if isinstance(talk.socket, REP) else talk.plan.jobs)
    async with trio.open_nursery() as nursery:
        while talk.left > 0:
            await places.acquire()
            with talk.limit("nothing arrived"):
                message = await talk.receiver.receive()
            talk.left -= 1
            if talk.plan.command is None:
                await _echo(talk, message)
                places.release()
            else:
                nursery.start_soon(_run, talk, message, talk.plan.command, places)


async def _echo(talk: Conversation, message: Message) -> None:
    await talk.write([message])
    await talk.send(message)


async def _run(talk: Conversation, message: Message, command: str, places: trio.Semaphore) -> None:
    try:
        envelope, body = split_envelope(talk.socket.socket_type, message)
        if isinstance(talk.socket, SendSocket):
            await talk.write([message])
        answer = await _output_of(talk, command, b"\t".join(body))
        if isinstance(talk.socket, SendSocket):
            await talk.send((*envelope, answer))
        else:
            await talk.write([Message([answer])])
    finally:
        places.release()


async def _output_of(talk: Conversation, command: str, data: bytes) -> bytes:
    """Run a command of the shell. Returns: its output, without a newline at its end."""
    done = await trio.run_process(command, shell=True, stdin=data, capture_stdout=True, check=False)
    if done.returncode:
        talk.teller.tell(f"--exec: {command!r} ended with {_ending(done.returncode)}", at=-1)
    output: bytes = done.stdout
    return output.removesuffix(b"\n")


def _ending(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"


def split_envelope(socket_type: str, message: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Where an answer goes, and what it is the answer to.

    The envelope ends with the first empty frame (RFC 28). Without one it is the routing id of a ROUTER, and nothing of
    any other socket.
    """
    first = 1 if socket_type == ROUTER.socket_type else 0
    if socket_type in ("ROUTER", "DEALER") and b"" in message[first:-1]:
        first = message.index(b"", first) + 1
    return message[:first], message[first:]
