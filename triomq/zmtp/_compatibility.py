"""Which socket types talk to which (RFC 37 §3, and RFCs 28-31, 41, 48, 49, 51, 52 for each)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COMPATIBLE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "REQ": frozenset({"REP", "ROUTER"}),
        "REP": frozenset({"REQ", "DEALER"}),
        "DEALER": frozenset({"REP", "DEALER", "ROUTER"}),
        "ROUTER": frozenset({"REQ", "DEALER", "ROUTER"}),
        "PUB": frozenset({"SUB", "XSUB"}),
        "XPUB": frozenset({"SUB", "XSUB"}),
        "SUB": frozenset({"PUB", "XPUB"}),
        "XSUB": frozenset({"PUB", "XPUB"}),
        "PUSH": frozenset({"PULL"}),
        "PULL": frozenset({"PUSH"}),
        "PAIR": frozenset({"PAIR"}),
        "CLIENT": frozenset({"SERVER"}),
        "SERVER": frozenset({"CLIENT"}),
        "RADIO": frozenset({"DISH"}),
        "DISH": frozenset({"RADIO"}),
        "SCATTER": frozenset({"GATHER"}),
        "GATHER": frozenset({"SCATTER"}),
        "PEER": frozenset({"PEER"}),
        "CHANNEL": frozenset({"CHANNEL"}),
    }
)
"""Socket type to the socket types its peers may have."""

NAMES_ITSELF = frozenset({"REQ", "DEALER", "ROUTER"})
"""Types whose metadata always holds an Identity, maybe an empty one, as libzmq's does."""

TAKES_SUBSCRIPTIONS = frozenset({"PUB", "XPUB"})
"""Types that understand SUBSCRIBE and CANCEL (RFC 37 §2.7)."""


def explain_incompatible(ours: str, theirs: str) -> str | None:
    """Why the two types do not talk to each other; None if they do. The text is ASCII: it fits an ERROR command."""
    wanted = COMPATIBLE[ours]
    if theirs in wanted:
        return None
    if theirs not in COMPATIBLE:
        theirs = f"the unknown type {theirs[:32]!a}"
    return f"{ours} does not talk to {theirs}; it talks to {', '.join(sorted(wanted))}"
