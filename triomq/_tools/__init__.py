"""What is built of sockets."""

from __future__ import annotations

from ._merge import MergedChannel, merge
from ._proxy import ProxyHandle, ProxyStatistics, proxy

__all__ = ["MergedChannel", "ProxyHandle", "ProxyStatistics", "merge", "proxy"]
