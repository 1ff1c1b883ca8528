"""TCP: ``tcp://host:port``.

What is bound with ``*`` is reported as ``tcp://0.0.0.0:port``, also where it listens on IPv6 as well:
libzmq reports ``tcp://[::]:port`` for a dual-stack socket, and a libzmq peer without its IPV6 option
can never connect to that, while ``0.0.0.0`` works for every peer on the machine.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, final

import trio

from .._errors import AddressInUseError
from .._options import Options
from ._interface import Transport
from ._listener import SocketListener, configure_buffers, explain, set_option
from ._names import Names
from ._new_socket import new_socket
from ._pacing import unpace
from ._stream import SocketStream
from ._tcp_address import Target, TcpAddress, format_address, parse_bind, parse_connect, resolve

_STAGGER = 0.25  # seconds before the next address is tried beside one that does not answer (RFC 8305 §5)
_ADVICE = {
    errno.EADDRNOTAVAIL: "this machine has no such address; tcp://*:PORT binds all that it has",
    socket.EAI_NONAME: "no interface and no host has this name; tcp://*:PORT binds all addresses of this machine",
    errno.EACCES: "ports below 1024 are for privileged programs",
}


@final
class TcpTransport(Transport):
    """Streams over TCP, IPv4 and (with the option ``ipv6``, the default) IPv6."""

    def __init__(self) -> None:
        self._names = Names()

    def check_connect(self, address: str) -> None:
        """Refuse what `connect` could never connect to, without any I/O.

        Raises:
          EndpointError: it is malformed; the text says what is wrong with it.
        """
        parse_connect(address)

    async def connect(self, address: str, options: Options) -> SocketStream:
        """Make one attempt to connect: every address of the host, staggered, until one answers.

        Names are resolved afresh; numbers without a thread. Cancellation: nothing stays open; a look-up that hangs goes
        on in its thread.

        Raises:
          EndpointError: the address is malformed.
          OSError: no address of the host could be connected to.
        """
        parsed = parse_connect(address)
        try:
            routes = await _routes(parsed, options, self._names)
            return await _first(routes, partial(_attempt, options=options))
        except OSError as exc:
            raise explain(exc, f"cannot connect to tcp://{address}") from exc

    async def listen(self, address: str, options: Options) -> SocketListener:
        """Bind and listen; ``*`` is everywhere, on IPv6 too where the machine has it.

        An interface or a name with several addresses is bound on one: the first IPv4 address, or else
        the first of IPv6. Cancellation: nothing stays bound.

        Raises:
          EndpointError: the address is malformed.
          AddressInUseError: another socket listens there.
          OSError: it cannot be bound for another reason; the text names the endpoint.
        """
        parsed = parse_bind(address)
        endpoint = f"tcp://{address}"
        await trio.lowlevel.checkpoint()
        try:
            if parsed.host.kind == "any":
                sock = _bind_everywhere(parsed.port, options)
                reported = f"tcp://0.0.0.0:{sock.getsockname()[1]}"
            else:
                sock = _bind(await _bind_target(parsed, options, self._names), options)
                reported = format_address(sock.getsockname())
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                text = f"cannot bind {endpoint}: another socket has this port; close it, or bind another port"
                raise AddressInUseError(errno.EADDRINUSE, text) from exc
            raise explain(exc, f"cannot bind {endpoint}", _ADVICE) from exc
        return SocketListener(sock, reported, partial(_prepare, options=options))


class _Route(NamedTuple):
    target: Target
    source: Target | None


async def _routes(parsed: TcpAddress, options: Options, names: Names) -> list[_Route]:
    """What to try, in order: each address of the host, from an address of its family where a source is given."""
    targets = await resolve(parsed.host, parsed.port, interfaces=False, to_connect=parsed.source is None, names=names)
    targets = _alternate(_allowed(targets, options))
    if parsed.source is None:
        return [_Route(target, None) for target in targets]
    sources = await resolve(*parsed.source, interfaces=True, to_connect=False, names=names)
    routes = [_Route(target, source) for target in targets if (source := _of_family(sources, target.family))]
    if not routes:
        source_text = parsed.source[0].text
        raise OSError(errno.EAFNOSUPPORT, f"{source_text!r} has no address of the IP version of {parsed.host.text!r}")
    return routes


def _allowed(targets: list[Target], options: Options) -> list[Target]:
    allowed = targets if options.ipv6 else [target for target in targets if target.family == socket.AF_INET]
    if not allowed:
        raise OSError(errno.EAFNOSUPPORT, "there are only IPv6 addresses, and the socket has the option ipv6=False")
    return allowed


def _of_family(targets: list[Target], family: socket.AddressFamily) -> Target | None:
    return next((target for target in targets if target.family == family), None)


def _alternate(targets: list[Target]) -> list[Target]:
    """Move the first address of the other IP version to the second place (RFC 8305 §4).

    Where one version goes nowhere, the other is then tried after one stagger, not after all the first's.
    """
    other = next((target for target in targets if target.family != targets[0].family), None)
    if other is None:
        return targets
    return [targets[0], other, *(target for target in targets[1:] if target is not other)]


async def _first(routes: list[_Route], attempt: Callable[[_Route], Awaitable[SocketStream]]) -> SocketStream:
    """Try the routes, each a stagger after the one before or as soon as that failed; the first stream wins."""
    if len(routes) == 1:
        return await attempt(routes[0])
    winner: SocketStream | None = None
    failures: list[OSError] = []

    async def run(route: _Route, failed: trio.Event) -> None:
        nonlocal winner
        try:
            stream = await attempt(route)
        except OSError as exc:
            failures.append(explain(exc, format_address(route.target.address)))
            failed.set()
            return
        if winner is None:
            winner = stream
            nursery.cancel_scope.cancel()
        else:  # both answered in the same pass of the event loop
            stream.close()

    try:
        async with trio.open_nursery() as nursery:
            for route in routes:
                failed = trio.Event()
                nursery.start_soon(run, route, failed)
                with trio.move_on_after(_STAGGER):
                    await failed.wait()
    except BaseException:
        if winner is not None:  # cancelled from outside just then: nobody will get it
            winner.close()
        raise
    if winner is None:
        raise OSError(failures[0].errno, "; ".join(str(failure.strerror) for failure in failures))
    return winner


async def _attempt(route: _Route, options: Options) -> SocketStream:
    target, source = route
    sock = new_socket(target.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _configure(sock, options)
        if source is not None:
            _reuse_address(sock)  # or a fixed source port could not reconnect for minutes (TIME_WAIT)
            sock.bind(source.address)
        try:
            sock.connect(target.address)
        except (BlockingIOError, InterruptedError):
            await trio.lowlevel.wait_writable(sock)
        else:
            await trio.lowlevel.checkpoint()
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        _refuse_self(sock)
        unpace(sock)
        return SocketStream(sock, format_address(target.address))
    except BaseException:
        sock.close()
        raise


def _refuse_self(sock: socket.socket) -> None:
    """Treat a connection to oneself as no answer.

    Connecting to a free port of the ephemeral range of one's own machine, again and again, one day draws that
    very port as the source: TCP then connects the socket to itself (simultaneous open, RFC 9293 §3.5). It would
    greet itself, and hold the port so that the awaited peer cannot bind it.
    """
    if sock.getsockname() == sock.getpeername():
        raise OSError(errno.ECONNREFUSED, "nobody listens there (the socket was connected to itself)")


async def _bind_target(parsed: TcpAddress, options: Options, names: Names) -> Target:
    targets = await resolve(parsed.host, parsed.port, interfaces=True, to_connect=False, names=names)
    targets = _allowed(targets, options)
    # IPv4 first, or peers that speak only that could not connect to what `localhost` was bound to.
    return _of_family(targets, socket.AF_INET) or targets[0]


def _bind_everywhere(port: int, options: Options) -> socket.socket:
    if options.ipv6 and socket.has_ipv6:
        try:
            return _bind(Target(socket.AF_INET6, ("::", port, 0, 0)), options)
        except OSError as exc:
            # Compiled in, but switched off on this machine. EINVAL: dual-stack is what it does not do.
            if exc.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EINVAL, errno.ENOPROTOOPT):
                raise
    return _bind(Target(socket.AF_INET, ("0.0.0.0", port)), options)


def _bind(target: Target, options: Options) -> socket.socket:
    sock = new_socket(target.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _configure(sock, options)  # before listen: what is accepted inherits the buffers, and the window they allow
        _reuse_address(sock)
        if target.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # `[::]` takes IPv4 too, as libzmq's does
        sock.bind(target.address)
        sock.listen(options.backlog)  # Linux finds some conflicts only here
    except BaseException:
        sock.close()
        raise
    return sock


def _reuse_address(sock: socket.socket) -> None:
    # So that a restarted program can bind although old connections are in TIME_WAIT. On Windows the
    # same name means "steal the port of a living listener", and TIME_WAIT is no hindrance there.
    if os.name == "posix":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def _prepare(sock: socket.socket, address: Any, options: Options) -> str:
    _configure(sock, options)  # not every system inherits everything
    unpace(sock)
    return format_address(address)


def _configure(sock: socket.socket, options: Options) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    configure_buffers(sock, options)
    if options.tcp_keepalive is None:
        return
    set_option(sock, socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(options.tcp_keepalive), "tcp_keepalive")
    if not options.tcp_keepalive:
        return
    idle_name = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"  # the latter on macOS
    for name, option in (
        (idle_name, "tcp_keepalive_idle"),
        ("TCP_KEEPINTVL", "tcp_keepalive_interval"),
        ("TCP_KEEPCNT", "tcp_keepalive_count"),
    ):
        value, number = getattr(options, option), getattr(socket, name, None)
        if value is not None and number is not None:
            set_option(sock, socket.IPPROTO_TCP, number, value, option)
