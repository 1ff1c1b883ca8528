"""Programs in processes of their own, that cannot outlive their test."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import trio

# Below those that the system gives to whoever asks for any: a program takes a while until it binds. Each worker has its
# own ports, and uses none twice.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = iter(range(10_000 + _worker * 1_000, 32_000))

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Program:
    """A running example: what it has printed so far, and how it ends."""

    def __init__(self, name: str, process: trio.Process) -> None:
        self.name = name
        self.process = process
        self._output = bytearray()

    @property
    def output(self) -> str:
        return self._output.decode()

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()

    async def printed(self, text: str, times: int = 1) -> None:
        """Wait until it has printed this."""
        while self.output.count(text) < times:
            assert await self._read(), f"{self.name} ended without {times} × {text!r}:\n{self.output}"

    async def ended(self) -> list[str]:
        """Wait until it has ended by itself, without complaint; its lines."""
        while await self._read():
            pass
        code = await self.process.wait()
        assert code == 0, f"{self.name} ended with {code}:\n{self.output}"
        assert "Traceback" not in self.output, self.output
        assert "Warning" not in self.output, self.output
        return self.lines

    async def interrupted(self, number: signal.Signals = signal.SIGINT) -> list[str]:
        """Press Ctrl-C; as `ended`."""
        self.process.send_signal(number)
        with trio.fail_after(30):
            return await self.ended()

    async def _read(self) -> bytes:
        assert self.process.stdout is not None
        data = await self.process.stdout.receive_some()
        self._output += data
        return data

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True):
            if self.process.poll() is None:
                self.process.kill()
            await self.process.wait()
            await self.process.stdout.aclose()


@pytest.fixture
def seeded_uuids(monkeypatch: pytest.MonkeyPatch, triomq_seed: int) -> None:
    """The same seed makes the same UUIDs."""
    dice = random.Random(triomq_seed)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=dice.getrandbits(128), version=4))


@pytest.fixture
def sigint_works() -> Iterator[None]:
    """A test run in the background may ignore SIGINT, and its children would inherit that."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
async def start(sigint_works: None, tmp_path: Path) -> AsyncIterator[Callable]:
    """Start an example: ``await start("rrclient", endpoint)``."""
    programs: list[Program] = []
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    environment.pop("PYTHONSAFEPATH", None)  # a program finds its neighbours, as when a user starts it

    async def start_program(name: str, *arguments: object) -> Program:
        command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
        process = await trio.lowlevel.open_process(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path, env=environment
        )
        programs.append(Program(name, process))
        return programs[-1]

    yield start_program
    for program in programs:
        await program.aclose()


@pytest.fixture
def endpoints() -> Callable[[int], list[str]]:
    """So many tcp endpoints that were free a moment ago."""
    return lambda n: [f"tcp://127.0.0.1:{port}" for port in islice(filter(_is_free, _ports), n)]


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
