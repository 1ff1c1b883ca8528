"""An authenticator that allows peers of PLAIN by name and password."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from .._security import Accept, AuthenticationRequest, Deny

_MOST = 255  # bytes in a name, and in a password


class AllowUsers:
    """An authenticator that lets in who knows the password of a name.

    The socket has ``mechanism=Plain.server()``. The name becomes the peer's ``user_id``, if it is ASCII.

    Args:
      passwords: of each name.
    Raises:
      TypeError, ValueError: a name or a password is not as it must be. The text does not show it.
    """

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords: dict[bytes, bytes] = {}
        self.replace(passwords)

    def replace(self, passwords: Mapping[str, str]) -> None:
        """Ask for these from now on. Peers that are in stay.

        Raises:
          TypeError, ValueError: a name or a password is not as it must be; the old ones count still.
        """
        if not isinstance(passwords, Mapping):
            raise TypeError(f"AllowUsers takes a mapping of names to passwords, not {type(passwords).__name__}")
        self._passwords = {_encoded("name", name): _encoded("password", one) for name, one in passwords.items()}

    async def __call__(self, request: AuthenticationRequest) -> Accept | Deny:
        """See `triomq.Authenticator`."""
        if request.mechanism != "PLAIN":
            return Deny(400, f"a peer of {request.mechanism}, where PLAIN is asked for")
        name, known = request.username, self._passwords.get(request.username)
        # Always one comparison, so that the time does not tell which names there are.
        right = hmac.compare_digest(request.password, request.password + b"." if known is None else known)
        if not right:
            return Deny(400, "the password is wrong" if known is not None else "there is no such user")
        return Accept(name.decode() if name.isascii() else "")

    def __repr__(self) -> str:
        return f"<AllowUsers {len(self._passwords)} users>"


def _encoded(what: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"AllowUsers: a {what} is a str, not {type(value).__name__}")
    encoded = value.encode()
    if len(encoded) > _MOST or (what == "name" and not encoded):
        raise ValueError(f"AllowUsers: a {what} has up to {_MOST} bytes, and a name one at least; not {len(encoded)}")
    return encoded
