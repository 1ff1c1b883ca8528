"""Job channels: each job to whoever is free, over any transport."""

from __future__ import annotations

from ._receiver import JobReceiver
from ._sender import JobSender, JobStatistics

__all__ = ["JobReceiver", "JobSender", "JobStatistics"]
