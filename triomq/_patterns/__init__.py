"""The strategies every socket type is composed of. They know pipes, not sockets."""

from __future__ import annotations

from ._arrivals import Arrivals
from ._directory import Directory
from ._distributor import Distributor
from ._fair_queue import FairQueue
from ._load_balancer import LoadBalancer
from ._subscriptions import Audience, Subscriptions, TopicFilter
from ._topics import as_topic

__all__ = [
    "Arrivals",
    "Audience",
    "Directory",
    "Distributor",
    "FairQueue",
    "LoadBalancer",
    "Subscriptions",
    "TopicFilter",
    "as_topic",
]
