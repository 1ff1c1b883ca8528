"""What triomq asks of channels, transports and mechanisms, as checks that anybody can put their own to.

Each module knows only those above it in this list.

    _requirements  what the checks are written with
    _channels      the promises of `trio.abc.SendChannel` and `trio.abc.ReceiveChannel`
    _nonblocking   those of `triomq.abc.NonblockingStream`
    _transport     those of `triomq.abc.Transport`, its listeners and streams
    _mechanism     those of `triomq.zmtp.Mechanism`
"""

from __future__ import annotations

from ._channels import MakeChannels, check_receive_channel, check_send_channel
from ._mechanism import check_mechanism
from ._transport import check_transport

__all__ = ["MakeChannels", "check_mechanism", "check_receive_channel", "check_send_channel", "check_transport"]
