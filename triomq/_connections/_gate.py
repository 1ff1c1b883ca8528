"""The gate of a context: where the sessions of all its sockets ask whether a peer may come in."""

from __future__ import annotations

import trio

from .. import _security
from .._errors import cancellation_alone


class Gate:
    """Asks the authenticator of a context.

    Attributes:
      authenticator: what is asked; None if nobody is.
    """

    def __init__(self) -> None:
        self.authenticator: _security.Authenticator | None = None
        self._limiter = trio.CapacityLimiter(1)

    def set(self, authenticator: _security.Authenticator | None, max_requests: int) -> None:
        """Ask this authenticator from now on; requests under way are answered by the one before."""
        self.authenticator = authenticator
        self._limiter = trio.CapacityLimiter(max_requests)

    @property
    def asks(self) -> bool:
        """Somebody is asked."""
        return self.authenticator is not None

    async def judge(self, request: _security.AuthenticationRequest) -> _security.Accept | _security.Deny:
        """Ask whether a peer may come in; wait for a turn, if too many requests are under way.

        Cancellation: the authenticator is cancelled.
        Raises:
          Exception: the authenticator raised it, or returned something else than an answer. The peer must be refused.
        """
        authenticator = self.authenticator
        if authenticator is None:
            return _security.Deny(
                500, "no authenticator: give the context one by ctx.authenticator(…), or name the users"
            )
        async with self._limiter:
            with cancellation_alone():
                verdict = await authenticator(request)
        if not isinstance(verdict, (_security.Accept, _security.Deny)):
            raise TypeError(f"an authenticator returns triomq.Accept or triomq.Deny, not {type(verdict).__name__}")
        return verdict
