"""The text of multicast endpoints: ``[interface;]group:port``, as libzmq has it.

Parsing does no I/O. Not followed, because libzmq refuses them too: port ``0`` and ``*``. A group is given by number: a
multicast group has no name of its own.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import socket

import attrs

from .._errors import EndpointError
from ._tcp_address import interface_targets

_INTERFACE_NAME = re.compile(r"[^\s;:/\[\]]+")


@attrs.frozen
class GroupAddress:
    """A group on a network.

    Attributes:
      interface: an address of this host in its usual form, or the name of an interface, or ``""`` for the default.
      group: the group's address in its usual form.
      port: of the group.
    """

    interface: str
    group: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """The version of IP."""
        return socket.AF_INET6 if ":" in self.group else socket.AF_INET

    @property
    def packed(self) -> bytes:
        """The group's address as bytes."""
        return socket.inet_pton(self.family, self.group)


def parse_group(scheme: str, address: str) -> GroupAddress:
    """Parse ``[interface;]group:port``.

    Raises:
      EndpointError: it is malformed.
    """
    before, separator, rest = address.rpartition(";")
    host, colon, port_text = rest.rpartition(":")
    if not colon or "]" in port_text:
        raise _malformed(scheme, address, f"there is no port after {rest!r}")
    if not (port_text.isascii() and port_text.isdigit()) or not 0 < int(port_text[:9]) < 65536:
        raise _malformed(scheme, address, f"{port_text!r} is not the port of a group, a number from 1 to 65535")
    group = _number(host)
    if group is None or not group.is_multicast:
        raise _malformed(scheme, address, f"{host!r} is not the address of a multicast group")
    interface = _parse_interface(scheme, address, before, group.version) if separator else ""
    return GroupAddress(interface, str(group), int(port_text))


def _parse_interface(scheme: str, address: str, text: str, version: int) -> str:
    number = _number(text)
    if number is not None:
        if number.version != version:
            raise _malformed(scheme, address, "the interface and the group are of two versions of IP")
        return str(number)
    if text and not _INTERFACE_NAME.fullmatch(text):
        raise _malformed(scheme, address, f"{text!r} is neither the address nor the name of an interface")
    return text


def _number(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        return None


def _malformed(scheme: str, address: str, what: str) -> EndpointError:
    return EndpointError(
        f"endpoint {f'{scheme}://{address}'!r}: {what}; right is for example '{scheme}://239.192.1.1:5555', "
        f"'{scheme}://eth0;239.192.1.1:5555' or '{scheme}://[fd00::1];[ff15::101]:5555'"
    )


def interface_address(address: GroupAddress) -> tuple[str, int]:
    """Find this host's own address in a group's network.

    Returns: the address, and for IPv6 the number of the interface, else 0.
    Raises:
      OSError: there is no such interface, or there is no default one.
    """
    family = address.family
    named = interface_targets(address.interface, 0) if address.interface else []
    for target in named:
        if target.family == family:
            return target.address[0], _index(target.address[0]) if family == socket.AF_INET6 else 0
    text = address.interface or _default(address)
    if _number(text) is None:
        version = "IPv6" if family == socket.AF_INET6 else "IPv4"
        what = f"this host has no interface {text!r} with an {version} address; `ip address` lists them"
        raise OSError(errno.ENODEV, what)
    return text, _index(text) if family == socket.AF_INET6 else 0


def _default(address: GroupAddress) -> str:
    """The address that the system would send to the group from."""
    with socket.socket(address.family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address.group, address.port))
        except OSError as exc:
            group = f"[{address.group}]" if ":" in address.group else address.group
            raise OSError(
                exc.errno,
                f"this host has no route to the group {address.group}: name an interface in the endpoint, as in "
                f"'eth0;{group}:{address.port}', or add a default route",
            ) from exc
        return str(probe.getsockname()[0]).partition("%")[0]


def _index(text: str) -> int:
    """The number of the interface with an IPv6 address; 0 if none has it."""
    for index, name in socket.if_nameindex():
        if any(target.address[0] == text for target in interface_targets(name, 0)):
            return index
    return 0
