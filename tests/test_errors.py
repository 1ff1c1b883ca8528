"""The exception tree: what a user may catch, and what an error tells."""

from __future__ import annotations

import copy
import errno
import pickle

import pytest
import trio

from triomq import _errors
from triomq._errors import (
    AddressInUseError,
    DeniedError,
    EndpointError,
    HandshakeRefusedError,
    InternalError,
    LocalProtocolError,
    MechanismMismatchError,
    ProtocolError,
    RefusedByPeerError,
    RemoteProtocolError,
    UnroutableError,
    UnsupportedTransportError,
    WrongStateError,
    WrongThreadError,
    ZmqError,
    cancellation_alone,
)

EVERY_ERROR = [thing for thing in vars(_errors).values() if isinstance(thing, type) and thing.__module__ == "triomq"]


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_every_error_is_a_zmq_error(error: type[Exception]) -> None:
    assert issubclass(error, ZmqError)
    assert error.__name__.endswith("Error")


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (WrongStateError, RuntimeError),
        (UnroutableError, trio.BrokenResourceError),
        (EndpointError, ValueError),
        (UnsupportedTransportError, EndpointError),
        (AddressInUseError, OSError),
        (WrongThreadError, RuntimeError),
        (LocalProtocolError, ProtocolError),
        (RemoteProtocolError, ProtocolError),
        (RefusedByPeerError, RemoteProtocolError),
    ],
)
def test_an_error_is_also_what_a_trio_or_python_user_catches(error: type[Exception], also: type[Exception]) -> None:
    assert issubclass(error, also)


def test_a_fault_of_ours_and_one_of_the_peer_are_told_apart() -> None:
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)
    assert not issubclass(InternalError, ProtocolError)


def test_remote_protocol_error_says_where() -> None:
    error = RemoteProtocolError("the signature is wrong", 9)
    assert error.offset == 9
    assert str(error) == "the signature is wrong (at octet 9)"


def test_remote_protocol_error_need_not_say_where() -> None:
    error = RemoteProtocolError("the signature is wrong")
    assert error.offset is None
    assert str(error) == "the signature is wrong"


def test_offset_zero_is_a_place() -> None:
    assert str(RemoteProtocolError("no greeting", 0)) == "no greeting (at octet 0)"


def test_address_in_use_has_the_errno_that_bind_has() -> None:
    error = AddressInUseError(errno.EADDRINUSE, "inproc://a is bound already")
    assert error.errno == errno.EADDRINUSE
    assert "inproc://a is bound already" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        UnroutableError("no peer b'x'", b"x"),
        RemoteProtocolError("the signature is wrong", 9),
        RefusedByPeerError("go away"),
        RefusedByPeerError("400, not let in", status=400),
        DeniedError("PLAIN user b'a' was not let in", 300),
        MechanismMismatchError("the peer wants mechanism 'NULL', this side PLAIN", b"NULL", "PLAIN", 12),
        HandshakeRefusedError("PUSH.wait_peers: no connection to tcp://a:1", "tcp://a:1"),
        AddressInUseError(errno.EADDRINUSE, "taken"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_an_error_survives_being_copied_with_all_it_knows(error: Exception, again) -> None:
    other = again(error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert vars(other) == vars(error)


@pytest.mark.parametrize("others", [[], [KeyboardInterrupt()], [SystemExit(1)]], ids=repr)
def test_where_nothing_was_cancelled_no_failure_is_dropped(others: list[BaseException]) -> None:
    group = BaseExceptionGroup("several", [KeyError("a bug"), *others])
    with pytest.raises(BaseExceptionGroup) as caught, cancellation_alone():
        raise group
    assert caught.value is group


async def test_of_what_was_cancelled_and_failed_over_that_the_cancellation_is_left() -> None:
    async def fail_if_cancelled() -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise KeyError("a bug") from None

    with trio.CancelScope() as scope:
        scope.cancel()
        with cancellation_alone():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_if_cancelled)
                nursery.start_soon(trio.sleep_forever)
    assert scope.cancelled_caught
