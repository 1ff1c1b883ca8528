"""Calls that threads leave for a trio run: each is made once, in order, and one wake-up serves many."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import triomq
from triomq._runtime import Mailbox

from ..connections.runs import switching_often
from ..forks import in_child


def raised(exc: BaseException) -> None:
    raise AssertionError("no call was to fail") from exc


def mailbox_here(failed: Callable[[BaseException], None] = raised) -> Mailbox:
    return Mailbox(trio.lowlevel.current_trio_token(), failed)


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


# --- one thread ---------------------------------------------------------------------------------------


async def test_calls_are_made_in_order_by_the_run() -> None:
    mailbox, made = mailbox_here(), list[int]()
    assert all([mailbox.put(lambda n=n: made.append(n)) for n in range(10)])
    assert made == []
    await wait_all_tasks_blocked()
    assert made == list(range(10))


async def test_one_wake_up_for_all_that_is_left_before_the_run_looks() -> None:
    mailbox, made = mailbox_here(), list[int]()
    for n in range(50):
        mailbox.put(lambda n=n: made.append(n))
    await wait_all_tasks_blocked()
    assert mailbox.wakes == 1
    mailbox.put(lambda: made.append(50))
    await wait_all_tasks_blocked()
    assert mailbox.wakes == 2
    assert made == list(range(51))


async def test_a_call_may_leave_another() -> None:
    mailbox, made = mailbox_here(), list[str]()
    mailbox.put(lambda: (made.append("first"), mailbox.put(lambda: made.append("second"))))
    await wait_all_tasks_blocked()
    assert made == ["first", "second"]


async def test_other_tasks_have_their_turns_between_many_calls() -> None:
    mailbox, made = mailbox_here(), list[int]()
    for n in range(1000):
        mailbox.put(lambda n=n: made.append(n))
    seen = list[int]()
    while len(made) < 1000:
        await trio.lowlevel.checkpoint()
        seen.append(len(made))
    assert made == list(range(1000))
    assert len(set(seen)) > 10


async def test_what_lies_there_can_be_made_at_once() -> None:
    mailbox, made = mailbox_here(), list[int]()
    for n in range(3):
        mailbox.put(lambda n=n: made.append(n))
    mailbox.make_now()
    assert made == [0, 1, 2]
    mailbox.put(lambda: made.append(3))
    await wait_all_tasks_blocked()
    assert made == [0, 1, 2, 3]


async def test_what_a_call_raises_is_told_and_the_others_are_made() -> None:
    failures, made = list[BaseException](), list[str]()
    mailbox = mailbox_here(failures.append)
    mailbox.put(lambda: 1 / 0)
    mailbox.put(lambda: made.append("after"))
    await wait_all_tasks_blocked()
    assert made == ["after"]
    assert [type(failure) for failure in failures] == [ZeroDivisionError]


async def test_closing_makes_what_was_accepted_and_nothing_else() -> None:
    mailbox, made = mailbox_here(), list[str]()
    mailbox.when_closed(lambda: made.append("closed"))
    mailbox.put(lambda: made.append("before"))
    mailbox.put(lambda: made.append(f"accepted {mailbox.put(list)}"))
    mailbox.close()
    assert made == ["before", "accepted False", "closed"]
    assert not mailbox.put(lambda: made.append("after"))
    mailbox.close()
    await wait_all_tasks_blocked()
    assert made == ["before", "accepted False", "closed"]
    mailbox.when_closed(lambda: made.append("late"))
    assert made[-1] == "late"


async def test_closed_by_one_of_its_calls_it_makes_the_others_in_order() -> None:
    mailbox, made = mailbox_here(), list[str]()
    mailbox.put(mailbox.close)
    for n in range(100):
        mailbox.put(lambda n=n: made.append(n))
    await wait_all_tasks_blocked()
    assert made == list(range(100))


def test_the_mailbox_of_a_run_that_has_ended_refuses_and_tells() -> None:
    async def main() -> Mailbox:
        return mailbox_here()

    mailbox, told = trio.run(main), list[str]()
    mailbox.when_closed(lambda: told.append("closed"))
    assert not mailbox.put(list)
    assert told == ["closed"]
    assert not mailbox.put(list)
    assert told == ["closed"]


async def test_abandoned_it_forgets_what_it_had_accepted() -> None:
    mailbox, made = mailbox_here(), list[str]()
    mailbox.put(lambda: made.append("never"))
    in_a_thread(mailbox.abandon)
    assert not mailbox.put(list)
    await wait_all_tasks_blocked()
    assert made == []


MOST = 2000
"""calls that a thread leaves; while the thread of the run has no turn, they pile up"""

# --- several threads ----------------------------------------------------------------------------------


async def test_a_thread_wakes_the_run() -> None:
    mailbox, arrived = mailbox_here(), trio.Event()
    thread = threading.Thread(target=mailbox.put, args=(arrived.set,))
    thread.start()
    await arrived.wait()
    thread.join()


def putters(mailbox: Mailbox, count: int, each: int, made: list[tuple[int, int]]) -> list[threading.Thread]:
    """Threads that leave numbered calls."""

    def put_all(thread: int) -> None:
        for n in range(each):
            assert mailbox.put(lambda n=n: made.append((thread, n)))

    return [threading.Thread(target=put_all, args=(thread,)) for thread in range(count)]


@pytest.mark.parametrize("often", [False, True])
async def test_many_threads_lose_nothing_and_keep_their_order(often: bool) -> None:
    mailbox, made = mailbox_here(), list[tuple[int, int]]()
    threads = putters(mailbox, 4, 1000, made)
    with switching_often(often):
        for thread in threads:
            thread.start()
        while len(made) < 4000:
            await trio.lowlevel.checkpoint()
        for thread in threads:
            thread.join()
    assert len(made) == 4000
    for thread in range(4):
        assert [n for who, n in made if who == thread] == list(range(1000))
    assert mailbox.wakes <= 4000


def test_closed_while_threads_put_it_makes_exactly_what_it_accepted() -> None:
    """Whatever `put` answers is true, in every race with `close`."""
    rng = random.Random(5)

    async def main() -> None:
        mailbox, made = mailbox_here(), list[tuple[int, int]]()
        accepted: list[int] = [0] * 3

        def put_until_refused(thread: int) -> None:
            for n in range(MOST):
                if not mailbox.put(lambda n=n: made.append((thread, n))):
                    return
                accepted[thread] += 1

        threads = [threading.Thread(target=put_until_refused, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(rng.randrange(4)):
            await trio.lowlevel.checkpoint()
        mailbox.close()
        for thread in threads:
            thread.join()
        for number in range(3):
            assert [n for who, n in made if who == number] == list(range(accepted[number]))

    with switching_often():
        for _ in range(10):
            trio.run(main)


def test_a_run_that_ends_under_putting_threads_hangs_nobody() -> None:
    async def main() -> tuple[list[threading.Thread], Mailbox]:
        mailbox = mailbox_here()

        def put_until_refused() -> None:
            for _ in range(MOST):
                if not mailbox.put(list):
                    return

        threads = [threading.Thread(target=put_until_refused) for _ in range(3)]
        for thread in threads:
            thread.start()
        await trio.lowlevel.checkpoint()
        return threads, mailbox

    with switching_often():
        for _ in range(10):
            threads, mailbox = trio.run(main)
            for thread in threads:
                thread.join()
            assert not mailbox.put(list)


# --- the mailbox of a context -------------------------------------------------------------------------


def mailbox_of(context: triomq.Context) -> Mailbox:
    return context._shared.runtime.mailbox


async def test_a_context_has_one_and_closes_it() -> None:
    made = list[str]()
    async with triomq.open_context() as context:
        mailbox = mailbox_of(context)
        assert mailbox_of(context) is mailbox
        mailbox.put(lambda: made.append("accepted"))
    assert made == ["accepted"]
    assert not mailbox.put(list)


async def test_a_call_that_fails_is_a_crash_of_ours() -> None:
    with pytest.raises(triomq.InternalError) as caught:
        async with triomq.open_context() as context:
            mailbox_of(context).put(lambda: 1 / 0)
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert caught.value.__cause__.split(ZeroDivisionError)[1] is None


# --- a forked child -----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="this platform cannot fork")
async def test_a_forked_child_wakes_nobody_and_does_not_hang() -> None:
    """Though another thread held the lock when it was forked, which is not there to let it go."""
    mailbox, made, held, go_on = mailbox_here(), list[str](), threading.Event(), threading.Event()

    def hold() -> None:
        with mailbox._lock:
            held.set()
            go_on.wait()

    def use_it() -> str:
        signal.alarm(60)  # ends the child, should it hang
        accepted = mailbox.put(lambda: None)
        mailbox.close()
        return f"{accepted} {made}"

    mailbox.put(lambda: made.append("of the parent"))
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        assert in_child(use_it) == "False []"
    finally:
        go_on.set()
        holder.join()
    await wait_all_tasks_blocked()
    assert made == ["of the parent"]
    assert mailbox.put(lambda: None)


CRASHED = """
import trio, triomq

class BreakingClock(trio.abc.Clock):
    broken = False
    def start_clock(self): pass
    def current_time(self): return 0.0
    def deadline_to_sleep_time(self, deadline): return 1 / 0 if self.broken else deadline

async def main():
    global mailbox
    async with triomq.open_context() as context:
        mailbox = context._shared.runtime.mailbox
        mailbox.when_closed(lambda: print("closed"))
        clock.broken = True
        await trio.lowlevel.checkpoint()

clock = BreakingClock()
try:
    trio.run(main, clock=clock)
except trio.TrioInternalError:
    print("crashed", mailbox.put(list))
"""


def test_a_run_that_trio_itself_crashes_is_known_to_be_gone() -> None:
    """In a process of its own, for trio leaves its wreck behind."""
    done = subprocess.run([sys.executable, "-c", CRASHED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["closed", "crashed", "False"]
