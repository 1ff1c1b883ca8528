"""The pipe that the pattern of the user's run knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._connections import meter_inbox
from .._pipes import QueuedPipe
from .._sockets import Peers
from ..zmtp import Item

if TYPE_CHECKING:
    from ._front_link import FrontLink


class FrontPipe(QueuedPipe):
    """A pipe whose connection is another run's: some of what is counted, is counted there."""

    __slots__ = ("_draining", "_link")

    def __init__(self, link: FrontLink, host: Peers, endpoint: str) -> None:
        self._link = link
        self._draining = False
        options = host.options
        super().__init__(host.owner, endpoint, options.send_limit, options.receive_limit, conflate=options.conflate)
        meter_inbox(self, host)

    # --- what is counted there ------------------------------------------------------------------------

    @property
    def sent(self) -> int:
        """See `Pipe`."""
        return self._link.sent()

    @sent.setter
    def sent(self, count: int) -> None:
        """The other half counts."""

    @property
    def bytes_sent(self) -> int:
        """See `Pipe`."""
        there = self._link.back.pipe
        return 0 if there is None else there.bytes_sent

    @bytes_sent.setter
    def bytes_sent(self, count: int) -> None:
        """The other half counts."""

    @property
    def bytes_received(self) -> int:
        """See `Pipe`."""
        there = self._link.back.pipe
        return 0 if there is None else there.bytes_received

    @bytes_received.setter
    def bytes_received(self, count: int) -> None:
        """The other half counts."""

    @property
    def last_traffic(self) -> float | None:
        """See `Pipe`."""
        there = self._link.back.pipe
        return None if there is None else there.last_traffic

    @last_traffic.setter
    def last_traffic(self, time: float | None) -> None:
        """The other half knows."""

    def catch_up(self) -> None:
        """See `Pipe`."""
        if self.alive:
            self._link.count_drops(self)

    # --- what waits there -----------------------------------------------------------------------------

    def queued(self) -> int:
        return self.messages_queued() + self.controls_queued()

    def messages_queued(self) -> int:
        return self.outbox.waiting() + self._link.there()

    def controls_queued(self) -> int:
        there = self._link.back.pipe
        return 0 if there is None else there.outbox.controls

    def hand_over(self) -> None:
        """Let all go over that waits here."""
        self._link.hand_over(self)
        self._link.look_for_room(self)

    def control(self, item: Item) -> None:
        """See `Pipe`: the double of the pattern says it to the peer."""

    def withdraw(self, item: Item) -> bool:
        """See `Pipe`. What was handed over may have left: it is taken back if not, and counts as left."""
        if super().withdraw(item):
            return True
        self._link.withdraw(item, self)
        return False

    def has_sent(self, count: int) -> bool:
        done = super().has_sent(count)
        if done:
            self._link.count_drops(self)  # of which the other half may not have told yet
        else:
            self._link.flush()
            self._link.tell(self._link.back.tell_what_left, count)
        return done

    def has_sent_controls(self) -> bool:
        done = super().has_sent_controls()
        if not done:
            self._link.tell(self._link.back.tell_what_left, 0)
        return done

    @property
    def draining(self) -> bool:
        """See `Pipe`."""
        return self._draining

    @draining.setter
    def draining(self, draining: bool) -> None:
        changed, self._draining = draining is not self._draining, draining
        if changed:
            self._link.flush()
            self._link.tell(self._link.back.retire if draining else self._link.back.restore)

    def let_go(self) -> None:
        super().let_go()
        self._link.let_go()

    def discard(self) -> None:
        dropped = self.outbox.waiting() + self._link.drops(self)
        self.outbox.clear()
        self.drop(dropped)
