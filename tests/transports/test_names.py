"""Names that hang, names that are asked for together, and what a program's own threads notice of them: nothing."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
import trio
import trio.testing

import triomq
from triomq._options import Options
from triomq._transports import TcpTransport
from triomq._transports import _names as names_module
from triomq._transports._names import Names

settled = trio.testing.wait_all_tasks_blocked
HERE = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]


class Resolver:
    """The system's resolver: names with "hang" in them are answered when the test says so."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answer = threading.Event()
        self.error: Exception | None = None

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        if flags & socket.AI_NUMERICHOST:  # trio's first try
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        assert port is None
        name = host.decode()
        self.asked[name] += 1
        if "hang" in name:
            self.answer.wait(30)
        if self.error is not None:
            raise self.error
        return HERE

    async def was_asked(self, for_names: int) -> None:
        """Wait until the threads have begun with so many names."""
        with trio.fail_after(5):
            while len(self.asked) < for_names:
                await trio.lowlevel.checkpoint()


@pytest.fixture
def resolver(monkeypatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    yield resolver
    resolver.answer.set()


async def test_a_name_is_looked_up_once_for_all_who_want_it(resolver):
    names, found = Names(), []

    async def want(port: int) -> None:
        found.append(await names.look_up("hang", port))

    async with trio.open_nursery() as nursery:
        for port in range(1, 6):
            nursery.start_soon(want, port)
        await settled()
        resolver.answer.set()
    assert resolver.asked == {"hang": 1}
    assert sorted(found) == [[(socket.AF_INET, ("127.0.0.1", port))] for port in range(1, 6)]
    await names.look_up("hang", 7)
    assert resolver.asked == {"hang": 2}, "an answer is not kept: it may be another one by then"


async def test_who_gives_up_goes_at_once_and_leaves_its_look_up_to_the_next(resolver):
    names = Names()
    for _ in range(50):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(names.look_up, "hang", 5)
                await settled()
                await resolver.was_asked(1)
                scope.cancel()
    assert resolver.asked == {"hang": 1}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(names.look_up, "hang", 5)
        await settled()
        resolver.answer.set()
    assert resolver.asked == {"hang": 1}


async def test_other_names_and_the_programs_threads_are_not_held_up(resolver):
    names = Names()
    async with trio.open_nursery() as nursery:
        for number in range(names_module._THREADS - 1):
            nursery.start_soon(names.look_up, f"hang{number}", 5)
        await resolver.was_asked(names_module._THREADS - 1)
        assert len(resolver.asked) == names_module._THREADS - 1
        with trio.fail_after(5):
            assert await names.look_up("quick", 5) == [(socket.AF_INET, ("127.0.0.1", 5))]
            await trio.to_thread.run_sync(lambda: None)
        assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
        resolver.answer.set()


async def test_a_name_beyond_the_threads_waits_and_may_be_given_up(resolver, monkeypatch):
    monkeypatch.setattr(names_module, "_THREADS", 1)
    names = Names()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(names.look_up, "hang", 5)
        await resolver.was_asked(1)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as waiting:
                waiting.start_soon(names.look_up, "quick", 5)
                await settled()
                scope.cancel()
        for _ in range(3):  # when it comes to their turn, one look-up serves them all, or each has its own: in order
            nursery.start_soon(names.look_up, "next", 5)
        await settled()
        assert resolver.asked == {"hang": 1}
        resolver.answer.set()
    assert resolver.asked["next"] >= 1
    assert resolver.asked["quick"] == 0
    await names.look_up("quick", 5)
    assert resolver.asked["quick"] == 1


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_AGAIN, "try again"), UnicodeError("no name")])
async def test_everybody_gets_an_error_of_their_own(resolver, error):
    names, caught = Names(), []
    resolver.error = error

    async def want() -> None:
        with pytest.raises(type(error), match=str(error.args[-1])) as info:
            await names.look_up("hang", 5)
        caught.append(info.value)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(want)
        await settled()
        resolver.answer.set()
    assert len({id(one) for one in caught}) == 3
    assert resolver.asked == {"hang": 1}


async def test_no_thread_is_a_failed_look_up(resolver, monkeypatch):
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    names = Names()
    with monkeypatch.context() as shortage:
        shortage.setattr(trio.lowlevel, "start_thread_soon", refuse)
        for _ in range(names_module._THREADS + 1):  # no place is lost by it
            with pytest.raises(OSError, match="no thread can be started to look up 'quick': can't start new thread"):
                await names.look_up("quick", 5)
    assert await names.look_up("quick", 5)


async def test_a_dialer_outlives_a_shortage_of_threads(monkeypatch):
    start = trio.lowlevel.start_thread_soon
    failures = [RuntimeError("can't start new thread")] * 3

    def scarce(function, deliver, name=None):
        if failures:
            raise failures.pop()
        start(function, deliver, name)

    monkeypatch.setattr(trio.lowlevel, "start_thread_soon", scarce)
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, reconnect_interval_max=0.01)
        monitor = push.monitor()
        push.connect((await pull.bind("tcp://127.0.0.1:0")).replace("127.0.0.1", "localhost"))
        with trio.fail_after(5):
            await push.wait_peers()
            failed = await monitor.receive()
    assert isinstance(failed, triomq.ConnectFailed)
    assert "no thread can be started" in str(failed.error)
    assert failures == []


def test_a_transport_may_serve_several_runs(resolver):
    """The look-up of a run that has ended is nobody's any more."""
    names = Names()

    async def give_up() -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(names.look_up, "hang", 5)
                await resolver.was_asked(1)
                scope.cancel()

    trio.run(give_up)
    resolver.answer.set()
    assert trio.run(names.look_up, "hang", 5) == [(socket.AF_INET, ("127.0.0.1", 5))]
    assert resolver.asked["hang"] == 2


async def test_an_international_name_is_asked_for_as_trio_does(resolver):
    """By IDNA 2008, in which "ß" stays what it is; that of 2003, Python's own, would ask for "strasse"."""
    await Names().look_up("straße.example", 5)
    assert resolver.asked == {"xn--strae-oqa.example": 1}


async def test_a_programs_own_resolver_is_asked_and_stays(resolver):
    class Own(trio.abc.HostnameResolver):
        async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
            await trio.lowlevel.checkpoint()
            return [(socket.AF_INET, type, 6, "", ("127.0.0.9", port))]

        async def getnameinfo(self, sockaddr, flags):
            raise AssertionError

    own = Own()
    trio.socket.set_custom_hostname_resolver(own)
    assert await Names().look_up("anything", 5) == [(socket.AF_INET, ("127.0.0.9", 5))]
    assert trio.socket.set_custom_hostname_resolver(None) is own
    assert resolver.asked == {}


async def test_binding_to_a_name_that_hangs_can_be_given_up(resolver):
    tcp = TcpTransport()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tcp.listen, "hang:0", Options())
            nursery.start_soon(tcp.connect, "hang:5", Options())
            nursery.start_soon(tcp.connect, "hang:0;127.0.0.1:5", Options())  # a source that is a name
            await settled()
            await resolver.was_asked(1)
            scope.cancel()
    assert resolver.asked == {"hang": 1}
