"""Mechanisms and authenticators, as a type checker sees them."""

from __future__ import annotations

from collections.abc import Callable

import triomq
from triomq.abc import Security
from triomq.zmtp import Mechanism, Null


async def judge(request: triomq.AuthenticationRequest) -> triomq.Accept | triomq.Deny:
    if request.username == b"admin" or len(request.public_key) == 32:
        return triomq.Accept("joe", {"Role": b"cook"})
    return triomq.Deny(400, "not today")


async def lenient(_: triomq.AuthenticationRequest) -> triomq.Accept:
    return triomq.Accept()


async def wrong(_: triomq.AuthenticationRequest) -> bool:
    return True


def hasty(_: triomq.AuthenticationRequest) -> triomq.Accept:
    return triomq.Accept()


class Own(Security):
    name = "OWN"

    def new_mechanism(self, *, as_server: bool, asks: bool, random_bytes: Callable[[int], bytes]) -> Mechanism:
        return Null(asks=asks and as_server)


async def use(ctx: triomq.Context) -> None:
    keys = triomq.KeyPair.generate()
    ctx.authenticator(judge, max_requests=10)
    ctx.authenticator(lenient)
    ctx.authenticator(None)
    ctx.authenticator(wrong)  # type: ignore[arg-type]
    ctx.authenticator(hasty)  # type: ignore[arg-type]
    ctx.socket(triomq.REP, mechanism=triomq.Curve.server(keys, clients={keys.public_key, keys.public_text}))
    ctx.socket(triomq.REQ, mechanism=triomq.Curve(keys.public_text, keys))
    ctx.socket(triomq.REP, mechanism=triomq.Plain.server({"admin": "secret"}))
    ctx.socket(triomq.REQ, mechanism=triomq.Plain("admin", "secret"))
    ctx.socket(triomq.REQ, mechanism=Own())
    socket = ctx.socket(triomq.ROUTER, mechanism=None)
    names: list[str] = [peer.user_id for peer in socket.peers]
    roles: list[bytes | None] = [peer.user_metadata.get("Role") for peer in socket.peers]
    del names, roles
    ctx.socket(triomq.REQ, mechanism="CURVE")  # type: ignore[arg-type]
    ctx.socket(triomq.REQ, mechanism=triomq.Plain)  # type: ignore[arg-type]
    triomq.Plain("admin", 1)  # type: ignore[arg-type]
    triomq.Curve()  # type: ignore[call-arg]
