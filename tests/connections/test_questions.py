"""Questions to a peer by themselves: which PINGs are sent, and which PONGs answer them."""

from __future__ import annotations

import random

from triomq._connections._questions import Questions
from triomq.zmtp import Ping


class Rig:
    """A peer that answers when it is told to."""

    def __init__(self) -> None:
        self.sent: list[Ping] = []
        self.questions = Questions(self.sent.append)

    def answer(self, ping: Ping | None = None) -> bool:
        """The PONG to a PING, the last one if none is given."""
        return self.questions.pong_received((ping or self.sent[-1]).context, 0.0)


def test_two_pings_one_after_the_other_answer_a_question() -> None:
    rig = Rig()
    question = rig.questions.ask(0.0)
    assert len(rig.sent) == 1
    assert rig.answer()
    assert not question.done
    assert len(rig.sent) == 2
    assert rig.answer()
    assert question.done
    assert len(rig.sent) == 2


def test_what_was_asked_while_a_ping_is_under_way_is_answered_by_later_ones() -> None:
    """The PING that is under way may stand before what the question is about."""
    rig = Rig()
    first = rig.questions.ask(0.0)
    second, third = rig.questions.ask(0.0), rig.questions.ask(0.0)
    assert len(rig.sent) == 1
    rig.answer()
    rig.answer()
    assert (first.done, second.done, third.done) == (True, False, False)
    rig.answer()
    assert (second.done, third.done) == (True, True)
    assert len(rig.sent) == 3


def test_only_the_context_of_the_last_ping_is_an_answer() -> None:
    """Not the PONG of a heartbeat, nor one that comes twice, nor one that nobody asked for."""
    rig = Rig()
    assert not rig.questions.pong_received(b"", 0.0)
    question = rig.questions.ask(0.0)
    for context in (b"", b"\0\1", b"x" * 16):
        assert not rig.questions.pong_received(context, 0.0)
    old = rig.sent[-1]
    rig.answer()
    assert not rig.answer(old)
    assert not question.done
    rig.answer()
    assert not rig.answer()
    assert question.done


def test_the_pings_promise_what_the_heartbeats_promise() -> None:
    """The last PING counts, whatever it was sent for."""
    rig = Rig()
    rig.questions.ask(3.0)
    rig.questions.pong_received(rig.sent[-1].context, 3.0)
    assert [ping.ttl for ping in rig.sent] == [3.0, 3.0]


def test_however_many_ask_there_is_one_ping_under_way() -> None:
    rng = random.Random(5)
    rig, open_questions, asked = Rig(), [], 0
    for _ in range(1000):
        under_way = len(rig.sent) - rig.questions.answered
        assert under_way == (1 if open_questions else 0)
        if rng.random() < 0.5:
            open_questions.append(rig.questions.ask(0.0))
            asked += 1
        elif under_way:
            rig.answer()
        open_questions = [question for question in open_questions if not question.done]
    assert len(rig.sent) <= 2 * asked
