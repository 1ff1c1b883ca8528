"""What is built of sockets."""

from __future__ import annotations

from ._blocking import BlockingChannel, BlockingReceiver, BlockingSender, blocking
from ._codec import (
    CodecChannel,
    CodecReceiveChannel,
    CodecRequestChannel,
    CodecSendChannel,
    DeadLetters,
    codec,
)
from ._codecs import Codec
from ._jobs import JobReceiver, JobSender, JobStatistics
from ._merge import MergedChannel, merge
from ._proxy import ProxyHandle, ProxyStatistics, proxy
from ._serve_statistics import serve_statistics

__all__ = [
    "BlockingChannel",
    "BlockingReceiver",
    "BlockingSender",
    "Codec",
    "CodecChannel",
    "CodecReceiveChannel",
    "CodecRequestChannel",
    "CodecSendChannel",
    "DeadLetters",
    "JobReceiver",
    "JobSender",
    "JobStatistics",
    "MergedChannel",
    "ProxyHandle",
    "ProxyStatistics",
    "blocking",
    "codec",
    "merge",
    "proxy",
    "serve_statistics",
]
