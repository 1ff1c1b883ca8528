"""``triomq demo requests``: the guide's extended request-reply, in which every message is accounted for.

::

    clients                     broker                    workers
      REQ  ──── tcp ────  ROUTER │ proxy │ DEALER  ──── tcp ────  REP

`demo` starts the parts, from the middle outwards; each part is one function with a socket or two. The clients know
nothing of the workers, nor the workers of the clients. Both tell the reporter what they did, by messages again, and
in the end what the clients asked, the broker moved and the workers did must be the same number.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TextIO

import attrs
import trio

from ... import DEALER, PULL, PUSH, REP, REQ, ROUTER, Context, MergedChannel, Message, merge, open_context, proxy
from .._exits import DONE, FAILED
from .._live import LiveLine, Rate
from .._signals import Interruption

_ANSWERS, _WORKS = "inproc://answers", "inproc://works"
_FAULTS_SHOWN = 5
_CLIENTS_SHOWN = 20


def shout(question: bytes) -> bytes:
    """What the workers do to a question."""
    return question.upper()


@attrs.frozen(kw_only=True)
class Plan:
    """What to run.

    Attributes:
      seconds: how long the clients go on asking, from the moment when all are there.
      patience: seconds that a client waits for a reply, before it counts it as lost.
      work: what the workers really do; the clients expect `shout`.
    """

    seconds: float = 3.0
    clients: int = 10
    workers: int = 3
    patience: float = 5.0
    work: Callable[[bytes], bytes] = shout


@attrs.define
class ClientTally:
    """One client's requests; its slowest exchange in microseconds."""

    requests: int = 0
    right: int = 0
    slowest: int = 0


@attrs.define
class Tally:
    """What has happened so far; it can be read at any time.

    Attributes:
      workers: the requests that each has answered.
      forward, backward: what the broker moved, to the workers and to the clients.
      dropped: messages that a socket dropped, be it for want of room or because nobody wanted them (any more).
      faults: what was wrong, one line each.
      here: clients that have connected.
      seconds: from the first request to the end of the last.
      complete: whether the demo ran to its end.
    """

    clients: dict[str, ClientTally]
    workers: dict[str, int]
    forward: int = 0
    backward: int = 0
    dropped: int = 0
    faults: list[str] = attrs.Factory(list)
    here: int = 0
    seconds: float = 0.0
    complete: bool = False

    @classmethod
    def of(cls, plan: Plan) -> Tally:
        """All zero."""
        clients = {f"client-{number}": ClientTally() for number in range(1, plan.clients + 1)}
        return cls(clients, {f"worker-{number}": 0 for number in range(1, plan.workers + 1)})

    @property
    def requests(self) -> int:
        """By all clients."""
        return sum(client.requests for client in self.clients.values())

    @property
    def right(self) -> int:
        """Replies that answered the very request they were received for."""
        return sum(client.right for client in self.clients.values())

    def add_answer(self, name: str, microseconds: int, fault: str) -> None:
        """A client had a reply, or none."""
        client = self.clients[name]
        client.requests += 1
        client.right += not fault
        client.slowest = max(client.slowest, microseconds)
        if fault:
            self.faults.append(f"{name}: {fault}")


# --- the parts ---------------------------------------------------------------------------------


async def _worker(ctx: Context, name: str, broker: str, work: Callable[[bytes], bytes]) -> None:
    """Answer one question at a time, for ever."""
    async with ctx.socket(REP) as rep, ctx.socket(PUSH) as works:
        rep.connect(broker)
        works.connect(_WORKS)
        async for question in rep:
            await works.send(name.encode())
            await rep.send([name.encode(), work(bytes(question))])


async def _client(req: REQ, name: str, answers: PUSH, plan: Plan, deadline: float) -> None:
    """Ask, and look at what comes back, until the time is up; a cancel scope is the timeout of each exchange."""
    number = 0
    while trio.current_time() < deadline:
        number += 1
        question = f"question {number} of {name}".encode()
        asked = trio.current_time()
        fault = f"no reply to {question!r} within {plan.patience:g} s"
        with trio.move_on_after(plan.patience):
            fault = _fault(question, await req.request(question))
        microseconds = int((trio.current_time() - asked) * 1e6)
        await answers.send([name.encode(), str(microseconds).encode(), fault.encode()])


def _fault(question: bytes, reply: Message) -> str:
    """What is wrong with a reply; nothing if it is the worker's name and the answer to this very question."""
    match reply:
        case (worker, answer) if worker and answer == shout(question):
            return ""
    return f"the reply to {question!r} was {reply!r}"


async def _report(happened: MergedChannel[PULL], works: PULL, tally: Tally) -> None:
    """Keep the tally, from what clients and workers say: two sockets, and whichever has a message."""
    async for socket, message in happened:
        _count(tally, socket is works, message)


def _count(tally: Tally, is_work: bool, message: Message) -> None:
    name, *rest = (frame.decode() for frame in message)
    if is_work:
        tally.workers[name] += 1
    else:
        tally.add_answer(name, int(rest[0]), rest[1])


async def _show_progress(tally: Tally, terminal: TextIO) -> None:
    """A line that lives as long as this is not cancelled."""
    rate = Rate()
    with LiveLine(terminal) as line:
        while True:
            if tally.seconds or tally.requests:
                state = f"{len(tally.faults):,} wrong" if tally.faults else "all right"
                line.show(f"{tally.requests:,} replies, {rate.of(tally.requests):,.0f} each second, {state}")
            else:
                line.show(f"{tally.here:,} of {len(tally.clients):,} clients have connected")
            await trio.sleep(0.1)


# --- the whole ---------------------------------------------------------------------------------


async def demo(plan: Plan, tally: Tally, terminal: TextIO | None = None) -> None:
    """Run it all, filling in the tally; a live line goes to the terminal, if there is one.

    Cancellation: the tally says how far it came.
    """
    async with open_context() as ctx, trio.open_nursery() as nursery:
        frontend, backend = ctx.socket(ROUTER), ctx.socket(DEALER)
        for_clients = await frontend.bind("tcp://127.0.0.1:0")
        for_workers = await backend.bind("tcp://127.0.0.1:0")
        broker = await nursery.start(proxy, frontend, backend)

        answers, works = ctx.socket(PULL), ctx.socket(PULL)
        await answers.bind(_ANSWERS)
        await works.bind(_WORKS)
        happened = merge(answers, works)
        nursery.start_soon(_report, happened, works, tally)
        if terminal is not None:
            nursery.start_soon(_show_progress, tally, terminal)

        for name in tally.workers:
            nursery.start_soon(_worker, ctx, name, for_workers, plan.work)
        await backend.wait_peers(plan.workers)

        requesters = [ctx.socket(REQ) for _ in tally.clients]
        started = trio.current_time()
        try:
            for req in requesters:
                req.connect(for_clients)
            for tally.here in range(1, plan.clients + 1):
                await frontend.wait_peers(tally.here)
            started = trio.current_time()
            async with trio.open_nursery() as asking:
                for name, req in zip(tally.clients, requesters, strict=True):
                    pusher = ctx.socket(PUSH)
                    pusher.connect(_ANSWERS)
                    asking.start_soon(_client, req, name, pusher, plan, started + plan.seconds)
            tally.complete = True
        finally:
            tally.seconds = trio.current_time() - started
            for socket, message in _what_is_left(happened):
                _count(tally, socket is works, message)
            moved = broker.statistics()
            tally.forward, tally.backward = moved.messages_forward, moved.messages_backward
            sockets = [frontend, backend, *requesters]
            tally.dropped = sum(socket.statistics().messages_dropped for socket in sockets)
        nursery.cancel_scope.cancel(reason="every client has finished")


def _what_is_left(happened: MergedChannel[PULL]) -> Iterator[tuple[PULL, Message]]:
    while True:
        try:
            yield happened.receive_nowait()
        except trio.WouldBlock:
            return


# --- what it prints ----------------------------------------------------------------------------


def heading(plan: Plan, version: str) -> str:
    """What is about to happen."""
    clients, workers = f"{plan.clients} × REQ", f"{plan.workers} × REP"
    return (
        f"triomq {version}: the guide's extended request-reply, {plan.seconds:g} s over tcp on 127.0.0.1\n\n"
        f"  {'clients':>{len(clients)}}                     broker                     workers\n"
        f"  {clients} ─── tcp ─── ROUTER │ proxy │ DEALER ─── tcp ─── {workers}\n"
    )


def table(tally: Tally) -> str:
    """Client by client, worker by worker, and all together."""
    lines = [f"{'client':<12}{'requests':>12}{'replies right':>16}{'slowest µs':>14}"]
    for name, client in islice(tally.clients.items(), _CLIENTS_SHOWN):
        lines.append(f"{name:<12}{client.requests:>12,}{client.right:>16,}{client.slowest:>14,}")
    if len(tally.clients) > _CLIENTS_SHOWN:
        lines.append(f"… and {len(tally.clients) - _CLIENTS_SHOWN:,} more clients")
    lines += ["", f"{'worker':<12}{'requests':>12}"]
    lines += [f"{name:<12}{count:>12,}" for name, count in tally.workers.items()]
    rate = tally.right / tally.seconds if tally.seconds else 0
    slowest = max(client.slowest for client in tally.clients.values())
    lines += [
        "",
        f"{'together':<12}{tally.requests:>12,}{tally.right:>16,}{slowest:>14,}",
        f"{'per second':<12}{'':>12}{rate:>16,.0f}",
        f"{'broker':<12}{tally.forward:>12,} to workers, {tally.backward:,} back, {tally.dropped:,} dropped",
    ]
    return "\n".join(lines) + "\n"


def faults(tally: Tally) -> list[str]:
    """What was wrong, one line each; empty for a complete run in which everything was right."""
    found = tally.faults[:_FAULTS_SHOWN]
    if more := len(tally.faults) - len(found):
        found.append(f"… and {more:,} more of these")
    if not tally.complete:
        return found
    if not tally.requests:
        found.append("no client has asked anything")
    worked = sum(tally.workers.values())
    if not tally.requests == tally.forward == worked == tally.backward:
        found.append(
            f"{tally.requests:,} requests, but {tally.forward:,} moved to workers, {worked:,} worked on "
            f"and {tally.backward:,} replies moved back: something was lost or came twice"
        )
    if tally.dropped:
        found.append(f"{tally.dropped:,} messages were dropped")
    return found


def run_demo(plan: Plan, version: str) -> int:
    """Run the demo and print what became of it.

    Returns: 0 if every reply was right, 1 if not, 128 and the signal's number if it was interrupted.
    """
    with Interruption() as interruption:
        print(heading(plan, version), flush=True)
        tally = Tally.of(plan)

        async def show(_: Interruption) -> None:
            await demo(plan, tally, sys.stdout if sys.stdout.isatty() else None)

        trio.run(interruption.run, show)
        number = None if tally.complete else interruption.number
        print(table(tally))
        wrong = faults(tally)
        for fault in wrong:
            print(f"WRONG: {fault}")
        if number is not None:
            name = signal.Signals(number).name
            print(f"Interrupted by {name} after {tally.seconds:.1f} s, with exchanges on their way.")
        elif not wrong:
            print(f"Every reply was right, nothing was lost, nothing came twice; {tally.seconds:.1f} s.")
        sys.stdout.flush()
    if number is not None:
        return 128 + number
    return FAILED if wrong else DONE
