"""TCP's keep-alive: the kernel of an idle connection asks whether its peer lives."""

from __future__ import annotations

from typing import Final, Self, final

import attrs
import trio

from ..._options import Options
from ._agenda import Agenda
from ._link import Link
from ._segment import End

_IDLE: Final = 7200  # seconds: Linux's tcp_keepalive_time,
_INTERVAL: Final = 75  # seconds: tcp_keepalive_intvl,
_COUNT: Final = 9  # and tcp_keepalive_probes


@final
@attrs.define
class KeepAlive:
    """Asks for one end of a connection.

    While something waits to be sent or acknowledged, nothing is asked: then retransmission finds out, in its own time.

    Args:
      idle: seconds of silence before the first question.
      interval: seconds between questions without an answer.
      count: questions without an answer after which the connection is dead.
    """

    _agenda: Agenda
    _end: End
    _link: Link
    _idle: float
    _interval: float
    _count: int
    _asked: int = 0
    _asked_at: float = 0.0

    @classmethod
    def of(cls, agenda: Agenda, end: End, link: Link, options: Options) -> Self | None:
        """Begin, if the options wish it. What they leave open is as Linux has it."""
        if not options.tcp_keepalive:
            return None
        idle = options.tcp_keepalive_idle or _IDLE
        interval = options.tcp_keepalive_interval or _INTERVAL
        made = cls(agenda, end, link, idle, interval, options.tcp_keepalive_count or _COUNT)
        link.keeps_alive = True
        made._plan(idle)
        return made

    def _plan(self, delay: float) -> None:
        self._agenda.plan(trio.current_time() + delay, self._look)

    def _look(self) -> None:
        if self._link.is_over:
            return
        now = trio.current_time()
        if self._asked and self._link.heard_at >= self._asked_at:
            self._asked = 0
        if not self._link.is_idle:
            self._plan(self._idle)
        elif self._asked == self._count:
            self._link.reset("no answer to keep-alive")
            self._end.fall("timed out", "no answer from the peer's host to keep-alive")
        elif self._asked or now - self._link.heard_at >= self._idle:
            self._asked += 1
            self._asked_at = now
            self._link.probe()
            self._plan(self._interval)
        else:
            self._plan(self._idle - (now - self._link.heard_at))
