"""Pipes as a socket's options want them."""

from __future__ import annotations

from .._pipes import QueuedPipe
from ._carrier import PeerHost


def new_pipe(host: PeerHost, endpoint: str, *, dialled: bool) -> QueuedPipe:
    """A pipe of a socket with the limits that its options say."""
    options = host.options
    pipe = QueuedPipe(host.owner, endpoint, options.send_limit, options.receive_limit, conflate=options.conflate)
    pipe.dialled = dialled
    return pipe
