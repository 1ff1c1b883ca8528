"""What is built of sockets."""

from __future__ import annotations

from ._jobs import JobReceiver, JobSender, JobStatistics
from ._merge import MergedChannel, merge
from ._proxy import ProxyHandle, ProxyStatistics, proxy
from ._serve_statistics import serve_statistics

__all__ = [
    "JobReceiver",
    "JobSender",
    "JobStatistics",
    "MergedChannel",
    "ProxyHandle",
    "ProxyStatistics",
    "merge",
    "proxy",
    "serve_statistics",
]
