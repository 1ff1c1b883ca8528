"""Looking up host names, where a look-up may hang.

Theory of operation

The system's resolver blocks its thread until a DNS server answers or everybody gives up, which may be half a minute for
each name, and nothing can stop it. So three things hold here:

* The threads are not those of `trio.to_thread`, whose number is limited: the program needs these for its own work.
* A name is looked up by one thread at a time. Whoever wants the name meanwhile waits for that thread. Attempts that are
  given up and begun again would otherwise gather threads.
* A task that is cancelled goes at once. The thread goes on, and its answer is for the tasks that wait by then.

No task is needed for that: the thread delivers its answer by `trio.lowlevel.TrioToken.run_sync_soon`.
"""

from __future__ import annotations

import copy
import errno
import socket
from typing import Any, TypeAlias, final
from weakref import WeakKeyDictionary

import trio

_THREADS = 200
"""names looked up at one time; a thread has a descriptor open while it asks, and 1024 are usual for a process"""

Address: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]


@final
class Names:
    """Looks up names in threads of its own."""

    def __init__(self) -> None:
        self._runs: WeakKeyDictionary[trio.lowlevel.TrioToken, _LookUps] = WeakKeyDictionary()

    async def look_up(self, name: str, port: int) -> list[Address]:
        """Find the addresses of a host name.

        A resolver that the program has set with `trio.socket.set_custom_hostname_resolver` is asked instead.

        Cancellation: returns at once; the look-up goes on in its thread.
        Raises:
          OSError: there is no such name, or no answer, or no thread.
          UnicodeError: it is not a name.
        """
        if _has_custom_resolver():
            answers = await trio.socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            return [(answer[0], answer[4]) for answer in answers]
        token = trio.lowlevel.current_trio_token()
        look_ups = self._runs.get(token)
        if look_ups is None:
            look_ups = self._runs[token] = _LookUps()
        return [(family, (address[0], port, *address[2:])) for family, address in await look_ups.ask(name)]


class _LookUp:
    """One look-up under way."""

    def __init__(self) -> None:
        self.done = trio.Event()
        self.answers: list[Address] = []
        self.error: Exception | None = None


class _LookUps:
    """The look-ups of one trio run."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(_THREADS)
        self._under_way: dict[str, _LookUp] = {}

    async def ask(self, name: str) -> list[Address]:
        if name not in self._under_way:
            place = _LookUp()
            await self._limiter.acquire_on_behalf_of(place)
            if name in self._under_way:  # somebody else has begun meanwhile
                self._limiter.release_on_behalf_of(place)
            else:
                self._begin(name, place)
        else:
            await trio.lowlevel.checkpoint_if_cancelled()
        look_up = self._under_way[name]
        await look_up.done.wait()
        if look_up.error is not None:
            raise copy.copy(look_up.error)  # several tasks may raise it: each has a traceback of its own
        return look_up.answers

    def _begin(self, name: str, look_up: _LookUp) -> None:
        token = trio.lowlevel.current_trio_token()

        def ask_system() -> None:
            try:
                look_up.answers = _ask_system(name)
            except Exception as exc:  # whoever waits raises it
                look_up.error = exc

        def finish() -> None:
            del self._under_way[name]
            self._limiter.release_on_behalf_of(look_up)
            look_up.done.set()

        def deliver(_: object) -> None:
            try:
                token.run_sync_soon(finish)
            except trio.RunFinishedError:
                pass  # nobody waits any more

        try:
            trio.lowlevel.start_thread_soon(ask_system, deliver, f"triomq looks up {name}")
        except RuntimeError as exc:
            self._limiter.release_on_behalf_of(look_up)
            raise OSError(errno.EAGAIN, f"no thread can be started to look up {name!r}: {exc}") from exc
        self._under_way[name] = look_up


def _has_custom_resolver() -> bool:
    resolver = trio.socket.set_custom_hostname_resolver(None)  # trio has no other way to ask
    trio.socket.set_custom_hostname_resolver(resolver)
    return resolver is not None


def _ask_system(name: str) -> list[Address]:
    """Blocks; in a thread only."""
    encoded = name.encode("ascii") if name.isascii() else trio.run(_encode, name)
    return [(answer[0], answer[4]) for answer in socket.getaddrinfo(encoded, None, type=socket.SOCK_STREAM)]


class _Encoder(trio.abc.HostnameResolver):
    """Is asked for names as trio encodes them."""

    encoded: bytes

    async def getaddrinfo(self, host: bytes | None, *_: object, **__: object) -> Any:
        assert host is not None
        self.encoded = host
        await trio.lowlevel.checkpoint()
        return []

    async def getnameinfo(self, *_: object) -> Any:
        raise NotImplementedError


async def _encode(name: str) -> bytes:
    """An international name as IDNA 2008 writes it. Python's own codec is of 2003, and may mean another host."""
    encoder = _Encoder()
    trio.socket.set_custom_hostname_resolver(encoder)
    await trio.socket.getaddrinfo(name, None)
    return encoder.encoded
