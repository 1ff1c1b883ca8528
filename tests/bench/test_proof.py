"""No figure without a proof that nothing was lost: the plans of publications, and what counts replies."""

from __future__ import annotations

import json

import pytest

from bench import fanout, works
from bench.job import Job, LostMessageError
from bench.kinds import PUBLISH_BATCH
from bench.neutral import zmtp
from bench.neutral.exchange import _Flow


def job_of(name: str, warm: int, count: int) -> Job:
    return Job(work=works.by_name(name), warm=warm, count=count)


# -- publications ------------------------------------------------------------------------------------


def deliver(job: Job, lost: int | None = None) -> int:
    """Give each publication to whom it is for, but the `lost` one of all. Returns: the acknowledgements."""
    gathering = fanout.Gathering(job)
    topics = [fanout.topics_of(job, number) for number in range(job.work.subscribers)]
    received: list[list[bytes]] = [[] for _ in topics]
    acknowledged = number = 0
    for needed, batch in fanout.publications(job):
        assert needed <= acknowledged  # or the publisher would wait for ever
        for message in batch:
            number += 1
            if number - 1 == lost:
                continue
            for subscriber, wanted in enumerate(topics):
                if not any(message.startswith(topic) for topic in wanted):
                    continue
                mine = received[subscriber]
                mine.append(message)
                if len(mine) % PUBLISH_BATCH == 0:
                    acknowledged += gathering.finish(subscriber, len(mine) // PUBLISH_BATCH - 1, message)
    return acknowledged


@pytest.mark.parametrize("name", ["pub-to-10", "pub-mixed-to-100", "subs-1", "subs-100", "subs-10k"])
def test_every_publication_is_counted(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    step = works.by_name(name).step
    job = job_of(name, warm=2 * step, count=5 * step)
    assert deliver(job) == 7
    said = json.loads(capsys.readouterr().out)
    assert said["count"] == 5 * step
    assert said["seconds"] > 0


def test_each_message_fits_one_of_many_subscriptions() -> None:
    job = job_of("subs-10k", warm=200, count=200)
    topics = set(fanout.topics_of(job, 0))
    assert len(topics) == fanout.subscriptions(job) == 10_000
    (_, batch), (_, another), *_ = fanout.publications(job)
    assert all(len(message) == job.work.size and message[:6] in topics for message in batch + another)
    assert len({message[:6] for message in batch + another}) == 2 * PUBLISH_BATCH


@pytest.mark.parametrize("name", ["subs-1", "subs-100", "subs-10k", "subs-100k"])
def test_all_of_many_subscriptions_have_their_messages(name: str) -> None:
    job = job_of(name, warm=0, count=100_000)
    sent = {message[:6] for _, batch in fanout.publications(job) for message in batch}
    assert sent == set(fanout.topics_of(job, 0))


def test_a_lost_publication_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((LostMessageError, AssertionError)):  # the latter: an acknowledgement that never comes
        deliver(job_of("subs-100", warm=200, count=400), lost=230)
    assert "seconds" not in capsys.readouterr().out


# -- replies -----------------------------------------------------------------------------------------


def flow_of(warm: int = 20, count: int = 80) -> _Flow:
    return _Flow(job_of("proxy-10x3", warm=warm, count=count), clients=10)


def test_replies_are_counted_however_they_are_cut() -> None:
    flow, one = flow_of(), len(zmtp.frame(b"m" * 10))
    wire, partial, sent = bytearray(flow.requests(flow.window)), bytearray(), 0
    assert len(wire) == 10 * one
    while wire:
        piece, wire = wire[:7], wire[7:]
        sent += len(piece)
        wire += flow.replies(partial, bytes(piece))
    assert sent == 100 * one
    seconds, count = flow.finish()
    assert count == 80
    assert seconds > 0


def test_replies_of_mixed_sizes_are_counted_by_their_lengths() -> None:
    flow = _Flow(job_of("proxy-mixed", warm=20, count=80), clients=10)
    wire, partial = bytearray(flow.requests(flow.window)), bytearray()
    while wire:
        piece, wire = wire[:17], wire[17:]
        wire += flow.replies(partial, bytes(piece))
    assert flow.finish()[1] == 80
    assert not partial


def test_a_reply_that_is_not_the_last_requests_is_no_proof() -> None:
    flow = flow_of()
    flow.requests(100)
    flow.replies(bytearray(), zmtp.frame(b"m" * 10) * 100)
    with pytest.raises(LostMessageError):
        flow.finish()


def test_a_reply_that_is_missing_is_noticed() -> None:
    flow = flow_of()
    flow.replies(bytearray(), flow.requests(100)[len(zmtp.frame(b"m" * 10)) :])
    with pytest.raises(LostMessageError, match="99 of 100"):
        flow.finish()
