"""What happens to sockets, as lines of a log. Every context has a `Log` among its observers."""

from __future__ import annotations

from ._log import Log

__all__ = ["Log"]
