"""Owner, sink and source of a pipe, which write down what the pipe tells them."""

from __future__ import annotations

from collections.abc import Sequence

from triomq import Message
from triomq._pipes import Inbox, Loan, Pipe, Received
from triomq.zmtp import PeerInfo

PEER = PeerInfo(socket_type="ANY", routing_id=b"", metadata={}, version=(3, 1), mechanism="NULL")


def message(text: bytes) -> Message:
    return Message([text])


def messages(texts: str) -> list[Message]:
    """One message for each letter."""
    return [message(text.encode()) for text in texts]


class Owner:
    """A pattern. With ``interprets``, the user gets what a peer sent in capitals, and nothing of what begins with x."""

    def __init__(self, *, interprets: bool = False) -> None:
        self.interprets = interprets
        self.told: list[str] = []
        self.lost = 0
        self.notes: list[Pipe] = []
        self.events: list[Received] = []

    def interpret(self, pipe: Pipe, events: Sequence[Received]) -> list[Message]:
        self.events += events
        return [message(event[0].upper()) for event in events if isinstance(event, Message) and event[0][:1] != b"x"]

    def receive_lone(self, pipe: Pipe, message: tuple[bytes, ...]) -> None:
        """Everything goes by the inbox."""

    def readable(self, pipe: Pipe) -> None:
        self.told.append("readable")

    def writable(self, pipe: Pipe) -> None:
        self.told.append("writable")

    def drained(self, pipe: Pipe) -> None:
        self.told.append("drained")

    def dropped(self, pipe: Pipe, count: int) -> None:
        self.lost += count

    def noteworthy(self, pipe: Pipe) -> None:
        self.notes.append(pipe)


class RecordingSink:
    """A connection that takes nothing by itself."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def wake(self) -> None:
        self.told.append("wake")

    def wake_later(self) -> None:
        self.told.append("wake_later")

    def flush(self) -> None:
        self.told.append("flush")


class RecordingSource:
    """A connection that brings nothing by itself."""

    def __init__(self) -> None:
        self.resumed = 0

    def resume(self) -> None:
        self.resumed += 1

    def hang_up(self, error: Exception) -> bool:
        return True

    def lend(self) -> Loan | None:
        return None


def texts(inbox: Inbox) -> str:
    """What waits in an inbox."""
    return b"".join(map(bytes, inbox.queue)).decode()
