"""What triomq asks of channels, transports and mechanisms, as checks that anybody's can be put to."""

from __future__ import annotations

from ._channels import MakeChannels, check_receive_channel, check_send_channel
from ._mechanism import check_mechanism
from ._transport import check_transport

__all__ = ["MakeChannels", "check_mechanism", "check_receive_channel", "check_send_channel", "check_transport"]
