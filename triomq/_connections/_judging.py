"""A verdict on one peer: the authenticator is asked, and the peer is watched meanwhile."""

from __future__ import annotations

from typing import Final

import trio

from .. import _security, zmtp
from .._errors import DeniedError, MechanismMismatchError, RefusedByPeerError
from .._transports import NonblockingStream, try_receive
from ._carrier import PeerHost

_MOST_KEPT: Final = 4096  # bytes that are kept of a peer that should be waiting
_LOOK_EVERY: Final = 1.0  # seconds, at a peer that said more than that


async def judge_peer(
    host: PeerHost,
    endpoint: str,
    stream: NonblockingStream,
    protocol: zmtp.WireProtocol,
    question: zmtp.AuthenticationRequested,
) -> None:
    """Ask whether the peer may come in, and tell the protocol.

    Raises:
      DeniedError: it may not.
      trio.BrokenResourceError: it left meanwhile; or no descriptor is free, and nobody can be asked.
    Cancellation: the authenticator is cancelled, and the question may be asked again.
    """
    address = getattr(stream, "peer", endpoint)
    try:
        new_request = _security.AuthenticationRequest  # imported for the first question
    except OSError as exc:
        raise trio.BrokenResourceError(f"nobody can be asked whether {address} may come in: {exc}") from exc
    request = new_request(
        mechanism=question.mechanism,
        credentials=question.credentials,
        address=address,
        endpoint=endpoint,
        socket_type=host.socket_type,
        routing_id=question.metadata.get("Identity", b""),
        metadata=question.metadata,
        process=getattr(stream, "process", None),
    )
    verdict: _security.Accept | _security.Deny | None = None
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_until_gone, stream, protocol, nursery.cancel_scope)
        try:
            verdict = await host.gate.judge(request)
        except Exception as exc:  # of the user's code: who was not judged does not come in, and the event says why
            verdict, failure = _security.Deny(500, f"the authenticator raised {type(exc).__name__}"), exc
        if nursery.cancel_scope.cancel_called:  # by an authenticator that does not let itself be cancelled
            verdict = None
        nursery.cancel_scope.cancel(reason="triomq: the verdict is there")
    if verdict is None:
        raise trio.BrokenResourceError("the peer left before the authenticator had answered")
    if isinstance(verdict, _security.Accept):
        protocol.accept(verdict.user_id, verdict.metadata)
        return
    text = f"{_who(question)} was not let in: {verdict.status}{verdict.text and ', '}{verdict.text}"
    protocol.deny(verdict.status, text)
    try:
        protocol.receive_data(b"", 1)
    except DeniedError as denied:
        raise denied from failure


async def _until_gone(stream: NonblockingStream, protocol: zmtp.WireProtocol, asking: trio.CancelScope) -> None:
    """Cancel a question when the peer has left. What it says meanwhile is kept, as far as it is little."""
    kept = 0
    try:
        while kept < _MOST_KEPT:
            await stream.wait_receivable()
            received = try_receive(stream, _MOST_KEPT - kept)
            if received == b"":
                break
            if received is not None:
                kept += len(received)
                protocol.receive_data(received, 0)
        else:
            while not stream.peer_ended():  # noqa: ASYNC110  # no event tells of it
                await trio.sleep(_LOOK_EVERY)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # it has left, all the same
    asking.cancel(reason="triomq: the peer left")


def is_refusal(error: Exception | None, refuses: bool) -> bool:
    """Whether one side refused the other, and would do so again.

    Args:
      error: why the connection ended.
      refuses: this side told the peer why.
    """
    if isinstance(error, (RefusedByPeerError, DeniedError)):
        return error.status != zmtp.TEMPORARY
    return refuses or isinstance(error, MechanismMismatchError)


def _who(question: zmtp.AuthenticationRequested) -> str:
    """Who wants to come in, without its secrets."""
    if question.mechanism == "PLAIN":
        return f"PLAIN user {question.credentials[0][:64]!r}"
    if question.mechanism == "CURVE":
        return f"CURVE key {_security.z85_encode(question.credentials[0])}"
    return f"a peer of {question.mechanism}"
