"""Multicast groups of the system: datagrams over UDP, or directly over IP.

A receiver's socket is bound to the group's address, and so gets what is for the group and nothing else. A sender's is
bound to the interface's address, and so gets what is for this host alone: what receivers ask it for. Both share their
port with every other program of the same user that joins.
"""

from __future__ import annotations

import errno
import os
import random
import socket
import struct
import sys
from abc import ABC, abstractmethod
from typing import Any, Final

import trio

from .._options import Options
from ._group_address import GroupAddress, interface_address
from ._listener import configure_buffers, explain
from ._new_socket import new_socket

_PGM: Final = 113  # the number of the protocol (RFC 3208 §8)
_RECEIVE_BUFFER: Final = 2 * 1024 * 1024
"""bytes, where the options say nothing: nobody waits for us, and what finds no place in it is lost"""
_MOST: Final = 65535
_LINUX: Final = sys.platform == "linux"
_IP_MULTICAST_ALL: Final = 49  # Linux's numbers, which Python does not name
_IPV6_MULTICAST_ALL: Final = 29
_NO_MULTICAST: Final = {errno.ENODEV, errno.EADDRNOTAVAIL}
_LOOK: Final = "`ip link` shows which are UP and MULTICAST, `ip link set NAME up` helps"
_LATER: Final = {errno.EAGAIN, errno.ENOBUFS, errno.EINTR}
_FAST_FORWARDING: Final = 0xB8  # the class "expedited forwarding", as libzmq marks its packets


class GroupPort(ABC):
    """One socket's place in a group.

    Attributes:
      path: this host's own address, 4 or 16 bytes.
      encapsulation: bytes of the headers of IP, and of UDP where there is one.
    """

    path: bytes
    encapsulation: int

    @abstractmethod
    def receive_nowait(self) -> tuple[bytes, bytes] | None:
        """Take a datagram that has arrived, and the address of the host that it came from; None if there is none.

        Raises:
          OSError: the system reports that something is wrong; the next call may return a datagram.
        """

    @abstractmethod
    async def wait_readable(self) -> None:
        """Wait until a datagram has arrived.

        Raises:
          trio.ClosedResourceError: the port was closed.
        """

    @abstractmethod
    def send_nowait(self, data: bytes, to: bytes | None, *, near: bool = False) -> bool:
        """Send a datagram to one host, or (None) to the group.

        Args:
          near: it goes no farther than to this network.
        Returns: False if it cannot be taken now.
        Raises:
          OSError: the system refuses it.
        """

    @abstractmethod
    def close(self) -> None:
        """Leave the group. Closing again does nothing."""


class GroupNetwork(ABC):
    """Where groups can be joined."""

    @abstractmethod
    def join(self, address: GroupAddress, options: Options, *, sends: bool) -> GroupPort:
        """Join a group, to send to it or to receive from it.

        Raises:
          OSError: the system refuses it; the text says what to do.
        """

    @abstractmethod
    def new_name(self, rng: random.Random) -> bytes:
        """Eight bytes that nobody else on the network has."""


class SystemGroups(GroupNetwork):
    """The groups of the system.

    Args:
      raw: directly over IP, else over UDP.
    """

    def __init__(self, *, raw: bool) -> None:
        self._raw = raw

    def join(self, address: GroupAddress, options: Options, *, sends: bool) -> GroupPort:
        """See `GroupNetwork`."""
        try:
            return _SystemPort(address, options, raw=self._raw, sends=sends)
        except PermissionError as exc:
            if self._raw:
                text = "pgm:// needs the capability CAP_NET_RAW: run as root, or use epgm://, which needs no privilege"
                raise PermissionError(exc.errno, text) from exc
            raise

    def new_name(self, rng: random.Random) -> bytes:
        """See `GroupNetwork`: not of ``rng``, as two programs with one seed would have the same name."""
        return os.urandom(8)


class _SystemPort(GroupPort):
    """Two sockets: one that is bound to what is to be heard, and one that sends from the interface's address."""

    def __init__(self, address: GroupAddress, options: Options, *, raw: bool, sends: bool) -> None:
        text, index = interface_address(address)
        self.path = socket.inet_pton(address.family, text)
        self._address = address
        self._family = address.family
        self._strip = raw and address.family == socket.AF_INET
        self._port = 0 if raw else address.port
        self._hops = options.multicast_hops
        self.encapsulation = (20 if address.family == socket.AF_INET else 40) + (0 if raw else 8)
        self._listening = _new_socket(address.family, raw)
        try:
            self._sending = _new_socket(address.family, raw)
        except BaseException:
            self._listening.close()
            raise
        try:
            _bind(self._sending, self._socket_address(text, 0, index), text)
            heard = text if sends else address.group
            self._bind_listening(heard, text, index, options)
            configure_buffers(self._sending, options)
            try:
                self._choose_interface(index, options)
                if not sends:
                    self._join(index)
            except OSError as exc:
                if exc.errno in _NO_MULTICAST:
                    what = f"the interface of {text} is down, or carries no multicast: {_LOOK}"
                    raise OSError(exc.errno, what) from exc
                raise
        except BaseException:
            self.close()
            raise

    def _choose_interface(self, index: int, options: Options) -> None:
        sock = self._sending
        if self._family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, self.path)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, options.multicast_loop)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _FAST_FORWARDING)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, options.multicast_loop)
        self._set_hops(self._hops)

    def _bind_listening(self, heard: str, text: str, index: int, options: Options) -> None:
        sock = self._listening
        if options.receive_buffer is None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        configure_buffers(sock, options)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if heard != text and sys.platform == "win32":
            heard = ""  # Windows cannot bind a group
        _bind(sock, self._socket_address(heard, self._port, index), text)

    def _join(self, index: int) -> None:
        sock, packed = self._listening, self._address.packed
        if self._family == socket.AF_INET:
            if _LINUX:  # not what another program has joined on another interface
                sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, packed + self.path)
        else:
            if _LINUX:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, packed + struct.pack("@I", index))

    def _socket_address(self, text: str, port: int, index: int = 0) -> tuple[Any, ...]:
        if self._family == socket.AF_INET:
            return (text, port)
        number = int.from_bytes(socket.inet_pton(self._family, text)[:2]) if text else 0
        is_local = number >> 6 == 0xFE80 >> 6 or number & 0xFF0F in (0xFF01, 0xFF02)  # means nothing without a zone
        return (text, port, 0, index if is_local else 0)

    def _set_hops(self, hops: int) -> None:
        if self._family == socket.AF_INET:
            self._sending.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops)
        else:
            self._sending.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)

    def receive_nowait(self) -> tuple[bytes, bytes] | None:
        """See `GroupPort`."""
        try:
            data, sender = self._listening.recvfrom(_MOST)
        except (BlockingIOError, InterruptedError):
            return None
        if self._strip:  # raw IPv4 comes with its header
            data = data[(data[0] & 15) * 4 :]
        return data, socket.inet_pton(self._family, sender[0].partition("%")[0])

    async def wait_readable(self) -> None:
        """See `GroupPort`."""
        await trio.lowlevel.wait_readable(self._listening)

    def send_nowait(self, data: bytes, to: bytes | None, *, near: bool = False) -> bool:
        """See `GroupPort`."""
        text = self._address.group if to is None else socket.inet_ntop(self._family, to)
        if near:
            self._set_hops(1)
        try:
            self._sending.sendto(data, self._socket_address(text, self._port))
        except OSError as exc:
            if exc.errno in _LATER:
                return False
            raise
        finally:
            if near:
                self._set_hops(self._hops)
        return True

    def close(self) -> None:
        """See `GroupPort`."""
        if self._listening.fileno() != -1:
            trio.lowlevel.notify_closing(self._listening)
        self._listening.close()
        self._sending.close()


def _new_socket(family: socket.AddressFamily, raw: bool) -> socket.socket:
    sock = new_socket(family, socket.SOCK_RAW, _PGM) if raw else new_socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


def _bind(sock: socket.socket, address: tuple[Any, ...], interface: str) -> None:
    try:
        sock.bind(address)
    except OSError as exc:
        if exc.errno == errno.EADDRNOTAVAIL:
            raise OSError(exc.errno, f"{interface} is no address of this host; `ip address` lists them") from exc
        if exc.errno == errno.EADDRINUSE:
            text = f"port {address[1]} at {address[0]} is in use by a program that does not share it, or another user's"
            raise OSError(exc.errno, text) from exc
        raise explain(exc, f"cannot bind {address[0]}") from exc
