"""What a socket command is to do, once its arguments are understood."""

from __future__ import annotations

from typing import Any

import attrs

from .. import Socket
from ._formats import Format, Frames

BIND, CONNECT = "bind", "connect"


@attrs.frozen(kw_only=True)
class Plan:
    """One socket, and what to do with it.

    Attributes:
      kind: the class of the socket.
      endpoints: each with `BIND` or `CONNECT`.
      options: for `Context.socket`.
      topics: to subscribe to.
      given: messages of the command line; None to read standard input.
      repeat: send ``given`` again and again.
      count: messages to take part in, at the most.
      interval: seconds between two messages that are sent.
      timeout: seconds of silence.
      peers: how many to wait for before the first message is sent.
      linger: seconds.
      echo: answer each message with itself.
      command: answer each message with what this command of the shell writes.
      jobs: how many such commands may run at one time.
      target: the routing id that all input goes to.
    """

    kind: type[Socket]
    endpoints: tuple[tuple[str, str], ...]
    options: dict[str, Any]
    topics: tuple[bytes, ...]
    given: tuple[Frames, ...] | None
    repeat: bool
    reads: Format
    writes: Format
    count: float
    interval: float
    timeout: float
    peers: int
    linger: float
    echo: bool
    command: str | None
    jobs: int
    target: bytes | None

    @property
    def answers(self) -> bool:
        """Each message is answered by itself or a command, and nothing else is sent."""
        return self.echo or self.command is not None
