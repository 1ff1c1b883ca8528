"""``triomq demo pubsub``: one publisher, subscribers that want different things, and one that is too slow.

What a subscriber has not subscribed to is never sent to it. For the slow one the publisher drops messages, counts them,
and holds up nobody: received and dropped together are what was published.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import attrs
import trio

from ... import PUB, SUB, Context, open_context
from .._live import Rate
from ._stage import Outcome, show, show_live

_TOPICS = ("news.", "sports.", "weather.")
_END = b"the end"
_HWM = 1000
_SLOW = 0.02
"""seconds that the slow subscriber takes for a message"""
_BODY = bytes(1000)


@attrs.define
class _Subscriber:
    """One subscriber and what it has received.

    Attributes:
      topic: what it has subscribed to; empty for everything.
      slow: it takes its time for each message.
      unordered: messages that came after a later one, or twice.
    """

    name: str
    topic: str
    slow: bool = False
    received: int = 0
    last: int = -1
    unordered: int = 0

    def take(self, number: int) -> None:
        """A message has come."""
        self.received += 1
        self.unordered += number <= self.last
        self.last = number


@attrs.define
class _Run:
    published: dict[str, int] = attrs.Factory(lambda: dict.fromkeys(_TOPICS, 0))
    dropped: int = 0
    seconds: float = 0.0
    over: bool = False

    def wanted(self, topic: str) -> int:
        """Messages that a subscriber to this topic was to have."""
        return sum(number for name, number in self.published.items() if name.startswith(topic))


def run_demo(seconds: float) -> int:
    """Show it. Returns: the exit code."""
    heading = f"A publisher and four subscribers, {seconds:g} s over tcp on 127.0.0.1; one subscriber is slow.\n"
    return show(heading, lambda: play(seconds))


async def play(seconds: float) -> Outcome:
    """Publish for some time, and count."""
    subscribers = [_Subscriber(topic.rstrip("."), topic) for topic in _TOPICS[:2]]
    subscribers += [_Subscriber("everything", ""), _Subscriber("slow", "weather.", slow=True)]
    run = _Run()
    rate = Rate()

    def line() -> str:
        total = sum(run.published.values())
        return f"{total:,} published, {rate.of(total):,.0f} each second; {run.dropped:,} dropped for the slow one"

    async with open_context() as ctx, trio.open_nursery() as nursery:
        pub = ctx.socket(PUB, send_hwm=_HWM, linger=60)
        endpoint = await pub.bind("tcp://127.0.0.1:0")
        nursery.start_soon(show_live, line)
        async with trio.open_nursery() as reading:
            for subscriber in subscribers:
                reading.start_soon(_subscribe, ctx, subscriber, endpoint, run)
            await pub.wait_subscribers(_END, len(subscribers))
            await _publish(pub, run, [one for one in subscribers if not one.slow], seconds)
        nursery.cancel_scope.cancel(reason="everybody has received the end")
    return _judge(run, subscribers)


async def _subscribe(ctx: Context, subscriber: _Subscriber, endpoint: str, run: _Run) -> None:
    hwm = 10 if subscriber.slow else _HWM
    async with ctx.socket(SUB, topics=[subscriber.topic, _END], receive_hwm=hwm, receive_buffer=4096) as sub:
        sub.connect(endpoint)
        async for topic, *rest in sub:
            if topic == _END:
                return
            subscriber.take(int(rest[0]))
            if subscriber.slow and not run.over:
                await trio.sleep(_SLOW)


async def _publish(pub: PUB, run: _Run, quick: list[_Subscriber], seconds: float) -> None:
    """Publish no faster than quick subscribers receive."""

    def quick_are_behind() -> bool:
        return any(run.wanted(one.topic) - one.received > _HWM // 2 for one in quick)

    def still_queued() -> bool:
        return any(peer.send_queue for peer in pub.statistics().peers)

    started = trio.current_time()
    for number in count():
        topic = _TOPICS[number % len(_TOPICS)]
        await pub.send([topic.encode(), str(number).encode(), _BODY])
        run.published[topic] += 1
        if number % 64 == 63:
            await _while(quick_are_behind)
            run.dropped = pub.messages_dropped
            if trio.current_time() - started >= seconds:
                break
    run.seconds = trio.current_time() - started
    run.over = True
    await _while(still_queued)  # or the end could be dropped, too
    run.dropped = pub.messages_dropped
    await pub.send(_END)


async def _while(condition: Callable[[], bool]) -> None:
    await trio.lowlevel.checkpoint()
    while condition():  # noqa: ASYNC110  # counters have no event
        await trio.sleep(0.001)


def _judge(run: _Run, subscribers: list[_Subscriber]) -> Outcome:
    lines = [f"{'subscriber':<12}{'topic':<10}{'published':>12}{'received':>12}{'dropped':>10}"]
    faults = []
    for one in subscribers:
        wanted = run.wanted(one.topic)
        dropped = wanted - one.received
        lines.append(f"{one.name:<12}{one.topic or '(all)':<10}{wanted:>12,}{one.received:>12,}{dropped:>10,}")
        if one.unordered:
            faults.append(f"{one.name}: {one.unordered:,} messages out of order, or twice")
        if dropped < 0 or (dropped and not one.slow):
            faults.append(f"{one.name}: {dropped:,} messages are missing")
    missing = sum(run.wanted(one.topic) - one.received for one in subscribers)
    if missing != run.dropped:
        faults.append(f"{missing:,} messages are missing, and the publisher has counted {run.dropped:,}")
    total = sum(run.published.values())
    lines.append(
        f"\n{total:,} published, {total / run.seconds:,.0f} each second; the publisher dropped {run.dropped:,}"
    )
    return Outcome(
        "\n".join(lines) + "\n",
        faults,
        "Each subscriber has what it subscribed to, in order. The slow one held up nobody; what it missed is counted.",
    )
