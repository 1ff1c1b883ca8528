"""Packets as libzmq 4.3.4 with OpenPGM 5.3.128 writes them, and what is refused."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq import RemoteProtocolError
from triomq.pgm import Data, Nak, Spm, SpmRequest, Tsi, decode, encode
from triomq.pgm._packets import checksum

GSI = bytes.fromhex("b7c6d1bc038a")
FIRST, SECOND = Tsi(GSI, 0xCB2C), Tsi(GSI, 0x15AC)
SENDER, GROUP, PORT = bytes((10, 77, 0, 1)), bytes((239, 192, 1, 1)), 5555

# Captured from libzmq: sender 10.77.0.1, group 239.192.1.1, port 5555.
CAPTURED = {
    "cb2c15b3000087c3b7c6d1bc038a00000000000000000000ffffffff000100000a4d0001": Spm(
        FIRST, PORT, 0, 0, 0xFFFFFFFF, SENDER
    ),
    "cb2c15b30400730fb7c6d1bc038a0010000000000000000000000701746f706963300500626f6479": Data(
        FIRST, PORT, 0, 0, bytes.fromhex("00000701") + b"topic0" + bytes.fromhex("0500") + b"body"
    ),
    "cb2c15b30001f9a4b7c6d1bc038a0000000000090000000000000004000100000a4d0001000400088e040000": Spm(
        FIRST, PORT, 9, 0, 4, SENDER, fin=True
    ),
    "15b315ac0800447db7c6d1bc038a000000000004000100000a4d000100010000efc00101": Nak(
        "NAK", SECOND, PORT, SENDER, GROUP, (4,)
    ),
    "15ac15b30a00427db7c6d1bc038a000000000004000100000a4d000100010000efc00101": Nak(
        "NCF", SECOND, PORT, SENDER, GROUP, (4,)
    ),
    "15ac15b30500468cb7c6d1bc038a001400000004000000000000110030303030303478787878787878787878": Data(
        SECOND, PORT, 4, 0, bytes.fromhex("00001100") + b"000004" + b"x" * 10, repair=True
    ),
    "15b3b6240c009b1ab7c6d1bc038a0000": SpmRequest(Tsi(GSI, 0xB624), PORT),
}

LIST = (
    "15b3183b0803c7bd6bb64b9bdee500000000001d000100000a4d000100010000efc00101000400348230ed000000001e0000001f"
    "000000200000002100000022000000230000002400000025000000260000002700000028"
)


@pytest.mark.parametrize("text", CAPTURED)
def test_a_captured_packet_is_read_and_written_octet_for_octet(text: str) -> None:
    packet = CAPTURED[text]
    assert decode(bytes.fromhex(text)) == packet
    assert encode(packet).hex() == text


def test_a_captured_list_of_naks_is_read_and_written_but_for_the_octet_that_openpgm_leaves_to_chance() -> None:
    nak = Nak("NAK", Tsi(bytes.fromhex("6bb64b9bdee5"), 0x183B), PORT, SENDER, GROUP, tuple(range(0x1D, 0x29)))
    captured = bytes.fromhex(LIST)
    assert decode(captured) == nak
    clean = bytearray(captured.replace(bytes.fromhex("8230ed00"), bytes.fromhex("82300000")))
    clean[6:8] = bytes(2)
    clean[6:8] = checksum(bytes(clean)).to_bytes(2)
    assert encode(nak) == clean


addresses = st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16))
words = st.integers(0, 2**32 - 1)
ports = st.integers(0, 65535)
tsis = st.builds(Tsi, st.binary(min_size=6, max_size=6), ports)
packets = st.one_of(
    st.builds(Spm, tsis, ports, words, words, words, addresses, st.booleans()),
    st.builds(
        Data, tsis, ports, words, words, st.binary(max_size=40).map(lambda rest: b"\xff\xff" + rest), st.booleans()
    ),
    st.builds(
        Nak,
        st.sampled_from(["NAK", "NNAK", "NCF"]),
        tsis,
        ports,
        addresses,
        addresses,
        st.lists(words, min_size=1, max_size=63).map(tuple),
    ),
    st.builds(SpmRequest, tsis, ports),
)


@given(packets)
def test_what_is_written_is_read(packet) -> None:
    assert decode(encode(packet)) == packet


@given(packets, st.data())
def test_a_flipped_bit_is_noticed(packet, data) -> None:
    datagram = bytearray(encode(packet))
    bit = data.draw(st.integers(0, 8 * len(datagram) - 1))
    datagram[bit // 8] ^= 1 << bit % 8
    if bytes(datagram[6:8]) == bytes(2):
        return  # this says that there is no checksum
    with pytest.raises(RemoteProtocolError):
        decode(bytes(datagram))


def resealed(datagram: bytes) -> bytes:
    blank = datagram[:6] + bytes(2) + datagram[8:]
    return blank[:6] + checksum(blank).to_bytes(2) + blank[8:]


@given(packets, st.data())
def test_any_octets_with_a_right_checksum_are_read_or_refused(packet, data) -> None:
    datagram = bytearray(encode(packet))
    for _ in range(data.draw(st.integers(1, 4))):
        datagram[data.draw(st.integers(4, len(datagram) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(16, len(datagram)))
    try:
        decode(resealed(bytes(datagram[:cut])))
    except RemoteProtocolError:
        pass


def data(payload: bytes, flags: int = 0, options: bytes = b"") -> bytes:
    header = struct.pack(">HHBBH6sHII", 1, PORT, 4, flags, 0, GSI, len(payload), 5, 0)
    return resealed(header + options + payload)


def test_options_that_are_not_known_are_skipped() -> None:
    join = bytes.fromhex("0004000c") + bytes.fromhex("8308000000000001")
    assert decode(data(b"\0\0\1\0", 1, join)) == Data(Tsi(GSI, 1), PORT, 5, 0, b"\0\0\1\0")


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (b"", "no packet"),
        (b"x" * 15, "no packet"),
        (data(b""), "too short for the offset"),
        (data(b"\0"), "too short for the offset"),
        (data(b"\0\3\1\0"), "begins at 3, behind 2"),
        (data(b"\0\0\1\0", 0x80), "parity"),
        (data(b"\0\0\1\0", 1, bytes.fromhex("00040014") + bytes.fromhex("8110") + bytes(14)), "fragments"),
        (data(b"\0\0\1\0", 1, bytes.fromhex("000400ff")), "wrong length"),
        (data(b"\0\0\1\0", 1, bytes.fromhex("0004000883010000")), "wrong length"),
        (data(b"\0\0\1\0")[:-1] + b"\1", "checksum"),
        (data(b"\0\0\1\0")[:6] + bytes(2) + data(b"\0\0\1\0")[8:], "no checksum"),
        (resealed(data(b"\0\0\1\0")[:-1]), "says 4 octets"),
        (resealed(bytes.fromhex("cb2c15b300000000b7c6d1bc038a0000") + bytes(10)), "too short"),
        (resealed(encode(Spm(FIRST, PORT, 0, 0, 0, SENDER)).replace(b"\0\1\0\0", b"\0\7\0\0")), "no family"),
    ],
)
def test_what_is_no_packet_is_refused_and_it_says_why(datagram: bytes, why: str) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        decode(datagram)


@pytest.mark.parametrize("kind", [0x01, 0x02, 0x0D, 0x7F])
def test_a_packet_that_means_nothing_here_is_none(kind: int) -> None:
    assert decode(resealed(struct.pack(">HHBBH6sH", 1, 2, kind, 0, 0, GSI, 0))) is None


@given(st.binary(max_size=100).filter(any))
def test_the_checksum_is_that_of_the_internet(packet: bytes) -> None:
    padded = packet + b"\0" * (len(packet) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(packet) == (~total & 0xFFFF or 0xFFFF)


def test_noise_is_refused() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        noise = rng.randbytes(rng.randrange(80))
        try:
            decode(resealed(noise) if len(noise) >= 16 and rng.random() < 0.7 else noise)
        except RemoteProtocolError:
            pass
