"""UNIX domain sockets: ``ipc:///tmp/feed``, ``ipc://*``, ``ipc://@name``.

A bound path is a file that outlives a killed owner, so binding must tell a living owner from a dead one's
left-over. libzmq does not: it removes whatever is at the path, be it a living socket (whose peers then all
reconnect to the newcomer) or a user's file. Here:

* a socket file that answers has a living owner, and binding is refused;
* one that refuses connections is a left-over and is taken over;
* anything else is never touched.

Who binds does so under an advisory lock on the directory (``flock``, released at once), so of several triomq
processes that take over the same left-over exactly one wins, and none mistakes another that has bound but does
not listen yet for a dead one. A program that does not know of the lock, libzmq for one, can still slip in
between the look and the removal: some microseconds. The same holds for the removal at closing, which happens
only while the file is still the one that was bound; our socket is open then, so its inode cannot be another's.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, final

import trio

from .._errors import AddressInUseError, EndpointError, UnsupportedTransportError
from .._options import Options
from ._interface import Transport
from ._listener import SocketListener, configure_buffers, explain
from ._new_socket import new_socket
from ._stream import SocketStream

_MAX_PATH = 107 if sys.platform == "linux" else 103  # bytes in sockaddr_un.sun_path, less the final NUL
_EXAMPLE = "right is for example 'ipc:///tmp/feed' or, to bind a private temporary path, 'ipc://*'"
_SEND_BUFFER = 2 * 1024 * 1024
"""bytes asked for where the option is not given; Linux counts double, so it is what tcp grows to by itself (4 MiB)"""
_ADVICE = {
    errno.ENOENT: "its directory must be there",
    errno.EACCES: "this program must be allowed to write to its directory",
}
_LOCK_TRIES = 20
_LOCK_PAUSE = 0.005  # seconds; the lock is held for microseconds, unless somebody means harm


@final
class IpcTransport(Transport):
    """Streams over UNIX domain sockets.

    Paths may be relative: they are read once, in the directory that is the current one at the call, and reported as
    given, as libzmq does. ``*`` is reported as an absolute path (libzmq: relative to the directory it was bound in).
    ``@name`` is a name in Linux's abstract namespace.
    """

    def check_connect(self, address: str) -> None:
        """Refuse what `connect` could never connect to, without any I/O.

        Raises:
          EndpointError: it is malformed; the text says what is wrong with it.
          UnsupportedTransportError: this platform's Python has no UNIX domain sockets.
        """
        if address == "*":
            raise EndpointError("endpoint 'ipc://*': '*' is for binding; connect to the endpoint that bind returned")
        _encode(address)

    def fix_address(self, address: str) -> str:
        """The address with an absolute path: the program may change its directory before the next attempt."""
        return address if address.startswith("@") else os.fsdecode(_absolute(os.fsencode(address)))

    async def connect(self, address: str, options: Options) -> SocketStream:
        """Make one attempt to connect. Cancellation: nothing stays open.

        Raises:
          EndpointError: the address is malformed.
          OSError: nobody has bound the path (ENOENT), its owner is dead (ECONNREFUSED) or too busy to accept
            (EAGAIN), ….
        """
        if not os.path.isabs(address):  # what `fix_address` made of a relative path may be longer than the limit
            self.check_connect(address)
        endpoint = f"ipc://{address}"
        path = _encoded(address)
        await trio.lowlevel.checkpoint()  # the connect itself never waits
        try:
            return SocketStream(_connect(_within_reach(path), options), endpoint)
        except OSError as exc:
            raise explain(exc, f"cannot connect to {endpoint}") from exc

    async def listen(self, address: str, options: Options) -> SocketListener:
        """Bind and listen. The file is removed when the listener is closed, if it is still the same one.

        Cancellation: nothing stays bound, no file stays.

        Raises:
          EndpointError: the address is malformed.
          AddressInUseError: it has a living owner.
          FileExistsError: there is a file at the path that is not a socket.
          OSError: it cannot be bound for another reason; the text names the endpoint.
        """
        if address == "*":
            return await _listen_temporary(options)
        path = _encode(address)
        if address.startswith("@"):
            await trio.lowlevel.checkpoint()
            return _listen_abstract(address, options)
        absolute = _absolute(path)  # at once: the program may change its directory while this waits
        await trio.lowlevel.checkpoint()
        return await _listen_path(f"ipc://{address}", absolute, options)


def _require_support(endpoint: str) -> None:
    if not hasattr(socket, "AF_UNIX"):
        raise UnsupportedTransportError(f"endpoint {endpoint!r}: this platform has no UNIX domain sockets; use tcp")


def _encode(address: str) -> bytes:
    """The address as the kernel takes it.

    Raises:
      EndpointError: it is malformed.
      UnsupportedTransportError: there are no such sockets here.
    """
    path = _encoded(address)
    if len(path) > _MAX_PATH:
        raise EndpointError(
            f"endpoint {f'ipc://{address}'!r}: the path has {len(path)} bytes, and the system takes {_MAX_PATH} at "
            "the most; use a shorter one, for example relative to the current directory"
        )
    return path


def _encoded(address: str) -> bytes:
    """The address as the kernel takes it, but for its length. Raises: as `_encode`."""
    endpoint = f"ipc://{address}"
    _require_support(endpoint)
    try:
        path = os.fsencode(address)
    except UnicodeEncodeError as exc:
        raise EndpointError(f"endpoint {endpoint!r}: the path cannot be encoded: {exc.reason}; {_EXAMPLE}") from exc
    if not path or b"\0" in path:
        raise EndpointError(f"endpoint {endpoint!r}: the path is empty or has a NUL in it; {_EXAMPLE}")
    if path == b"@":
        raise EndpointError(f"endpoint {endpoint!r}: there is no name after '@'; {_EXAMPLE}")
    if not path.startswith(b"@"):
        return path
    if sys.platform != "linux":
        raise EndpointError(f"endpoint {endpoint!r}: '@' names are Linux's only (write './@…' for a file); {_EXAMPLE}")
    return b"\0" + path[1:]


def _absolute(path: bytes) -> bytes:
    """The path, whatever directory the program changes to. (No `os.path.abspath`: ``..`` of a link is elsewhere.)"""
    try:
        return os.path.join(os.getcwdb(), path)
    except OSError:
        return path  # somebody has removed the current directory: nothing relative to it will ever be found


def _within_reach(path: bytes) -> bytes:
    """A path to the same file that is short enough for the kernel.

    Raises:
      OSError: the file has none, seen from the current directory.
    """
    if len(path) <= _MAX_PATH:
        return path
    short = os.path.relpath(path)
    if len(short) > _MAX_PATH:
        text = f"the path has {len(path)} bytes, and {len(short)} from here; the system takes {_MAX_PATH} at the most"
        raise OSError(errno.ENAMETOOLONG, text)
    return short


def _new_socket(options: Options) -> socket.socket:
    sock = new_socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _configure(sock, options)
    except BaseException:
        sock.close()
        raise
    return sock


def _configure(sock: socket.socket, options: Options) -> None:
    """Set the buffers: the system's default of 208 KiB for ipc is soon full while the peer computes."""
    if options.send_buffer is None:
        with suppress(OSError):  # the system has a smaller limit, and does not cut to it: its default stays
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    configure_buffers(sock, options)


def _connect(path: bytes, options: Options) -> socket.socket:
    sock = _new_socket(options)
    try:
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(path: bytes, options: Options) -> socket.socket:
    sock = _new_socket(options)
    try:
        sock.bind(path)
        try:
            if options.ipc_mode is not None:
                os.chmod(path, options.ipc_mode)  # before listen: nobody has connected yet
            sock.listen(options.backlog)
        except BaseException:
            if not path.startswith(b"\0"):
                _quietly(os.unlink, path)
            raise
    except BaseException:
        sock.close()
        raise
    return sock


def _listener(
    sock: socket.socket, endpoint: str, options: Options, release: Callable[[], None] | None
) -> SocketListener:
    def prepare(accepted: socket.socket, _: Any) -> str:
        _configure(accepted, options)
        return endpoint  # who connects has no name

    return SocketListener(sock, endpoint, prepare, release)


def _listen_abstract(address: str, options: Options) -> SocketListener:
    endpoint = f"ipc://{address}"
    if options.ipc_mode is not None:
        raise EndpointError(
            f"endpoint {endpoint!r}: it has no file that the option ipc_mode could protect; every user of this machine "
            "may connect to an abstract name"
        )
    try:
        return _listener(_bind(_encode(address), options), endpoint, options, None)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise _in_use(endpoint, "a living socket has this name") from exc
        raise explain(exc, f"cannot bind {endpoint}") from exc


async def _listen_temporary(options: Options) -> SocketListener:
    _require_support("ipc://*")
    root = tempfile.gettempdir()
    if len(os.fsencode(os.path.join(root, "triomq-xxxxxxxx", "socket"))) > _MAX_PATH:
        raise EndpointError(f"endpoint 'ipc://*': no room for a path under {root!r}; set TMPDIR to something shorter")
    await trio.lowlevel.checkpoint()
    try:
        directory = tempfile.mkdtemp(prefix="triomq-")  # of mode 0700: who may connect is decided by it
    except OSError as exc:
        raise explain(exc, "cannot make a directory for ipc://*") from exc
    remove_directory = partial(_quietly, os.rmdir, directory)
    try:
        mode = options.ipc_mode or 0
        if mode & 0o077:  # or the directory would keep those out whom the file's mode lets in
            os.chmod(directory, 0o700 | (0o010 if mode & 0o070 else 0) | (0o001 if mode & 0o007 else 0))
        path = os.path.join(directory, "socket")
        return await _listen_path(f"ipc://{path}", os.fsencode(path), options, remove_directory)
    except BaseException:
        remove_directory()
        raise


async def _listen_path(
    endpoint: str, path: bytes, options: Options, then: Callable[[], None] | None = None
) -> SocketListener:
    lock = await _lock_directory(os.path.dirname(path))
    try:
        sock = _bind_or_take_over(_within_reach(path), endpoint, options)
    except (AddressInUseError, FileExistsError):
        raise
    except OSError as exc:
        raise explain(exc, f"cannot bind {endpoint}", _ADVICE) from exc
    finally:
        if lock is not None:
            os.close(lock)
    bound, owner = _look(path), os.getpid()

    def release() -> None:
        if os.getpid() != owner:
            return  # a forked child's copy: the file is the parent's
        found = _look(path)
        if bound is not None and found is not None and os.path.samestat(found, bound):
            _quietly(os.unlink, path)
        if then is not None:
            then()

    return _listener(sock, endpoint, options, release)


def _bind_or_take_over(path: bytes, endpoint: str, options: Options) -> socket.socket:
    for _ in range(3):  # more only if others bind and die here at the same time
        try:
            return _bind(path, options)
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise
        _remove_left_over(path, endpoint)
    raise _in_use(endpoint, "somebody else keeps binding it")


def _remove_left_over(path: bytes, endpoint: str) -> None:
    """Remove a dead owner's socket file; raise for anything else."""
    found = _look(path)
    if found is None:
        return  # its owner has just closed
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(
            errno.EEXIST,
            f"cannot bind {endpoint}: there is a file that is not a socket; remove it yourself, or use another path",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            pass  # its owner is gone: what follows takes it over
        except FileNotFoundError:
            return
        except BlockingIOError:  # the owner has not accepted those before, and its backlog is full
            raise _in_use(endpoint, "a living socket listens there, and is busy") from None
        except OSError as exc:
            raise _in_use(endpoint, f"whether its owner lives cannot be found out ({exc.strerror})") from exc
        else:
            raise _in_use(endpoint, "a living socket listens there")
    again = _look(path)
    # A dead owner's inode number may be given to the next file at once, hence the time.
    if again is not None and os.path.samestat(again, found) and again.st_ctime_ns == found.st_ctime_ns:
        os.unlink(path)


def _in_use(endpoint: str, why: str) -> AddressInUseError:
    return AddressInUseError(errno.EADDRINUSE, f"cannot bind {endpoint}: {why}; close it, or use another path")


def _look(path: bytes) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _quietly(remove: Callable[[Any], None], path: bytes | str) -> None:
    # Somebody has been quicker, or took our rights away: no reason to fail in closing.
    with suppress(OSError):
        remove(path)


async def _lock_directory(directory: bytes) -> int | None:
    """Take the advisory lock; returns the descriptor to close, or None where there is no lock to have.

    It is a courtesy among triomq processes: who keeps it for long cannot keep others from binding.
    """
    if sys.platform == "win32":
        return None
    import fcntl  # not on Windows

    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None  # no such directory (bind will say so), or not readable
    try:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                await trio.sleep(_LOCK_PAUSE)
            except OSError:
                break  # this file system has no locks
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
