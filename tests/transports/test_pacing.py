"""What is sent to a peer on this machine is not paced, whatever the system does for distant peers."""

from __future__ import annotations

import socket

import pytest

from triomq._transports import _pacing as pacing_module
from triomq._transports._pacing import unpace

from .loopback import DEFAULTS, TCP, address_of, meet

CONGESTION = getattr(socket, "TCP_CONGESTION", None)
needs_a_choice = pytest.mark.skipif(CONGESTION is None, reason="this system offers no choice of congestion control")


def congestion_control(sock: socket.socket) -> bytes:
    return sock.getsockopt(socket.IPPROTO_TCP, CONGESTION, 16).rstrip(b"\0")


def usual() -> bytes:
    with socket.socket() as sock:
        return congestion_control(sock)


@needs_a_choice
@pytest.mark.parametrize("paces", [True, False])
async def test_the_systems_congestion_control_is_kept_unless_it_paces(monkeypatch, paces):
    monkeypatch.setattr(pacing_module, "_PACING", {usual()} if paces else set())
    expected = b"reno" if paces else usual()
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        for stream in await meet(listener, address_of(listener)):
            with socket.fromfd(stream.fileno(), socket.AF_INET, socket.SOCK_STREAM) as sock:
                assert congestion_control(sock) == expected
            stream.close()


@needs_a_choice
async def test_a_system_that_refuses_keeps_its_own(monkeypatch):
    monkeypatch.setattr(pacing_module, "_PACING", {usual()})
    monkeypatch.setattr(pacing_module, "_PLAIN", b"no such control")
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        for stream in await meet(listener, address_of(listener)):
            with socket.fromfd(stream.fileno(), socket.AF_INET, socket.SOCK_STREAM) as sock:
                assert congestion_control(sock) == usual()
            stream.close()


async def test_a_system_without_a_choice(monkeypatch):
    monkeypatch.setattr(pacing_module, "_CONGESTION", None)
    async with await TCP.listen("127.0.0.1:0", DEFAULTS) as listener:
        for stream in await meet(listener, address_of(listener)):
            stream.close()


def test_a_peer_that_has_left_is_no_error():
    with socket.socket() as sock:
        unpace(sock)
