"""The nursery of a context's own tasks, in a task that shields itself once it has started."""

from __future__ import annotations

import trio

from ._turn_end import TurnEnd, turn_end


class Services:
    """The nursery of our own tasks, and what became of it.

    Attributes:
      scope: of the tasks; shielded once they may live.
      crash: what one of them has crashed with.
    """

    def __init__(self) -> None:
        self.scope: trio.CancelScope = trio.CancelScope()
        self.crash: BaseException | None = None

    @trio.lowlevel.enable_ki_protection
    async def run(
        self,
        user_scope: trio.CancelScope,
        task_status: trio.TaskStatus[tuple[trio.Nursery, TurnEnd]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        try:
            with self.scope, turn_end() as turn:
                async with trio.open_nursery() as nursery:
                    task_status.started((nursery, turn))
                    # Only now: shielded before it has started, it could not be given up while it starts. And only if
                    # it has not been: to a start that was cancelled meanwhile, started() means nothing.
                    if trio.lowlevel.current_task().eventual_parent_nursery is None:
                        self.scope.shield = True
                    await trio.sleep_forever()
        except BaseException as exc:  # noqa: ASYNC103  # raised by the block, out of the nurseries
            if not self.scope.shield:
                raise  # given up before it began; out of a nursery a lone Cancelled may come in a group
            self.crash = exc
            user_scope.cancel(reason="triomq: a task of ours crashed")
