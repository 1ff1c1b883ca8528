"""What triomq promises, and a mark that says which of it a scenario puts to the test.

`test_promises` holds that each promise has several scenarios; ``pytest tests/scenarios --promises`` lists them.
"""

from __future__ import annotations

import pytest

PROMISES = {
    1: "send cancelled: nobody accepted the message, ever; send returned: it was accepted whole",
    2: "receive cancelled: the next receive gets the message; multi-part messages are atomic",
    3: "order is kept between two peers, and nothing is delivered twice",
    4: "a full peer blocks or drops as its socket type says, that peer only; drops are counted",
    5: "connect before bind, restart either side, in any order: it heals by itself, and queues are kept",
    6: "closing sends for up to linger, then stops; a cancelled scope stops at once; who is blocked learns of it",
    7: "no octets of a peer raise in the user's task, stop another peer, or take memory; faults are events",
    8: "every async method is a cancellation point in every call, and a schedule point once in 64 messages",
    9: "a socket may be used by several tasks at once; from another thread it raises",
    10: "after the context is left there is no task, descriptor or reference cycle of ours",
}


def promise(*numbers: int) -> pytest.MarkDecorator:
    """Mark a scenario with the promises it tests."""
    assert set(numbers) <= set(PROMISES)
    return pytest.mark.promise(*numbers)
