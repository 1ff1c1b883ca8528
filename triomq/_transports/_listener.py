"""A listening socket as a `triomq.abc.Listener`: what tcp and ipc share."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any, final

import trio

from .._options import Options
from ._interface import Listener
from ._new_socket import accept
from ._stream import SocketStream, shut_down


def explain(exc: OSError, what: str, advice: Mapping[int, str] | None = None) -> OSError:
    """The same error (its class and errno kept) with a text that says what was tried.

    Args:
      advice: what is to be said further, by errno.
    """
    further = (advice or {}).get(exc.errno or 0)
    return type(exc)(exc.errno, f"{what}: {exc.strerror or exc}" + (f"; {further}" if further else ""))


def set_option(sock: socket.socket, level: int, number: int, value: int, option: str) -> None:
    """``setsockopt``, with an error that names our option.

    Raises:
      OSError: the system refuses the value.
    """
    try:
        sock.setsockopt(level, number, value)
    except OSError as exc:
        raise explain(exc, f"the system refuses the option {option}={value}") from exc


def configure_buffers(sock: socket.socket, options: Options) -> None:
    """Set the sizes of the kernel's buffers where the options name them.

    Raises:
      OSError: the system refuses a size.
    """
    if options.send_buffer is not None:
        set_option(sock, socket.SOL_SOCKET, socket.SO_SNDBUF, options.send_buffer, "send_buffer")
    if options.receive_buffer is not None:
        set_option(sock, socket.SOL_SOCKET, socket.SO_RCVBUF, options.receive_buffer, "receive_buffer")


@final
class SocketListener(Listener):
    """Accepts from a bound and listening socket, which it owns.

    Args:
      sock: the socket.
      endpoint: what others connect to.
      prepare: called with each accepted socket and its peer's raw address; sets its options and returns
        the peer's address as text. An OSError of it is one peer's failure.
      release: called once, before the socket is closed; gives back what the endpoint left in the system.
    """

    def __init__(
        self,
        sock: socket.socket,
        endpoint: str,
        prepare: Callable[[socket.socket, Any], str],
        release: Callable[[], None] | None = None,
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._endpoint = endpoint
        self._prepare = prepare
        self._release = release
        self._closed = False

    @property
    def endpoint(self) -> str:
        """The endpoint others connect to; stays readable after closing."""
        return self._endpoint

    def fileno(self) -> int:
        """The file descriptor, or -1 after the listener was closed."""
        return self._sock.fileno()

    def __repr__(self) -> str:
        return f"<SocketListener {self._endpoint}{' closed' if self._closed else ''}>"

    async def accept(self) -> SocketStream:
        """Wait for the next peer. Cancellation: no peer was taken.

        Raises:
          OSError: this one peer could not be accepted (the caller goes on), or, with errno EMFILE,
            ENFILE, ENOBUFS or ENOMEM, the machine lacks something now (the caller waits a moment).
          trio.ClosedResourceError: the listener was closed, before or meanwhile.
          trio.BusyResourceError: another task accepts already.
        """
        # First of all, so that no accepted peer can be lost to a cancellation, and a loop that
        # goes on after an error lets others run.
        await trio.lowlevel.checkpoint()
        while True:
            if self._closed:
                raise trio.ClosedResourceError(f"the listener on {self._endpoint} was closed here")
            try:
                sock, address = accept(self._sock)
            except (BlockingIOError, InterruptedError):
                await trio.lowlevel.wait_readable(self._sock)
            except OSError as exc:
                raise explain(exc, f"cannot accept a connection on {self._endpoint}") from exc
            else:
                return self._stream(sock, address)

    def _stream(self, sock: socket.socket, address: Any) -> SocketStream:
        try:
            return SocketStream(sock, self._prepare(sock, address))
        except OSError as exc:
            sock.close()
            raise explain(exc, f"a peer left {self._endpoint} while it was accepted") from exc
        except BaseException:
            sock.close()
            raise

    def close(self) -> None:
        """Stop listening at once; a task in `accept` gets `trio.ClosedResourceError`.

        Streams that were accepted stay open. Must be called inside the trio run. Closing again does nothing.
        """
        if self._closed:
            return
        self._closed = True
        trio.lowlevel.notify_closing(self._sock)
        try:
            if self._release is not None:
                self._release()
        finally:
            shut_down(self._sock)
            self._sock.close()

    async def aclose(self) -> None:
        """`close`, and a checkpoint; closes even when cancelled."""
        self.close()
        await trio.lowlevel.checkpoint()
