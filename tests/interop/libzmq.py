"""A libzmq peer in another process, as the tests use it: its sockets have the methods that ours have."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import trio

SCRIPT = Path(__file__).with_name("peer.py")
PATIENCE = 60.0  # seconds for one answer of the other process: it is alive, however busy the machine

_names = count()


def _new_serial() -> int:
    return os.getpid() * 1_000_000_000 + next(_names)


class PeerError(Exception):
    """A command failed in the other process; the text says how."""


class PeerProcess:
    """The process itself, which outlives a trio run."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def call_standing_still(self, command: str, **arguments: Any) -> None:
        """Run a command there, and let nothing run here until it has been answered."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        serial = _new_serial()
        os.write(self._popen.stdin.fileno(), json.dumps([serial, command, arguments]).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([self._popen.stdout], [], [], PATIENCE)
            assert ready, f"{command}({arguments}) was not answered"
            answer += os.read(self._popen.stdout.fileno(), 100_000)
        assert json.loads(answer) == {"serial": serial, "result": None}

    def end(self) -> None:
        """Kill the process and forget it."""
        self._popen.kill()
        self._popen.wait()
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.close()
        self._popen.stdout.close()

    @asynccontextmanager
    async def attached(self) -> AsyncIterator[Peer]:
        """Talk to the process from this trio run."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        commands = trio.lowlevel.FdStream(os.dup(self._popen.stdin.fileno()))
        answers = trio.lowlevel.FdStream(os.dup(self._popen.stdout.fileno()))
        async with commands, answers:
            yield Peer(self, commands, answers)


class Peer:
    """Commands to the process; one at a time."""

    def __init__(self, process: PeerProcess, commands: trio.abc.SendStream, answers: trio.abc.ReceiveStream) -> None:
        self._process = process
        self._commands = commands
        self._answers = answers
        self._buffer = b""
        self._serials = count()
        self._lock = trio.Lock()

    async def call(self, command: str, *, patience: float = PATIENCE, **arguments: Any) -> Any:
        """Run a command there, and wait for its answer as long as ``patience``. Raises: PeerError."""
        async with self._lock:
            serial = _new_serial()
            with trio.fail_after(patience):
                await self._commands.send_all(json.dumps([serial, command, arguments]).encode() + b"\n")
                while (answer := json.loads(await self._line()))["serial"] != serial:
                    pass  # the answer to a call that was cancelled
        if "error" in answer:
            raise PeerError(f"{command}({arguments}): {answer['error']}")
        return answer["result"]

    async def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            data = await self._answers.receive_some()
            if not data:
                raise PeerError("the process has ended")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    async def socket(self, kind: str, /, **options: Any) -> Theirs:
        """A socket of libzmq; options by their names in libzmq, bytes as bytes."""
        name = f"{kind}-{next(_names)}"
        plain = {key: _text(value) for key, value in options.items()}
        await self.call("open", name=name, kind=kind, options=plain)
        return Theirs(self, name, kind)

    def call_standing_still(self, command: str, **arguments: Any) -> None:
        """As `call`, but this whole thread stands still until the answer comes."""
        self._process.call_standing_still(command, **arguments)

    def kill(self) -> None:
        self._process.signal(signal.SIGKILL)

    def stop(self) -> None:
        self._process.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.signal(signal.SIGCONT)


@asynccontextmanager
async def own_process() -> AsyncIterator[Peer]:
    """A process for one test, which may do to it what it likes."""
    process = PeerProcess()
    try:
        async with process.attached() as peer:
            yield peer
    finally:
        process.end()


@attrs.frozen
class Theirs:
    """One socket of libzmq."""

    peer: Peer
    name: str
    socket_type: str

    async def bind(self, endpoint: str) -> str:
        return await self.peer.call("bind", name=self.name, endpoint=endpoint)

    async def connect(self, endpoint: str) -> None:
        await self.peer.call("connect", name=self.name, endpoint=endpoint)

    async def disconnect(self, endpoint: str) -> None:
        await self.peer.call("disconnect", name=self.name, endpoint=endpoint)

    async def aclose(self) -> None:
        await self.peer.call("close", name=self.name)

    async def set(self, option: str, value: Any) -> None:
        await self.peer.call("set", name=self.name, option=option, value=_text(value))

    @asynccontextmanager
    async def attentive(self) -> AsyncIterator[None]:
        """Call the socket again and again during the block.

        A bound socket of libzmq takes notice of a new peer, to subscribe or to send a probe, only while it is called.
        """

        async def attend() -> None:
            while True:
                await self.call("attend")
                await trio.sleep(0.005)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(attend)
            yield
            nursery.cancel_scope.cancel()

    async def send(self, message: bytes | Sequence[bytes]) -> None:
        frames = [message] if isinstance(message, bytes) else message
        await self.peer.call("send", name=self.name, message=[_text(frame) for frame in frames])

    async def receive(self) -> tuple[bytes, ...]:
        message = await self.receive_within(PATIENCE / 2)
        assert message is not None, f"nothing arrived at libzmq's {self.socket_type}"
        return message

    async def receive_within(self, seconds: float) -> tuple[bytes, ...] | None:
        """The next message, or None: that proves nothing, one may be on its way."""
        frames = await self.peer.call("receive", name=self.name, timeout=seconds)
        return None if frames is None else _octets(frames)

    @staticmethod
    async def receive_shared(sockets: Sequence[Theirs], count: int) -> list[list[tuple[bytes, ...]]]:
        """That many messages in all, in whichever of the sockets they arrive; for each what it got."""
        names = [socket.name for socket in sockets]
        got = await sockets[0].peer.call("receive_shared", names=names, count=count)
        return [[_octets(frames) for frames in messages] for messages in got]

    async def call(self, command: str, **arguments: Any) -> Any:
        """A command about this socket."""
        return await self.peer.call(command, name=self.name, **arguments)


def _text(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _octets(frames: list[str]) -> tuple[bytes, ...]:
    return tuple(frame.encode("latin-1") for frame in frames)
