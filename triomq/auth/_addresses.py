"""An authenticator that allows peers by where they come from."""

from __future__ import annotations

from .._security import Accept, AllowList, AuthenticationRequest, Deny


class AllowAddresses:
    """An authenticator that lets in who comes from a place in a list.

    The option ``accept_from`` does the same earlier, for one socket, and without a word to the peer. This is for all
    sockets of a context, and goes together with other authenticators in `AllOf`.

    Args:
      allowed: each an IP address or a network, such as ``"192.0.2.0/24"``; or for ``ipc`` a user or a group of this
        machine, as ``"uid:1000"`` or ``"gid:100"``.
    Raises:
      ValueError: one of them is none of these, or there is none.
    """

    def __init__(self, *allowed: str) -> None:
        try:
            self._list = AllowList(allowed)
        except ValueError as exc:
            raise ValueError(f"AllowAddresses: {exc}") from None

    async def __call__(self, request: AuthenticationRequest) -> Accept | Deny:
        """See `triomq.Authenticator`."""
        if self._list.allows(request.address, request.process):
            return Accept()
        return Deny(400, f"{request.address} is not on the list of addresses")

    def __repr__(self) -> str:
        return f"<AllowAddresses {self._list!r}>"
