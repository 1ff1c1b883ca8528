"""CURVE written a second time, for tests: straight from RFC 26, on PyNaCl's other interface, and able to lie.

Every command is a function of its fields, and each field can be given. What is not given is right.
"""

from __future__ import annotations

import random
from typing import Any

from nacl.public import Box, PrivateKey, PublicKey

from triomq import KeyPair

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE" + bytes(47)
METADATA = b"\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x02me"


def command(name: bytes, data: bytes) -> bytes:
    """A frame with a command."""
    body = bytes((len(name),)) + name + data
    return (bytes((4, len(body))) if len(body) < 256 else b"\x06" + len(body).to_bytes(8, "big")) + body


def message(body: bytes, flags: int = 0) -> bytes:
    """A frame."""
    return (bytes((flags, len(body))) if len(body) < 256 else bytes((flags | 2,)) + len(body).to_bytes(8, "big")) + body


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def key_pair(seed: int) -> KeyPair:
    """The same for the same seed."""
    return KeyPair.generate(random.Random(seed).randbytes)


def box(theirs: bytes, ours: bytes) -> Box:
    return Box(PrivateKey(ours), PublicKey(theirs))


def seal(theirs: bytes, ours: bytes, nonce: bytes, data: bytes) -> bytes:
    return box(theirs, ours).encrypt(data, nonce).ciphertext


class Client:
    """A client played by hand."""

    def __init__(self, server_key: bytes, keys: KeyPair | None = None, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.server_key = server_key
        self.keys = keys or key_pair(seed + 1000)
        self.short = KeyPair.generate(self.random.randbytes)
        self.server_short = b""
        self.cookie = b""

    def hello(self, **changed: Any) -> bytes:
        f = {"version": b"\1\0", "padding": bytes(72), "client": self.short.public_key, "nonce": number(1), **changed}
        zeros = f.get("zeros", bytes(64))
        signature = seal(self.server_key, self.short.secret_key, b"CurveZMQHELLO---" + f["nonce"], zeros)
        return command(
            b"HELLO",
            f["version"] + f["padding"] + f["client"] + f["nonce"] + f.get("box", signature) + f.get("more", b""),
        )

    def take_welcome(self, octets: bytes) -> None:
        assert octets[:10] == b"\x04\xa8\x07WELCOME"
        assert len(octets) == 170
        nonce, sealed = octets[10:26], octets[26:]
        data = box(self.server_key, self.short.secret_key).decrypt(sealed, b"WELCOME-" + nonce)
        self.server_short, self.cookie = data[:32], data[32:]

    def initiate(self, **changed: Any) -> bytes:
        f = {"nonce": number(2), "cookie": self.cookie, "vouched": self.short.public_key + self.server_key, **changed}
        vouch_nonce = self.random.randbytes(16)
        voucher = f.get("voucher", self.keys.secret_key)
        vouch = vouch_nonce + seal(self.server_short, voucher, b"VOUCH---" + vouch_nonce, f["vouched"])
        data = f.get("key", self.keys.public_key) + f.get("vouch", vouch) + f.get("metadata", METADATA)
        sealed = seal(self.server_short, self.short.secret_key, b"CurveZMQINITIATE" + f["nonce"], data)
        return command(b"INITIATE", f["cookie"] + f["nonce"] + f.get("box", sealed))

    def take_ready(self, octets: bytes) -> bytes:
        """The server's metadata."""
        start = 2 if octets[0] == 4 else 9
        assert octets[start : start + 6] == b"\5READY"
        nonce, sealed = octets[start + 6 : start + 14], octets[start + 14 :]
        return box(self.server_short, self.short.secret_key).decrypt(sealed, b"CurveZMQREADY---" + nonce)

    def message(self, nonce: int, body: bytes, flags: int = 0, *, outside: int = 0, prefix: bytes = b"C") -> bytes:
        full = b"CurveZMQMESSAGE" + prefix + number(nonce)
        sealed = seal(self.server_short, self.short.secret_key, full, bytes((flags,)) + body)
        return message(b"\7MESSAGE" + number(nonce) + sealed, outside)


class Server:
    """A server played by hand."""

    def __init__(self, keys: KeyPair, seed: int = 8) -> None:
        self.random = random.Random(seed)
        self.keys = keys
        self.short = KeyPair.generate(self.random.randbytes)
        self.client = b""

    def take_hello(self, octets: bytes) -> None:
        assert octets[:10] == b"\x04\xc8\5HELLO\1\0"
        assert octets[10:82] == bytes(72)
        self.client = octets[82:114]
        zeros = box(self.client, self.keys.secret_key).decrypt(octets[122:], b"CurveZMQHELLO---" + octets[114:122])
        assert zeros == bytes(64)

    def welcome(self, **changed: Any) -> bytes:
        nonce = self.random.randbytes(16)
        cookie = changed.get("cookie", self.random.randbytes(96))
        secret = changed.get("secret", self.keys.secret_key)
        data = changed.get("short", self.short.public_key) + cookie
        return command(
            b"WELCOME", nonce + seal(self.client, secret, b"WELCOME-" + nonce, data) + changed.get("more", b"")
        )

    def take_initiate(self, octets: bytes) -> tuple[bytes, bytes, bytes]:
        """The cookie, the client's public key, and its metadata."""
        assert octets[0] == 6
        data = octets[9:]
        assert data[:9] == b"\x08INITIATE"
        cookie, nonce, sealed = data[9:105], data[105:113], data[113:]
        inside = box(self.client, self.short.secret_key).decrypt(sealed, b"CurveZMQINITIATE" + nonce)
        key, vouch = inside[:32], inside[32:128]
        vouched = box(key, self.short.secret_key).decrypt(vouch[16:], b"VOUCH---" + vouch[:16])
        assert vouched == self.client + self.keys.public_key
        return cookie, key, inside[128:]

    def ready(self, metadata: bytes = METADATA, nonce: int = 1) -> bytes:
        full = b"CurveZMQREADY---" + number(nonce)
        return command(b"READY", number(nonce) + seal(self.client, self.short.secret_key, full, metadata))

    def message(self, nonce: int, body: bytes, flags: int = 0) -> bytes:
        full = b"CurveZMQMESSAGES" + number(nonce)
        return message(
            b"\7MESSAGE" + number(nonce) + seal(self.client, self.short.secret_key, full, bytes((flags,)) + body)
        )
