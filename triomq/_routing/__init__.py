"""The strategies every socket type is composed of. They know pipes, not sockets."""

from __future__ import annotations

from ._arrivals import Arrivals
from ._directory import Directory
from ._distributor import Distributor
from ._fair_queue import FairQueue
from ._load_balancer import LoadBalancer
from ._subscriptions import Subscriptions, TopicFilter

__all__ = ["Arrivals", "Directory", "Distributor", "FairQueue", "LoadBalancer", "Subscriptions", "TopicFilter"]
