"""What is built of sockets."""

from __future__ import annotations

from ._jobs import JobReceiver, JobSender, JobStatistics
from ._merge import MergedChannel, merge
from ._proxy import ProxyHandle, ProxyStatistics, proxy

__all__ = [
    "JobReceiver",
    "JobSender",
    "JobStatistics",
    "MergedChannel",
    "ProxyHandle",
    "ProxyStatistics",
    "merge",
    "proxy",
]
