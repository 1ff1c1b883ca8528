"""The files of ipc: which path is meant, who may connect, and what a failed bind leaves."""

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

import triomq
from triomq._errors import EndpointError
from triomq._options import Options
from triomq._transports import IpcTransport
from triomq._transports import _ipc as ipc_module

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no UNIX domain sockets")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the abstract namespace is Linux's")

IPC = IpcTransport()
DEFAULTS = Options()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files() -> list[str]:
    return sorted(os.listdir("."))


# -- a relative path is read once --------------------------------------------------------------------


async def test_a_relative_path_is_connected_to_after_a_change_of_directory(monkeypatch):
    os.mkdir("elsewhere")
    fixed = IPC.fix_address("feed")
    monkeypatch.chdir("elsewhere")
    async with await IPC.listen("../feed", DEFAULTS) as listener:
        client = await IPC.connect(fixed, DEFAULTS)
        (await listener.accept()).close(), client.close()
        with pytest.raises(FileNotFoundError):
            await IPC.connect("feed", DEFAULTS)


async def test_what_is_not_relative_is_fixed_already(here):
    assert [IPC.fix_address(address) for address in ("/run/feed", "@feed", "./feed")] == [
        "/run/feed",
        "@feed",
        f"{here}/./feed",
    ]


async def test_a_relative_path_may_be_long_from_the_root(monkeypatch):
    """It is within reach from where it was named, and from nowhere that is too far away."""
    for _ in range(3):
        os.mkdir("d" * 60)
        monkeypatch.chdir("d" * 60)
    fixed = IPC.fix_address("feed")
    async with await IPC.listen("feed", DEFAULTS) as listener:
        client = await IPC.connect(fixed, DEFAULTS)
        (await listener.accept()).close(), client.close()
        monkeypatch.chdir("/")
        with pytest.raises(OSError, match=r"cannot connect to ipc:///.*the system takes") as caught:
            await IPC.connect(fixed, DEFAULTS)
    assert caught.value.errno == errno.ENAMETOOLONG


async def test_a_bind_names_its_path_at_the_call(monkeypatch):
    """Not when it comes to its turn: here the program goes elsewhere meanwhile."""
    os.mkdir("elsewhere")
    lock = ipc_module._lock_directory

    async def leave(directory):
        monkeypatch.chdir("elsewhere")
        return await lock(directory)

    monkeypatch.setattr(ipc_module, "_lock_directory", leave)
    async with await IPC.listen("feed", DEFAULTS):
        assert files() == []
        assert sorted(os.listdir("..")) == ["elsewhere", "feed"]
    assert os.listdir("..") == ["elsewhere"]


async def test_a_directory_that_was_removed_is_no_crash(monkeypatch):
    os.mkdir("gone")
    monkeypatch.chdir("gone")
    os.rmdir("../gone")
    with pytest.raises(FileNotFoundError, match="cannot connect to ipc://feed"):
        await IPC.connect(IPC.fix_address("feed"), DEFAULTS)
    with pytest.raises(FileNotFoundError, match=r"cannot bind ipc://feed: .*; its directory must be there"):
        await IPC.listen("feed", DEFAULTS)


async def test_a_connected_socket_finds_its_peer_again_after_a_change_of_directory(here, monkeypatch):
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH, reconnect_interval_max=0.01)
        await pull.bind("ipc://feed")
        push.connect("ipc://feed")
        await push.wait_peers()
        monkeypatch.chdir("/")
        await pull.aclose()
        pull = ctx.socket(triomq.PULL)
        await pull.bind(f"ipc://{here}/feed")
        with trio.fail_after(5):
            await push.send(b"again")
            assert await pull.receive() == (b"again",)


# -- permissions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o777, 0o000])
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
async def test_ipc_mode_is_the_mode_of_the_file(mode, umask):
    before = os.umask(umask)
    try:
        async with await IPC.listen("feed", Options(ipc_mode=mode)):
            assert stat.S_IMODE(os.lstat("feed").st_mode) == mode
    finally:
        os.umask(before)
    assert files() == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o077, 0o700)])
async def test_without_ipc_mode_the_umask_decides(umask, mode):
    before = os.umask(umask)
    try:
        async with await IPC.listen("feed", DEFAULTS):
            assert stat.S_IMODE(os.lstat("feed").st_mode) == mode
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("mode", "directory_mode"), [(0o600, 0o700), (0o660, 0o710), (0o666, 0o711), (0o606, 0o701), (None, 0o700)]
)
async def test_the_directory_of_a_temporary_path_lets_in_whom_the_mode_lets_in(mode, directory_mode):
    async with await IPC.listen("*", Options(ipc_mode=mode)) as listener:
        path = Path(listener.endpoint.removeprefix("ipc://"))
        assert stat.S_IMODE(path.parent.stat().st_mode) == directory_mode
    assert not path.parent.exists()


async def test_the_mode_is_set_before_anybody_can_connect(monkeypatch):
    listening = []
    chmod = os.chmod

    def look(path, mode):
        with socket.socket(socket.AF_UNIX) as early:
            listening.append(early.connect_ex(path) == 0)
        chmod(path, mode)

    monkeypatch.setattr(os, "chmod", look)
    async with await IPC.listen("feed", Options(ipc_mode=0o600)):
        assert listening == [False]


@linux_only
async def test_an_abstract_name_has_no_mode():
    with pytest.raises(EndpointError, match="no file that the option ipc_mode could protect"):
        await IPC.listen("@triomq-mode", Options(ipc_mode=0o600))


# -- what the system refuses -------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["listen", "chmod"])
@pytest.mark.parametrize("address", ["feed", "*"])
async def test_a_failed_bind_leaves_no_file(here, monkeypatch, address, failing):
    def refuse(*_):
        raise OSError(errno.ENOBUFS, "No buffer space available")

    class Refusing(socket.socket):
        if failing == "listen":
            listen = refuse

    monkeypatch.setattr(ipc_module.socket, "socket", Refusing)
    if failing == "chmod":
        monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(here) if len(str(here)) < 60 else ".")
    with pytest.raises(OSError, match=r"cannot bind ipc://.*No buffer space"):
        await IPC.listen(address, Options(ipc_mode=0o600))
    assert files() == []


async def test_a_refused_option_is_named(monkeypatch):
    class Refusing(socket.socket):
        def setsockopt(self, level, number, value):
            raise OSError(errno.ENOBUFS, "No buffer space available")

    async with await IPC.listen("feed", DEFAULTS):
        monkeypatch.setattr(ipc_module.socket, "socket", Refusing)
        text = "the system refuses the option receive_buffer=7: No buffer space"
        with pytest.raises(OSError, match=f"cannot connect to ipc://feed: {text}"):
            await IPC.connect("feed", Options(receive_buffer=7))
        with pytest.raises(OSError, match=f"cannot bind ipc://other: {text}"):
            await IPC.listen("other", Options(receive_buffer=7))
    assert files() == []
