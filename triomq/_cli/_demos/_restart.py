"""``triomq demo restart``: a server that goes away and comes back, and a client that need not care.

The client's socket stays as it is. It reconnects by itself; a request without a reply is given up and made again, which
is a cancel scope around `REQ.request` (the guide's lazy pirate).
"""

from __future__ import annotations

import attrs
import trio

from ... import REP, REQ, Context, open_context
from ._stage import Outcome, show, show_live

_RESTARTS = 3
_PATIENCE = 0.25
_DOWN = 0.3


@attrs.define
class _Story:
    """What has happened, and when."""

    started: float
    lines: list[str] = attrs.Factory(list)
    asked: int = 0
    replied: int = 0
    wrong: int = 0
    again: int = 0
    down_since: float | None = None
    over: bool = False

    def tell(self, text: str) -> None:
        """Note what happens now."""
        self.lines.append(f"  {trio.current_time() - self.started:6.2f} s  {text}")

    def reply(self, right: bool) -> None:
        """The client has a reply."""
        self.replied += 1
        self.wrong += not right
        if self.down_since is not None:
            self.tell("the client has its first reply")
            self.down_since = None


def run_demo(seconds: float) -> int:
    """Show it. Returns: the exit code."""
    heading = f"A client asks without a pause for some {seconds:g} s; its server goes away {_RESTARTS} times.\n"
    return show(heading, lambda: play(seconds))


async def play(seconds: float) -> Outcome:
    """Ask, stop the server, start it again, and count."""
    story = _Story(trio.current_time())

    def line() -> str:
        state = "the server is down" if story.down_since is not None else "the server is up"
        return f"{story.replied:,} replies, {story.again} requests made again; {state}"

    async with open_context() as ctx, trio.open_nursery() as nursery:
        nursery.start_soon(show_live, line)
        endpoint = await nursery.start(_serve_and_stop, ctx, seconds, story)
        await _ask(ctx, endpoint, story)
        nursery.cancel_scope.cancel(reason="the client has asked enough")
    faults = []
    if story.wrong:
        faults.append(f"{story.wrong:,} replies were to another request")
    if story.replied != story.asked:
        faults.append(f"{story.asked - story.replied:,} requests have no reply")
    text = "\n".join([*story.lines, f"\n{story.asked:,} requests, {story.again} of them made again\n"])
    return Outcome(text, faults, "Every request has its own reply; the client's socket has never been touched.")


async def _serve(ctx: Context, endpoint: str, task_status: trio.TaskStatus[str]) -> None:
    async with ctx.socket(REP, linger=0) as rep:
        task_status.started(await rep.bind(endpoint))
        async for request in rep:
            await rep.send(request)


async def _serve_and_stop(ctx: Context, seconds: float, story: _Story, task_status: trio.TaskStatus[str]) -> None:
    endpoint = "tcp://127.0.0.1:0"
    for number in range(_RESTARTS + 1):
        async with trio.open_nursery() as nursery:
            endpoint = await nursery.start(_serve, ctx, endpoint)
            if number == 0:
                task_status.started(endpoint)
            story.tell("the server is up" if number == 0 else "the server is back")
            await trio.sleep(seconds / (_RESTARTS + 1))
            if number == _RESTARTS:
                story.over = True
                await trio.sleep_forever()
            nursery.cancel_scope.cancel(reason="the server goes away")
        story.down_since = trio.current_time()
        story.tell("the server goes away")
        await trio.sleep(_DOWN)


async def _ask(ctx: Context, endpoint: str, story: _Story) -> None:
    async with ctx.socket(
        REQ, req_correlate=True, reconnect_interval=0.05, reconnect_interval_max=0.1, linger=0
    ) as req:
        req.connect(endpoint)
        while not story.over or story.down_since is not None:
            story.asked += 1
            request = str(story.asked).encode()
            while True:
                with trio.move_on_after(_PATIENCE):
                    story.reply(bytes(await req.request(request)) == request)
                    break
                story.again += 1
