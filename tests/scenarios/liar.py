"""Peers that speak anything but the truth: octets over plain streams of a virtual host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

import triomq
from triomq.testing import VirtualNetwork, VirtualStream
from triomq.testing._network import VirtualTcp

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)


def ready(socket_type: bytes) -> bytes:
    """A READY command."""
    body = b"\5READY\x0bSocket-Type" + len(socket_type).to_bytes(4, "big") + socket_type
    return bytes((4, len(body))) + body


def frame(body: bytes, flags: int = 0) -> bytes:
    """A frame of less than 256 octets."""
    return bytes((flags, len(body))) + body


def claim(size: int, flags: int = 0) -> bytes:
    """The head of a frame that says it is so large."""
    return bytes((flags | 2,)) + size.to_bytes(8, "big")


def tcp(net: VirtualNetwork, host: str) -> VirtualTcp:
    """Plain tcp of a host, without a context."""
    return VirtualTcp(net._fabric, net._fabric.host(host))


@asynccontextmanager
async def dial(net: VirtualNetwork, host: str, address: str) -> AsyncIterator[VirtualStream]:
    """A plain stream from a host to an address, closed in the end."""
    stream = await tcp(net, host).connect(address, triomq.Options())
    try:
        yield stream
    finally:
        stream.close()


async def say(stream: VirtualStream, *pieces: bytes) -> bool:
    """Send. Returns: whether the other end was still there."""
    try:
        for piece in pieces:
            await stream.send_all(piece)
    except trio.BrokenResourceError:
        return False
    return True


async def hear_end(stream: VirtualStream) -> bytes:
    """Everything until the other end closes the connection."""
    heard = b""
    try:
        while data := await stream.receive_some():
            heard += data
    except trio.BrokenResourceError:
        pass  # it closed with something unread
    return heard


async def listen(net: VirtualNetwork, host: str, port: int, octets: int) -> None:
    """Accept connections for ever, and close each after having said so many octets of a greeting and a READY."""
    listener = await tcp(net, host).listen(f"*:{port}", triomq.Options())
    try:
        while True:
            stream = await listener.accept()
            await say(stream, (GREETING + ready(b"PULL"))[:octets])
            stream.close()
    finally:
        listener.close()
