"""The ledger of a job channel against a model: no job is forgotten, and nobody is skipped."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from triomq import Message
from triomq._tools._jobs import _wire as wire
from triomq._tools._jobs._ledger import Job, Ledger, Worker

NAMES = st.sampled_from([b"a", b"b", b"c"])
MOST_REPEATS, MAX_CREDIT = 2, 3


class LedgerMachine(RuleBasedStateMachine):
    """Every job is in one place: to be handed out again, with one worker, done, or lost."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(MOST_REPEATS, MAX_CREDIT)
        self.handed = self.arrivals = 0
        self.tokens: dict[bytes, bytes] = {}
        self.has: dict[bytes, dict[bytes, Job]] = {}
        self.credit: dict[bytes, int] = {}
        self.jobs: list[Job] = []

    @rule(name=NAMES)
    def arrive(self, name: bytes) -> None:
        self.arrivals += 1
        self.tokens[name] = b"%d" % self.arrivals
        self.has[name], self.credit[name] = {}, 0
        self.ledger.arrive(name, self.tokens[name])

    @rule(name=NAMES)
    def leave(self, name: bytes) -> None:
        for known in (self.tokens, self.has, self.credit):
            known.pop(name, None)
        self.ledger.keep_only(set(self.tokens))

    @rule(name=NAMES, count=st.integers(0, 5), stale=st.booleans())
    def grant(self, name: bytes, count: int, stale: bool) -> None:
        known = name in self.tokens and not stale
        token = b"stale" if stale else self.tokens.get(name, b"")
        assert self.ledger.grant(name, token, count) is known
        if known:
            self.credit[name] += count

    @rule()
    def hand(self) -> None:
        free = [name for name in self.tokens if self.credit[name] and len(self.has[name]) < MAX_CREDIT]
        worker = self.ledger.free_worker()
        assert (worker is not None) is bool(free)
        if worker is None:
            return
        name = worker.routing_id
        assert name in free
        assert len(self.has[name]) == min(len(self.has[other]) for other in free)
        if self.ledger.again:
            job = self.ledger.again.popleft()
        else:
            job = Job((b"",))
            self.jobs.append(job)
        self.has[name][self.ledger.hand(worker, job)] = job
        self.credit[name] -= 1

    @rule()
    def hand_to_one_that_is_gone(self) -> None:
        worker = self.ledger.free_worker()
        if isinstance(worker, Worker):
            job = Job((b"",))
            self.ledger.take_back(worker, self.ledger.hand(worker, job))
            self.leave(worker.routing_id)
            assert job not in self.ledger.again

    @rule(name=NAMES, known=st.booleans(), back=st.booleans(), data=st.data())
    def finish(self, name: bytes, known: bool, back: bool, data: st.DataObject) -> None:
        has = self.has.get(name, {})
        number = data.draw(st.sampled_from(sorted(has))) if known and has else b"0"
        token = self.tokens.get(name, b"")
        if back:
            assert self.ledger.give_back(name, token, number) is (number in has)
        else:
            assert self.ledger.finish(name, token, number, Message([b""])) is (number in has)
        has.pop(number, None)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        self.ledger.abandon(data.draw(st.sampled_from(self.jobs)))

    @invariant()
    def every_job_is_in_one_place(self) -> None:
        ledger = self.ledger
        assert ledger.unfinished == sum(map(len, self.has.values()))
        assert ledger.unfinished + len(ledger.again) + ledger.done + ledger.lost == len(self.jobs)
        assert ledger.busy is bool(ledger.unfinished or ledger.again)
        assert ledger.workers == len(self.tokens)
        assert all(job.repeated <= MOST_REPEATS for job in self.jobs)
        assert not [job for job in ledger.again if not job.wanted]


TestLedger = LedgerMachine.TestCase


def test_who_has_waited_longest_is_next() -> None:
    ledger = Ledger(0, 5)
    for name in (b"a", b"b", b"c"):
        ledger.arrive(name, name)
        ledger.grant(name, name, 2)
    order = []
    for _ in range(6):
        worker = ledger.free_worker()
        assert worker is not None
        order.append(worker.routing_id)
        ledger.hand(worker, Job((b"",)))
    assert order == [b"a", b"b", b"c"] * 2


def test_what_means_nothing_is_not_understood() -> None:
    for frames in (
        (),
        (b"", b""),
        (b"READY",),
        (b"READY", b"token"),
        (b"READY", b"token", b""),
        (b"READY", b"token", b"-1"),
        (b"READY", b"token", b"1.5"),
        (b"READY", b"token", "²".encode()),
        (b"READY", b"token", b"1", b""),
        (b"READY", b"token", b"9" * 10),
        (b"READY", b"token", b"9" * 100_000),
        (b"DONE",),
        (b"DONE", b"token"),
        (b"BACK", b"token"),
        (b"BACK", b"token", b"1", b""),
        (b"HELLO", b"token"),
        (b"done", b"token", b"1"),
    ):
        assert wire.parse(frames) is None, frames
    assert wire.parse((b"READY", b"t", b"9" * 9)) == wire.Ready(b"t", 999_999_999)
    assert wire.parse((b"DONE", b"t", b"n")) == wire.Done(b"t", b"n", (b"",))
    assert wire.parse((b"DONE", b"t", b"n", b"", b"x")) == wire.Done(b"t", b"n", (b"", b"x"))
