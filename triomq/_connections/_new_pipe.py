"""Pipes as a socket's options want them."""

from __future__ import annotations

from .. import _pipes
from .._pipes import QueuedPipe
from ._carrier import PeerHost


def new_pipe(host: PeerHost, endpoint: str, *, dialled: bool) -> QueuedPipe:
    """A pipe of a socket with the limits that its options say."""
    options = host.options
    pipe = QueuedPipe(host.owner, endpoint, options.send_limit, options.receive_limit, conflate=options.conflate)
    meter_inbox(pipe, host)
    pipe.dialled = dialled
    return pipe


def meter_inbox(pipe: QueuedPipe, host: PeerHost) -> None:
    """Have the pipe's new inbox count its bytes, if the context bounds how many wait."""
    options, bounds = host.options, host.runtime.bounds
    if bounds.counts_bytes and not options.conflate:
        pipe.inbox = _pipes.MeteredInbox(options.receive_limit, bounds)
