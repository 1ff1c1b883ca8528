"""Requests to authenticators, as a socket would make them."""

from __future__ import annotations

from typing import Any

from triomq import AuthenticationRequest

from ..zmtp.curve_peer import key_pair

SERVER, JOE, JIM = key_pair(1), key_pair(2), key_pair(3)
ADDRESS = "tcp://192.0.2.7:50312"


def request(mechanism: str = "NULL", *credentials: bytes, **more: Any) -> AuthenticationRequest:
    known = {"address": ADDRESS, "endpoint": "tcp://*:5555", "socket_type": "PULL", **more}
    return AuthenticationRequest(mechanism=mechanism, credentials=credentials, **known)


def of_key(key: bytes) -> AuthenticationRequest:
    return request("CURVE", key)


def of_user(name: str, password: str) -> AuthenticationRequest:
    return request("PLAIN", name.encode(), password.encode())
