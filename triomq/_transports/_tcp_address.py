"""The text of tcp endpoints, and what names in it stand for.

Parsing does no I/O. What was asked of libzmq 4.3.5 and followed: the port is what stands after the
last colon, so IPv6 needs no brackets (``::1:5555``), and brackets are allowed around anything; ``*``
is a host only to bind; ``0.0.0.0`` and ``[::]`` can be connected to; ``127.1`` is ``127.0.0.1``; a
source's port is ``0``, ``*`` or a number. Not followed, because libzmq takes it and then does
something else or nothing, for ever and silently: ports ``-1`` (65535), `` 55``, ``+55``, ``5a``,
65536 and 0 to connect to, an empty host, a source without a port (here: any port).
"""

from __future__ import annotations

import re
import socket
import struct
import sys
from typing import Any, Literal, NamedTuple, TypeAlias

from .._errors import EndpointError
from ._names import Names

HostKind: TypeAlias = Literal["any", "ipv4", "ipv6", "name"]

_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}\w)?|_[\w-]{0,62}")  # \w: international names are names too
_EXAMPLE = {
    "bind": "'tcp://127.0.0.1:5555', 'tcp://*:5555', 'tcp://eth0:5555' or, for any free port, 'tcp://127.0.0.1:0'",
    "connect": "'tcp://127.0.0.1:5555', 'tcp://[::1]:5555', 'tcp://example.org:5555' or 'tcp://eth0:0;10.0.0.1:5555'",
}


class Host(NamedTuple):
    """A host as written, and what kind of writing it is."""

    kind: HostKind
    text: str  # without brackets; numeric IPv4 in its full form


class Target(NamedTuple):
    """One socket address."""

    family: socket.AddressFamily
    address: tuple[Any, ...]


class TcpAddress(NamedTuple):
    """A parsed address. Port 0 is "any"; the source is what to bind to before connecting."""

    host: Host
    port: int
    source: tuple[Host, int] | None = None


def parse_bind(address: str) -> TcpAddress:
    """Parse ``<host>:<port>`` to bind to.

    Raises:
      EndpointError: it is malformed.
    """
    if ";" in address:
        raise _malformed(address, "a source before ';' is for connecting only", "bind")
    host, port = _split_port(address, address, "bind")
    return TcpAddress(_parse_host(host, address, "bind"), _parse_port(port, address, "bind"))


def parse_connect(address: str) -> TcpAddress:
    """Parse ``[<source>;]<host>:<port>`` to connect to.

    Raises:
      EndpointError: it is malformed, or nothing one could connect to.
    """
    before, separator, destination = address.rpartition(";")
    host_text, port_text = _split_port(destination, address, "connect")
    host, port = _parse_host(host_text, address, "connect"), _parse_port(port_text, address, "connect")
    if host.kind == "any":
        raise _malformed(address, "'*' is for binding; give the host to connect to", "connect")
    if port == 0:
        raise _malformed(address, "port 0 or '*' is for binding; give the port that the other side reports", "connect")
    return TcpAddress(host, port, _parse_source(before, address) if separator else None)


def _parse_source(text: str, address: str) -> tuple[Host, int]:
    without_port = text.endswith("]") or ":" not in text
    host_text, port_text = (text, "0") if without_port else _split_port(text, address, "connect")
    host = _parse_host(host_text, address, "connect")
    if host.kind == "any":
        raise _malformed(address, "'*' is no source; leave it and the ';' out", "connect")
    return host, _parse_port(port_text, address, "connect")


def _malformed(address: str, what: str, use: str) -> EndpointError:
    return EndpointError(f"endpoint {f'tcp://{address}'!r}: {what}; right is for example {_EXAMPLE[use]}")


def _split_port(text: str, address: str, use: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        raise _malformed(address, f"there is no port after {text!r}", use)
    return host, port


def _parse_port(text: str, address: str, use: str) -> int:
    if text == "*":
        return 0
    if not text:
        raise _malformed(address, "the port after ':' is empty", use)
    if not (text.isascii() and text.isdigit()) or int(text[:9]) > 65535:
        raise _malformed(address, f"{text!r} is not a port, a number up to 65535", use)
    return int(text)


def _parse_host(text: str, address: str, use: str) -> Host:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if not text:
        raise _malformed(address, "the host is empty", use)
    if text == "*":
        return Host("any", "*")
    if ":" in text:
        number, percent, zone = text.partition("%")
        if not _is_ipv6(number) or bool(percent) != bool(zone) or not (zone.isprintable() and zone.isascii()):
            raise _malformed(address, f"{text!r} is not an IPv6 address (put it in brackets, the port after them)", use)
        return Host("ipv6", text)
    if re.fullmatch(r"[0-9.]+", text):
        try:
            return Host("ipv4", socket.inet_ntoa(socket.inet_aton(text)))
        except OSError:
            raise _malformed(address, f"{text!r} is not an IPv4 address", use) from None
    if not _is_name(text):
        raise _malformed(address, f"{text!r} is not a host name or address", use)
    return Host("name", text)


def _is_ipv6(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):  # ValueError: a character outside ASCII, or NUL
        return False
    return True


def _is_name(text: str) -> bool:
    labels = text.removesuffix(".").split(".")
    if not all(map(_LABEL.fullmatch, labels)):
        return False
    try:
        return text.isascii() or bool(text.encode("idna"))
    except UnicodeError:
        return False


def format_address(address: tuple[Any, ...]) -> str:
    """Write what ``getsockname`` or ``getpeername`` gave as an endpoint.

    IPv4 inside IPv6, as a dual-stack socket has it, is written as IPv4: everybody can read that.
    """
    host, port = str(address[0]), address[1]
    if host.startswith("::ffff:") and "." in host:
        host = host.removeprefix("::ffff:")
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


async def resolve(
    host: Host, port: int, *, interfaces: bool, to_connect: bool, names: Names | None = None
) -> list[Target]:
    """Find the socket addresses of a host, now; numbers and interfaces without waiting.

    Args:
      host: as parsed; not ``*``.
      port: goes into the addresses.
      interfaces: whether a name may be that of a network interface; it comes before a host's.
      to_connect: whether ``0.0.0.0`` and ``::`` mean "this machine" instead of "everywhere".
      names: looks up a name; those who share one share the look-ups under way.

    Raises:
      OSError: there is no such name, interface or zone.
    """
    if host.kind == "ipv4":
        text = "127.0.0.1" if to_connect and host.text == "0.0.0.0" else host.text
        return [Target(socket.AF_INET, (text, port))]
    if host.kind == "ipv6":
        return [_ipv6_target(host.text, port, to_connect)]
    if interfaces and (found := interface_targets(host.text, port)):
        return found
    try:
        answers = await (names or Names()).look_up(host.text, port)
    except UnicodeError as exc:  # what the resolver's own check of names does not like
        raise socket.gaierror(socket.EAI_NONAME, f"not a host name: {exc}") from exc
    wanted = (socket.AF_INET, socket.AF_INET6)
    targets = [Target(family, address) for family, address in answers if family in wanted]
    if not targets:
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
    return targets


def _ipv6_target(text: str, port: int, to_connect: bool) -> Target:
    number, _, zone = text.partition("%")
    if not zone:
        scope = 0
    elif zone.isdigit():
        scope = int(zone)
    else:
        scope = socket.if_nametoindex(zone)
    unspecified = not any(socket.inet_pton(socket.AF_INET6, number))
    return Target(socket.AF_INET6, ("::1" if to_connect and unspecified else number, port, 0, scope))


def interface_targets(name: str, port: int) -> list[Target]:
    """The addresses of a network interface, IPv4 first; none when there is no such interface.

    IPv4 comes first even where libzmq with its IPV6 option takes IPv6: peers without that
    option must be able to connect to what we bind.
    """
    ipv4 = _interface_ipv4(name)
    found = [Target(socket.AF_INET, (ipv4, port))] if ipv4 else []
    return found + [Target(socket.AF_INET6, (text, port, 0, scope)) for text, scope in _interface_ipv6(name)]


def _interface_ipv4(name: str) -> str | None:
    if sys.platform == "win32":
        return None
    import fcntl  # not on Windows

    # SIOCGIFADDR. Both families of systems have 16 bytes of name, then a sockaddr_in.
    request = 0x8915 if sys.platform == "linux" else 0xC0206921
    try:
        raw_name = name.encode("ascii")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            answer = fcntl.ioctl(probe, request, struct.pack("16s240x", raw_name[:15]))
    except (OSError, UnicodeError):  # no such interface, or it has no IPv4 address
        return None
    return socket.inet_ntoa(answer[20:24]) if len(raw_name) < 16 else None


def _interface_ipv6(name: str) -> list[tuple[str, int]]:
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as table:  # Linux only, like the columns below
            rows = [line.split() for line in table]
    except OSError:
        return []
    found = []
    for digits, index, _prefix, scope, _flags, row_name in rows:
        if row_name == name:
            text = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
            local = int(scope, 16) == 0x20  # link-local: means nothing without its interface
            found.append((local, text, int(index, 16) if local else 0))
    return [(text, number) for _, text, number in sorted(found)]
