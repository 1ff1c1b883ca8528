"""Packets of PGM, as bytes and as tuples (RFC 3208 §8 and §9).

A packet is a header of 16 octets, a body by its type, options, and data. A checksum covers all of it. Downstream
packets, from a sender to its group, have the sender's port first and the group's port second. Upstream packets, to a
sender, have them the other way round. Network addresses ("NLA") are `bytes` here, 4 or 16 of them.

What is refused: all that RFC 3208 forbids, and the options that make packets mean something else and that libzmq never
sends: fragments and parity. Options that are not known are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from .._errors import RemoteProtocolError

_HEADER: Final = struct.Struct(">HHBBH6sH")
_DATA: Final = struct.Struct(">HHBBH6sHII")
_SPM: Final = struct.Struct(">III")
_NLA: Final = struct.Struct(">HH")
_OPTION_LENGTH: Final = struct.Struct(">BBH")

_SPM_TYPE: Final = 0x00
_ODATA_TYPE: Final = 0x04
_RDATA_TYPE: Final = 0x05
_NAK_TYPE: Final = 0x08
_NNAK_TYPE: Final = 0x09
_NCF_TYPE: Final = 0x0A
_SPMR_TYPE: Final = 0x0C
_NAK_TYPES: Final = {"NAK": _NAK_TYPE, "NNAK": _NNAK_TYPE, "NCF": _NCF_TYPE}
_NAK_KINDS: Final = {number: kind for kind, number in _NAK_TYPES.items()}

_OPTIONS_PRESENT: Final = 0x01
_OPTIONS_NETWORK: Final = 0x02
_PARITY: Final = 0xC0

_LENGTH: Final = 0x00
_FRAGMENT: Final = 0x01
_NAK_LIST: Final = 0x02
_FIN: Final = 0x0E
_LAST: Final = 0x80

DATA_HEADER: Final = 24
"""octets of a packet of data before its data"""
MOST_NAKS: Final = 63
"""sequence numbers in one NAK: one in its body and 62 in its list (RFC 3208 §9.3)"""
NO_MESSAGE: Final = 0xFFFF
"""the offset of data in which no message begins"""


class Tsi(NamedTuple):
    """Names one sender: the transport session identifier (RFC 3208 §3.1)."""

    gsi: bytes
    """6 octets, of the sender's host or of the sender alone."""
    port: int
    """The sender's own port, which with libzmq is drawn at random."""


class Spm(NamedTuple):
    """A source path message: where NAKs go, and which data can be had."""

    tsi: Tsi
    port: int
    """Of the group."""
    serial: int
    """Counts the SPMs of this sender."""
    trail: int
    """The oldest data that can be repaired."""
    lead: int
    """The newest data that was sent; one less than ``trail`` if there is none."""
    path: bytes
    """The address for NAKs."""
    fin: bool = False
    """The sender sends nothing more."""


class Data(NamedTuple):
    """Original data (ODATA), or a repair of it (RDATA)."""

    tsi: Tsi
    port: int
    serial: int
    trail: int
    payload: bytes
    """What libzmq puts into a datagram: an offset of two octets, and a slice of the sender's stream."""
    repair: bool = False


class Nak(NamedTuple):
    """What is missing: asked for (NAK), by somebody who needs no repair (NNAK), or confirmed by the sender (NCF)."""

    kind: str
    tsi: Tsi
    port: int
    source: bytes
    """The sender's address, as its SPMs have it."""
    group: bytes
    serials: tuple[int, ...]
    """From 1 to 63 sequence numbers."""


class SpmRequest(NamedTuple):
    """Asks a sender for an SPM (RFC 3208 §13.3.2)."""

    tsi: Tsi
    port: int


Packet: TypeAlias = Spm | Data | Nak | SpmRequest


def is_host(address: bytes) -> bool:
    """Whether this is the address of one host: not of a group, of everybody, or of nobody."""
    first = address[0]
    return any(address) and (0 < first < 224 if len(address) == 4 else first != 0xFF)


def checksum(packet: bytes) -> int:
    """The Internet checksum of a packet whose field for it is 0; never 0, which would mean "none"."""
    # 2**16 is 1 modulo 0xFFFF: so the sum of all 16-bit words, carries added, is the whole number modulo 0xFFFF.
    return 0xFFFF - int.from_bytes(packet + b"\0" if len(packet) & 1 else packet) % 0xFFFF


def encode(packet: Packet) -> bytes:
    """Write a packet."""
    if isinstance(packet, Data):
        return encode_data(packet.tsi, packet.port, packet.serial, packet.trail, packet.payload, packet.repair)
    tsi, port = packet.tsi, packet.port
    if isinstance(packet, Spm):
        body = _SPM.pack(packet.serial, packet.trail, packet.lead) + _encode_nla(packet.path)
        options = _encode_options(_FIN, b"") if packet.fin else b""
        return _finish((tsi.port, port), _SPM_TYPE, _OPTIONS_PRESENT if options else 0, tsi.gsi, body + options)
    if isinstance(packet, SpmRequest):
        return _finish((port, tsi.port), _SPMR_TYPE, 0, tsi.gsi, b"")
    first, *others = packet.serials
    body = first.to_bytes(4) + _encode_nla(packet.source) + _encode_nla(packet.group)
    options = _encode_options(_NAK_LIST, struct.pack(f">{len(others)}I", *others)) if others else b""
    flags = _OPTIONS_PRESENT | _OPTIONS_NETWORK if options else 0
    ports = (tsi.port, port) if packet.kind == "NCF" else (port, tsi.port)
    return _finish(ports, _NAK_TYPES[packet.kind], flags, tsi.gsi, body + options)


# On the path of every datagram.
def encode_data(tsi: Tsi, port: int, serial: int, trail: int, payload: bytes, repair: bool) -> bytes:
    """Write a packet of data."""
    kind = _RDATA_TYPE if repair else _ODATA_TYPE
    head = (tsi.port, port, kind, 0)
    tail = (tsi.gsi, len(payload), serial, trail)
    blank = _DATA.pack(*head, 0, *tail) + payload
    return _DATA.pack(*head, checksum(blank), *tail) + payload


def _finish(ports: tuple[int, int], kind: int, flags: int, gsi: bytes, rest: bytes) -> bytes:
    blank = _HEADER.pack(*ports, kind, flags, 0, gsi, 0) + rest
    return blank[:6] + checksum(blank).to_bytes(2) + blank[8:]


def _encode_nla(address: bytes) -> bytes:
    return _NLA.pack(1 if len(address) == 4 else 2, 0) + address


def _encode_options(kind: int, data: bytes) -> bytes:
    """One option behind the length of all of them."""
    size = 4 + len(data)
    return _OPTION_LENGTH.pack(_LENGTH, 4, 4 + size) + bytes((kind | _LAST, size, 0, 0)) + data


# On the path of every datagram.
def decode(datagram: bytes) -> Packet | None:
    """Read a packet.

    Returns: None for a type of packet that means nothing here, such as those of router assistance (POLL, POLR, ACK).
    Raises:
      RemoteProtocolError: this is no packet of PGM, or not one that libzmq could have meant.
    """
    if len(datagram) < _HEADER.size:
        raise RemoteProtocolError(f"{len(datagram)} octets are no packet of PGM")
    source, destination, kind, flags, check, gsi, size = _HEADER.unpack_from(datagram)
    if check and int.from_bytes(datagram + b"\0" if len(datagram) & 1 else datagram) % 0xFFFF:
        raise RemoteProtocolError("the checksum of a packet is wrong")
    try:
        if kind in (_ODATA_TYPE, _RDATA_TYPE):
            if not check:
                raise RemoteProtocolError("data has no checksum")
            return _decode_data(datagram, Tsi(gsi, source), destination, flags, size, kind == _RDATA_TYPE)
        if kind == _SPM_TYPE:
            return _decode_spm(datagram, Tsi(gsi, source), destination, flags)
        if kind == _NCF_TYPE:
            return _decode_nak(datagram, kind, Tsi(gsi, source), destination, flags)
        if kind in _NAK_KINDS:
            return _decode_nak(datagram, kind, Tsi(gsi, destination), source, flags)
        return SpmRequest(Tsi(gsi, destination), source) if kind == _SPMR_TYPE else None
    except (struct.error, IndexError) as exc:
        raise RemoteProtocolError(f"a packet of type {kind:#04x} is too short") from exc


def _decode_data(datagram: bytes, tsi: Tsi, port: int, flags: int, size: int, repair: bool) -> Data:
    serial, trail = struct.unpack_from(">II", datagram, 16)
    start = DATA_HEADER
    if flags & _PARITY:
        raise RemoteProtocolError("parity packets are not understood")
    if flags & _OPTIONS_PRESENT:
        for kind, _ in _decode_options(datagram, start):
            if kind == _FRAGMENT:
                raise RemoteProtocolError("fragments are not understood")
        start += int.from_bytes(datagram[start + 2 : start + 4])
    payload = datagram[start:]
    if len(payload) != size:
        raise RemoteProtocolError(f"a packet says {size} octets of data, and has {len(payload)}")
    if size < 2:
        raise RemoteProtocolError("data is too short for the offset of its first message")
    offset = payload[0] << 8 | payload[1]
    if offset != NO_MESSAGE and offset > size - 2:
        raise RemoteProtocolError(f"the first message begins at {offset}, behind {size - 2} octets of data")
    return Data(tsi, port, serial, trail, payload, repair)


def _decode_spm(datagram: bytes, tsi: Tsi, port: int, flags: int) -> Spm:
    serial, trail, lead = _SPM.unpack_from(datagram, 16)
    path, end = _decode_nla(datagram, 28)
    fin = bool(flags & _OPTIONS_PRESENT) and any(kind == _FIN for kind, _ in _decode_options(datagram, end))
    return Spm(tsi, port, serial, trail, lead, path, fin)


def _decode_nak(datagram: bytes, kind: int, tsi: Tsi, port: int, flags: int) -> Nak:
    (first,) = struct.unpack_from(">I", datagram, 16)
    source, end = _decode_nla(datagram, 20)
    group, end = _decode_nla(datagram, end)
    serials = [first]
    if flags & _PARITY:
        raise RemoteProtocolError("parity packets are not understood")
    if flags & _OPTIONS_PRESENT:
        for option, data in _decode_options(datagram, end):
            if option == _NAK_LIST:
                serials += struct.unpack(f">{len(data) // 4}I", data)
    return Nak(_NAK_KINDS[kind], tsi, port, source, group, tuple(serials[:MOST_NAKS]))


def _decode_nla(datagram: bytes, start: int) -> tuple[bytes, int]:
    """Returns: an address, and where it ends."""
    family, _ = _NLA.unpack_from(datagram, start)
    size = {1: 4, 2: 16}.get(family)
    if size is None:
        raise RemoteProtocolError(f"{family} is no family of addresses that is known")
    end = start + 4 + size
    if end > len(datagram):
        raise RemoteProtocolError("an address is too short")
    return datagram[start + 4 : end], end


def _decode_options(datagram: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield each option's type and data (RFC 3208 §9.1).

    The third octet of an option is not looked at: OpenPGM leaves in it whatever was in its memory.
    """
    kind, size, total = _OPTION_LENGTH.unpack_from(datagram, start)
    end = start + total
    if kind & ~_LAST != _LENGTH or size != 4 or not start + 4 <= end <= len(datagram):
        raise RemoteProtocolError("the options of a packet have a wrong length")
    at, last = start + 4, bool(kind & _LAST)
    while at < end and not last:
        kind, size = datagram[at], datagram[at + 1]
        if size < 4 or at + size > end or size % 4:
            raise RemoteProtocolError("an option has a wrong length")
        last = bool(kind & _LAST)
        yield kind & ~_LAST, datagram[at + 4 : at + size]
        at += size
