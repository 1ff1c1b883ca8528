"""Pairs of sockets to put a proxy between."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

import triomq

ENDPOINTS = pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "inproc://"])


class Line:
    """Sockets of one context, in pairs that are connected."""

    def __init__(self, ctx: triomq.Context, endpoint: str) -> None:
        self._ctx = ctx
        self._endpoint = endpoint
        self._number = 0

    async def pair(self, bound: type[Any], connected: type[Any], **options: Any) -> tuple[Any, Any]:
        """A socket, and another one connected to it that has subscribed where it could."""
        one = self._ctx.socket(bound, **options)
        other = await self.connect(connected, one, **{key: options[key] for key in options if key == "hwm"})
        return one, other

    async def connect(self, type_: type[Any], to: Any, **options: Any) -> Any:
        """A socket connected to that one."""
        if not to.endpoints:
            self._number += 1
            await to.bind(f"{self._endpoint}{self._number}" if self._endpoint == "inproc://" else self._endpoint)
        if type_ is triomq.SUB:
            options["topics"] = [""]
        socket = self._ctx.socket(type_, **options)
        socket.connect(to.endpoints[0])
        await socket.wait_peers()
        await trio.testing.wait_all_tasks_blocked()
        return socket


def taken(socket: Any) -> list[bytes]:
    """What can be received at once: the last frame of each."""
    found: list[bytes] = []
    try:
        while True:
            found.append(socket.receive_nowait()[-1])
    except trio.WouldBlock:
        return found


def numbers(*limits: int) -> list[bytes]:
    return [b"%d" % number for number in range(*limits)]


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)
