"""Several authenticators as one."""

from __future__ import annotations

from .._security import Accept, AuthenticationRequest, Authenticator, Deny


class AllOf:
    """An authenticator that lets in who is let in by all of several.

    They are asked one after the other; the first that denies is the last that is asked. Of what they say, the last
    ``user_id`` that is not empty counts, and all of the metadata, a later value before an earlier one.

    Args:
      authenticators: one at least; the cheapest first.
    Raises:
      TypeError: there is none, or one of them is not callable.
    """

    def __init__(self, *authenticators: Authenticator) -> None:
        if not authenticators or not all(map(callable, authenticators)):
            raise TypeError("AllOf takes authenticators: async functions, or objects of triomq.auth")
        self._authenticators = authenticators

    async def __call__(self, request: AuthenticationRequest) -> Accept | Deny:
        """See `triomq.Authenticator`."""
        user_id, metadata = "", dict[str, bytes]()
        for authenticator in self._authenticators:
            verdict = await authenticator(request)
            if not isinstance(verdict, Accept):
                return verdict
            user_id = verdict.user_id or user_id
            metadata |= verdict.metadata
        return Accept(user_id, metadata)

    def __repr__(self) -> str:
        return f"<AllOf {self._authenticators!r}>"
