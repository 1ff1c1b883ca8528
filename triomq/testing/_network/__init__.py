"""A network of hosts in virtual time.

Each module knows only those above it in this list. An owner knows what it owns, and hands it what it needs.

    _settings    what a link is like
    _agenda      what the network will do, and when
    _world       chance, time and the record, which everything on the network shares
    _machine     whether a host lives: what its listeners and streams look at
    _path        the way from one host to another
    _patience    how long Linux waits, and when it gives up
    _segment     what travels over a connection
    _wire        one connection's share of a path
    _window      the room that a sender knows of
    _prober      asking a peer without room
    _link        one direction of a connection, over a wire
    _keepalive   asking an idle peer
    _stream      one end of a connection: two links
    _listener    a bound endpoint, where streams wait to be accepted
    _host        the listeners and streams of a kernel, and the contexts of a process
    _partition   what separates hosts
    _fabric      all hosts, and the paths between them
    _attempt     connecting: an attempt makes two streams and two links
    _transport   tcp and ipc of a host, which make attempts and listeners
    _groups      multicast groups of a host, whose datagrams fly over the paths
    _watch       what the sockets of a context say, brought into the record
    _failures    where a run failed
    _faults      what can go wrong
    _programs    what runs: contexts and programs on hosts
    _network     the network: its life, and what happened on it
    _time_limit  how long a call may take on a network
    _run         a whole run, without pytest
"""

from __future__ import annotations

from ._listener import VirtualListener
from ._network import VirtualNetwork, mark_failure
from ._partition import Partition
from ._run import run
from ._settings import LinkArguments, LinkSettings
from ._stream import VirtualStream
from ._time_limit import FOUR_HOURS, call_within
from ._transport import VirtualIpc, VirtualTcp

__all__ = [
    "FOUR_HOURS",
    "LinkArguments",
    "LinkSettings",
    "Partition",
    "VirtualIpc",
    "VirtualListener",
    "VirtualNetwork",
    "VirtualStream",
    "VirtualTcp",
    "call_within",
    "mark_failure",
    "run",
]
