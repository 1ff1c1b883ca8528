"""Whose an ipc path is: living owners, left-overs, files of others."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
import trio

from triomq._errors import AddressInUseError, ZmqError
from triomq._options import Options
from triomq._transports import IpcTransport, SocketListener
from triomq._transports import _ipc as ipc_module

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no UNIX domain sockets")

IPC = IpcTransport()
DEFAULTS = Options()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leave_dead_socket(path: str) -> int:
    """What a killed owner leaves; returns the inode."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
    return os.lstat(path).st_ino


def files() -> list[str]:
    return sorted(os.listdir("."))


async def check_it_works(listener: SocketListener) -> None:
    async with await IPC.connect("feed", DEFAULTS) as client, await listener.accept() as server:
        await client.send_all(b"hello")
        assert await server.receive_some() == b"hello"


async def test_a_living_owner_keeps_its_path():
    async with await IPC.listen("feed", DEFAULTS) as listener:
        with pytest.raises(AddressInUseError, match="cannot bind ipc://feed: a living socket listens there") as caught:
            await IPC.listen("feed", DEFAULTS)
        assert caught.value.errno == errno.EADDRINUSE
        assert isinstance(caught.value, ZmqError)
        (await listener.accept()).close()  # the knock at the door
        await check_it_works(listener)


async def test_an_owner_too_busy_to_accept_is_alive():
    async with await IPC.listen("feed", Options(backlog=1)) as listener:
        clients = []
        with pytest.raises(BlockingIOError, match="cannot connect to ipc://feed") as caught:
            while True:
                clients.append(await IPC.connect("feed", DEFAULTS))
        assert caught.value.errno == errno.EAGAIN
        with pytest.raises(AddressInUseError, match="busy"):
            await IPC.listen("feed", DEFAULTS)
        for client in clients:
            client.close()
            (await listener.accept()).close()


async def test_a_dead_owners_path_is_taken_over():
    leave_dead_socket("feed")
    async with await IPC.listen("feed", DEFAULTS) as listener:
        await check_it_works(listener)
    assert files() == []


async def test_a_datagram_socket_is_not_ours_to_remove():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("feed")
        with pytest.raises(AddressInUseError, match="cannot be found out"):
            await IPC.listen("feed", DEFAULTS)
    assert files() == ["feed"]


@pytest.mark.parametrize("kind", ["file", "directory", "symlink", "fifo"])
async def test_what_is_no_socket_is_never_removed(kind):
    if kind == "file":
        os.close(os.open("feed", os.O_CREAT))
    elif kind == "directory":
        os.mkdir("feed")
    elif kind == "symlink":
        leave_dead_socket("target")
        os.symlink("target", "feed")
    else:
        os.mkfifo("feed")
    before = os.lstat("feed")
    with pytest.raises(FileExistsError, match="cannot bind ipc://feed: there is a file that is not a socket"):
        await IPC.listen("feed", DEFAULTS)
    assert os.lstat("feed").st_ino == before.st_ino


async def test_only_our_own_file_is_removed_at_closing():
    async with await IPC.listen("feed", DEFAULTS):
        os.unlink("feed")
        thief = leave_dead_socket("feed")
    assert os.lstat("feed").st_ino == thief


async def test_a_file_that_is_gone_at_closing_is_no_error():
    async with await IPC.listen("feed", DEFAULTS):
        os.unlink("feed")


@pytest.mark.parametrize("moment", [1, 2])
async def test_an_owner_that_goes_while_it_is_looked_at(monkeypatch, moment):
    """The file vanishes after the bind that found it: just before the look at it, or just after."""
    leave_dead_socket("feed")
    look = os.lstat

    def vanish(path, **arguments):
        if not path.endswith(b"/feed"):
            return look(path, **arguments)
        monkeypatch.setattr(os, "lstat", look)
        found = look(path) if moment == 2 else None
        os.unlink("feed")
        return found or look(path)

    monkeypatch.setattr(os, "lstat", vanish)
    async with await IPC.listen("feed", DEFAULTS) as listener:
        await check_it_works(listener)


async def test_a_left_over_that_others_replace_just_then_is_theirs(monkeypatch):
    leave_dead_socket("feed")
    look = ipc_module._look
    looks = 0
    theirs = socket.socket(socket.AF_UNIX)

    def replace(path):
        nonlocal looks
        if path.endswith(b"/feed"):
            looks += 1
            if looks == 2:  # it was tried, and nobody answered
                os.unlink("feed")
                theirs.bind("feed")
                theirs.listen()
        return look(path)

    monkeypatch.setattr(ipc_module, "_look", replace)
    with pytest.raises(AddressInUseError, match="a living socket listens there"):
        await IPC.listen("feed", DEFAULTS)
    theirs.close()


async def test_somebody_who_binds_again_and_again(monkeypatch):
    def in_use(*_):
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(ipc_module, "_bind", in_use)
    with pytest.raises(AddressInUseError, match="keeps binding"):
        await IPC.listen("feed", DEFAULTS)


async def test_of_many_who_take_over_one_wins():
    leave_dead_socket("feed")
    winners, losers = [], []

    async def take_over() -> None:
        try:
            winners.append(await IPC.listen("feed", DEFAULTS))
        except AddressInUseError as exc:
            losers.append(exc)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(take_over)
    assert (len(winners), len(losers)) == (1, 9)
    await winners[0].aclose()


async def test_the_lock_of_the_directory_is_waited_for(autojump_clock):
    import fcntl

    leave_dead_socket("feed")
    descriptor = os.open(".", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def bind() -> None:
            async with await IPC.listen("feed", DEFAULTS):
                assert released

        released = False
        await trio.sleep(0.05)
        released = True
        os.close(descriptor)


async def test_a_lock_that_is_never_released_cannot_keep_us_from_binding(autojump_clock):
    import fcntl

    descriptor = os.open(".", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        async with await IPC.listen("feed", DEFAULTS):
            assert trio.current_time() < 1
        with trio.CancelScope() as scope:
            scope.cancel()
            await IPC.listen("feed", DEFAULTS)
        assert scope.cancelled_caught
        with trio.move_on_after(0.05) as scope:  # in the midst of waiting for the lock
            await IPC.listen("feed", DEFAULTS)
        assert scope.cancelled_caught
    finally:
        os.close(descriptor)
    assert files() == []


async def test_a_file_system_without_locks(monkeypatch):
    import fcntl

    def unsupported(*_):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    async with await IPC.listen("feed", DEFAULTS):
        assert files() == ["feed"]
