"""ZAP: authenticators that are sockets (RFC 27).

Theory of operation

A handler binds a REP or a ROUTER to ``inproc://zeromq.zap.01``, in the same context. One DEALER asks it for all sockets
of the context, several questions at a time, and knows the replies by the number of the question:

    asked      "", "1.0", number, domain, address, identity, mechanism, credential …
    answered   "", "1.0", number, status, text, user id, metadata

No task of its own receives the replies. Of the tasks that wait for a reply, one receives for all of them. When that one
has its own reply, or is cancelled, another takes its place.

Questions are queued for a handler that is there, up to the HWMs, and for no other. So what nobody waits for any more
takes memory up to a bound only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from .._context import Context
from .._errors import RemoteProtocolError
from .._security import Accept, AuthenticationRequest, Deny
from .._sockets import DEALER
from ..zmtp import parse_properties

ENDPOINT: Final = "inproc://zeromq.zap.01"
_VERSION: Final = b"1.0"
_FRAMES: Final = 7
_LONGEST: Final = 255  # characters of a string (RFC 27)
_ERROR: Final = 500


class _Question:
    """A question that waits for its reply."""

    __slots__ = ("verdict", "wake")

    def __init__(self) -> None:
        self.verdict: Accept | Deny | None = None
        self.wake = trio.Event()  # the reply is there, or it is this task's turn to receive


class ZapClient(trio.abc.AsyncResource):
    """An authenticator that asks a handler of ZAP 1.0 (RFC 27), such as one that was written for libzmq.

    The handler is a REP or a ROUTER of the same context that is bound to ``inproc://zeromq.zap.01``::

        ctx.authenticator(triomq.auth.ZapClient(ctx))

    The statuses 200, 300, 400 and 500 are an `Accept` or a `Deny`. With 200, the user id and the metadata become
    ``user_id`` and ``user_metadata`` of the peer. A reply that is not as it must be counts as status 500, and where no
    handler is bound the status is 300: the peer tries again soon.

    The address in a request is an IP address. For ``ipc`` it is ``:UID:GID:PID``, as libzmq has it, or empty.

    Args:
      ctx: the context of the handler. The client has a socket in it, until the context is left or `aclose` is called.
      domain: of every request: 1 to 255 ASCII characters.
    Raises:
      ValueError: the domain is not as it must be.
      trio.ClosedResourceError: the context was left.
    """

    def __init__(self, ctx: Context, domain: str = "global") -> None:
        if not isinstance(domain, str) or not domain.isascii() or not 0 < len(domain) <= _LONGEST:
            raise ValueError(f"ZapClient(domain={domain!r}): it is a str of 1 to {_LONGEST} ASCII characters (RFC 27)")
        self._domain = domain.encode()
        self._socket: DEALER = ctx.socket(DEALER, name="ZAP client", connect=ENDPOINT, linger=0, immediate=True)
        self._questions: dict[bytes, _Question] = {}
        self._receiver: _Question | None = None
        self._asked = 0

    async def __call__(self, request: AuthenticationRequest) -> Accept | Deny:
        """See `triomq.Authenticator`."""
        if not self._socket.peers:
            return Deny(300, f"no handler of ZAP is bound to {ENDPOINT}")
        self._asked += 1
        number, question = b"%d" % self._asked, _Question()
        self._questions[number] = question
        try:
            await self._socket.send([b"", _VERSION, number, self._domain, *_about(request)])
            while question.verdict is None:
                await self._receive_or_wait(question)
            return question.verdict
        finally:
            del self._questions[number]

    async def aclose(self) -> None:
        """Ask no more: where another authenticator takes this one's place. Whoever is asked about gets status 300."""
        await self._socket.aclose()

    async def _receive_or_wait(self, question: _Question) -> None:
        if self._receiver is not None:
            await question.wake.wait()
            question.wake = trio.Event()
            return
        self._receiver = question
        try:
            self._take(await self._socket.receive())
        finally:
            self._receiver = None
            # All of them: one alone might be cancelled before it takes its turn.
            for other in self._questions.values():
                if other is not question and other.verdict is None:
                    other.wake.set()

    def _take(self, reply: Sequence[bytes]) -> None:
        """Give a reply to its question."""
        asked = self._questions.get(reply[2]) if len(reply) > 2 else None
        if asked is not None:
            asked.verdict = read_reply(reply)
            asked.wake.set()
            return
        if len(reply) == _FRAMES and not reply[0] and reply[1] == _VERSION:
            return  # nobody waits for this answer any more
        # It may be for any of them. A handler that breaks the rules lets nobody in, and keeps nobody waiting.
        broken = Deny(_ERROR, f"a reply of the ZAP handler is for no request: {reply!r:.200}")
        for other in self._questions.values():
            other.verdict = other.verdict or broken
            other.wake.set()

    def __repr__(self) -> str:
        return f"<ZapClient {self._domain.decode()!r}>"


def _about(request: AuthenticationRequest) -> list[bytes]:
    """The frames of a request from the address on."""
    process = request.process
    where = request.ip or (f":{process.uid}:{process.gid}:{process.pid}" if process is not None else "")
    return [where.encode(), request.routing_id, request.mechanism.encode(), *request.credentials]


def read_reply(reply: Sequence[bytes]) -> Accept | Deny:
    """The verdict in a reply; one that breaks RFC 27 is a denial with status 500."""
    try:
        return _read(reply)
    except (ValueError, RemoteProtocolError) as exc:
        return Deny(_ERROR, f"the ZAP handler's reply breaks the rules (RFC 27): {exc}")


def _read(reply: Sequence[bytes]) -> Accept | Deny:
    if len(reply) != _FRAMES:
        raise ValueError(f"{len(reply)} frames, not {_FRAMES}")
    delimiter, version, _, status, text, user_id, metadata = reply
    if delimiter:
        raise ValueError("no empty frame before it")
    if version != _VERSION:
        raise ValueError(f"version {version!r:.20}, not {_VERSION!r}")
    if status not in (b"200", b"300", b"400", b"500"):
        raise ValueError(f"status {status!r:.20}, not 200, 300, 400 or 500")
    if status != b"200":
        return Deny(int(status), text[:_LONGEST].decode("ascii", "backslashreplace"))
    return Accept(user_id.decode("ascii"), dict(parse_properties(metadata, 0)))
