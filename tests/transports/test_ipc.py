"""ipc with real sockets and files."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import tempfile
from pathlib import Path

import pytest
import trio
import trio.testing

from triomq._errors import AddressInUseError, EndpointError, UnsupportedTransportError
from triomq._options import Options
from triomq._transports import IpcTransport, SocketListener, SocketStream
from triomq._transports import _ipc as ipc_module

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no UNIX domain sockets")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the abstract namespace is Linux's")

IPC = IpcTransport()
DEFAULTS = Options()
LIMIT = 107 if sys.platform == "linux" else 103


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """Paths in these tests are relative to a directory of their own, or they might be too long."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def meet(listener: SocketListener) -> tuple[SocketStream, SocketStream]:
    client = await IPC.connect(listener.endpoint.removeprefix("ipc://"), DEFAULTS)
    server = await listener.accept()
    await client.send_all(b"hello")
    assert await server.receive_some() == b"hello"
    assert client.peer == server.peer == listener.endpoint
    return client, server


def files() -> list[str]:
    return sorted(os.listdir("."))


@pytest.mark.parametrize("path", ["feed", "./feed", "sub/feed", "with space and ünïcode", "./@file"])
async def test_a_path_is_reported_as_given_and_removed_at_closing(path):
    os.mkdir("sub")
    async with await IPC.listen(path, DEFAULTS) as listener:
        assert listener.endpoint == f"ipc://{path}"
        assert stat.S_ISSOCK(os.lstat(path).st_mode)
        client, server = await meet(listener)
        client.close(), server.close()
    assert (files(), os.listdir("sub")) == (["sub"], [])


async def test_an_absolute_path(here):
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/feed"
        async with await IPC.listen(path, DEFAULTS) as listener:
            assert listener.endpoint == f"ipc://{path}"
            client, server = await meet(listener)
            client.close(), server.close()
        assert os.listdir(directory) == []


async def test_a_relative_path_is_removed_after_a_change_of_directory(monkeypatch):
    os.mkdir("elsewhere")
    async with await IPC.listen("feed", DEFAULTS):
        monkeypatch.chdir("elsewhere")
        os.mkdir("feed")  # not ours
    assert files() == ["feed"]
    assert os.listdir("..") == ["elsewhere"]


async def test_a_temporary_path_is_in_a_private_directory_and_goes_with_it():
    async with await IPC.listen("*", DEFAULTS) as listener:
        path = Path(listener.endpoint.removeprefix("ipc://"))
        assert path.is_absolute()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        client, server = await meet(listener)
        client.close(), server.close()
    assert not path.parent.exists()


async def test_a_temporary_directory_that_somebody_uses_stays():
    async with await IPC.listen("*", DEFAULTS) as listener:
        directory = Path(listener.endpoint.removeprefix("ipc://")).parent
        (directory / "other").touch()
    assert [path.name for path in directory.iterdir()] == ["other"]
    (directory / "other").unlink()
    directory.rmdir()


async def test_no_room_for_a_temporary_path(here, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * LIMIT)
    with pytest.raises(EndpointError, match="TMPDIR"):
        await IPC.listen("*", DEFAULTS)
    monkeypatch.setattr(tempfile, "tempdir", "missing")
    with pytest.raises(FileNotFoundError, match=r"ipc://\*"):
        await IPC.listen("*", DEFAULTS)


async def test_a_temporary_path_that_cannot_be_bound_leaves_no_directory(here, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", ".")
    monkeypatch.setattr(ipc_module, "_bind", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        await IPC.listen("*", DEFAULTS)
    assert caught.value.errno == errno.ENOSPC
    assert files() == []


@linux_only
async def test_an_abstract_name():
    name = f"@triomq-test-{os.getpid()}"
    async with await IPC.listen(name, DEFAULTS) as listener:
        assert listener.endpoint == f"ipc://{name}"
        client, server = await meet(listener)
        client.close(), server.close()
        with pytest.raises(AddressInUseError, match=f"cannot bind ipc://{name}: a living socket") as caught:
            await IPC.listen(name, DEFAULTS)
        assert caught.value.errno == errno.EADDRINUSE
    assert files() == []
    with pytest.raises(ConnectionRefusedError):
        await IPC.connect(name, DEFAULTS)


@linux_only
async def test_other_errors_of_binding_an_abstract_name_pass(monkeypatch):
    def refuse(*_):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(ipc_module, "_bind", refuse)
    with pytest.raises(PermissionError, match="cannot bind ipc://@name: Permission denied"):
        await IPC.listen("@name", DEFAULTS)


async def test_abstract_names_are_linuxs_only(monkeypatch):
    monkeypatch.setattr(ipc_module.sys, "platform", "darwin")
    with pytest.raises(EndpointError, match="Linux's only"):
        IPC.check_connect("@name")


@pytest.mark.parametrize("path", ["x" * LIMIT, "ü" * (LIMIT // 2)])
async def test_the_longest_path(path):
    async with await IPC.listen(path, DEFAULTS) as listener:
        client, server = await meet(listener)
        client.close(), server.close()


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("", "empty"),
        ("a\0b", "NUL"),
        ("x" * (LIMIT + 1), f"has {LIMIT + 1} bytes, and the system takes {LIMIT}"),
        ("ü" * LIMIT, f"has {2 * LIMIT} bytes"),
        ("@", "no name after '@'"),
        pytest.param("@" + "x" * LIMIT, "bytes", marks=linux_only),
        ("\ud800", "cannot be encoded"),
    ],
)
async def test_malformed_paths_are_refused_by_every_call(address, complaint):
    for refused in (
        lambda: IPC.listen(address, DEFAULTS),
        lambda: IPC.connect(address, DEFAULTS),
    ):
        with pytest.raises(EndpointError, match=complaint):
            await refused()
    with pytest.raises(EndpointError, match=complaint):
        IPC.check_connect(address)


async def test_any_path_is_for_binding_only():
    with pytest.raises(EndpointError, match="the endpoint that bind returned"):
        IPC.check_connect("*")
    with pytest.raises(EndpointError):
        await IPC.connect("*", DEFAULTS)


async def test_a_platform_without_unix_sockets(monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    for address in ("feed", "*"):
        with pytest.raises(UnsupportedTransportError, match="no UNIX domain sockets"):
            await IPC.listen(address, DEFAULTS)
    with pytest.raises(UnsupportedTransportError, match="use tcp"):
        IPC.check_connect("feed")
    with pytest.raises(UnsupportedTransportError):
        await IPC.connect("feed", DEFAULTS)


async def test_nobody_there_is_an_os_error():
    with pytest.raises(FileNotFoundError, match="cannot connect to ipc://feed: "):
        await IPC.connect("feed", DEFAULTS)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind("feed")
    with pytest.raises(ConnectionRefusedError, match="cannot connect to ipc://feed: "):
        await IPC.connect("feed", DEFAULTS)


async def test_a_directory_that_is_not_there():
    with pytest.raises(FileNotFoundError, match="cannot bind ipc://missing/feed: "):
        await IPC.listen("missing/feed", DEFAULTS)


@pytest.mark.parametrize("address", ["feed", "*", pytest.param("@triomq-cancelled", marks=linux_only)])
async def test_a_cancelled_bind_leaves_nothing(address, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", ".")
    with trio.CancelScope() as scope:
        scope.cancel()
        await IPC.listen(address, DEFAULTS)
    assert scope.cancelled_caught
    assert files() == []


async def test_a_cancelled_connect_leaves_nothing():
    async with await IPC.listen("feed", DEFAULTS):
        with trio.CancelScope() as scope:
            scope.cancel()
            await IPC.connect("feed", DEFAULTS)
        assert scope.cancelled_caught


async def test_buffer_sizes_are_set():
    options = Options(send_buffer=30_000, receive_buffer=40_000)
    async with await IPC.listen("feed", options) as listener:
        client = await IPC.connect("feed", options)
        server = await listener.accept()
        for stream in (client, server):
            sock = socket.socket(fileno=stream.fileno())
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (30_000, 60_000)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (40_000, 80_000)
            sock.detach()
            stream.close()


def send_buffer_of(stream: SocketStream) -> int:
    sock = socket.socket(fileno=stream.fileno())
    try:
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    finally:
        sock.detach()


async def test_the_send_buffer_is_not_the_small_one_of_the_system():
    """Of both sides: the system gives an accepted socket its default, whatever the listening one has."""
    with socket.socket(socket.AF_UNIX) as plain:
        small = plain.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    async with await IPC.listen("feed", DEFAULTS) as listener:
        client = await IPC.connect("feed", DEFAULTS)
        server = await listener.accept()
        try:
            assert send_buffer_of(client) == send_buffer_of(server) > small
        finally:
            client.close(), server.close()


async def test_a_system_that_gives_no_large_buffer_is_no_fault(monkeypatch):
    class Small(socket.socket):
        def setsockopt(self, level, number, value):
            raise OSError(errno.ENOBUFS, "No buffer space available")

    monkeypatch.setattr(ipc_module.socket, "socket", Small)
    async with await IPC.listen("feed", DEFAULTS) as listener:
        client, server = await meet(listener)
        client.close(), server.close()
