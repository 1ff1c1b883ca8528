"""The sockets of a job channel: made by a context, with options that the channel needs."""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeVar, Unpack

from ..._options import OptionArguments
from ..._sockets import EndpointArgument, Socket

S = TypeVar("S", bound=Socket)

HEARTBEATS: Final[dict[str, Any]] = {"heartbeat_interval": 10.0, "heartbeat_timeout": 30.0}
"""seconds; a worker that computes for so long in its trio thread is not taken for dead"""


class SocketMaker(Protocol):
    """What a job channel asks of a `Context`."""

    def socket(
        self,
        socket_type: type[S],
        /,
        *,
        name: str | None = None,
        bind: EndpointArgument = (),
        connect: EndpointArgument = (),
        **options: Unpack[OptionArguments],
    ) -> S:
        """Make a socket."""


def shown_endpoints(socket: Socket) -> str:
    """The endpoints of a socket, for people to read; in a forked child, too."""
    return ", ".join((*socket._bound, *socket._connected)) or "no endpoint"


def make_socket(
    ctx: SocketMaker, socket_type: type[S], channel: str, given: OptionArguments, fixed: OptionArguments
) -> S:
    """Make the socket of a channel.

    Args:
      channel: the name of its class, for errors.
      given: the user's options.
      fixed: what the channel relies on.
    Raises:
      TypeError: the user gave one of those.
      Otherwise as `Context.socket`.
    """
    for name in (*fixed, "hwm"):
        if name in given:
            raise TypeError(f"{channel} has no option {name!r}: what the channel promises depends on it")
    heartbeats: Any = {} if "heartbeat_interval" in given else HEARTBEATS
    return ctx.socket(socket_type, **{**heartbeats, **given, **fixed})
