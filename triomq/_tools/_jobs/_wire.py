"""What the two ends of a job channel say to each other: frames behind the routing id of a ROUTER.

The protocol is written down for programs in other languages in docs/reference/job-protocol.rst. The sender has the
ROUTER, the receiver has the DEALER.

    DEALER to ROUTER                        ROUTER to DEALER
    (empty)                                 HELLO token
    READY token count                       JOB   token number frame...
    DONE  token number [frame...]
    BACK  token number
"""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs

from ..._message import Frames

HELLO: Final = b"HELLO"
READY: Final = b"READY"
JOB: Final = b"JOB"
DONE: Final = b"DONE"
BACK: Final = b"BACK"

MOST_DIGITS: Final = 9  # of a number that a peer says
MOST_CREDIT: Final = 10**MOST_DIGITS  # jobs; a peer that has asked for more has asked for as many
HEADER_FRAMES: Final = 4  # before the frames of a job or of a result, the routing id among them
TOKEN_SIZE: Final = 8  # bytes of the tokens that are made here


@attrs.frozen
class Probe:
    """A receiver has a new connection: what it asked for and was given before is void."""


@attrs.frozen
class Ready:
    """The receiver takes ``count`` more jobs."""

    token: bytes
    count: int


@attrs.frozen
class Done:
    """The receiver has done a job."""

    token: bytes
    number: bytes
    result: Frames


@attrs.frozen
class Back:
    """The receiver gives up a job that it has not done."""

    token: bytes
    number: bytes


Said: TypeAlias = Probe | Ready | Done | Back


def parse(frames: Frames) -> Said | None:
    """What a receiver said, without the routing id; None where that has no meaning."""
    match frames:
        case (b"",):
            return Probe()
        case (kind, token, count) if kind == READY and len(count) <= MOST_DIGITS and count.isdigit():
            return Ready(token, int(count))
        case (kind, token, number, *result) if kind == DONE:
            return Done(token, number, tuple(result) or (b"",))
        case (kind, token, number) if kind == BACK:
            return Back(token, number)
    return None
