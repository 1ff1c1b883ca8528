"""Colours and lines, and what they mean.

Nothing is told by colour alone: kinds differ in their words too, and fates in the ends of their lines.
"""

from __future__ import annotations

from typing import Final

_GROUPS: Final = 4  # colours that there are for the sides of a partition

STYLE: Final = """<style>
.triomq-diagram { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12px }
.triomq-diagram .paper { fill: #ffffff; stroke: #d0d7de }
.triomq-diagram .title { font: 600 15px system-ui, "DejaVu Sans", "Segoe UI", sans-serif; fill: #1f2328 }
.triomq-diagram .note { font-size: 11px; fill: #9a3412 }
.triomq-diagram .name { font-weight: 600; fill: #1f2328 }
.triomq-diagram .host rect { fill: #eef2f7; stroke: #8c98a8 }
.triomq-diagram .time { font-size: 11px; fill: #57606a }
.triomq-diagram .gap { font-size: 11px; font-style: italic; fill: #57606a }
.triomq-diagram .key { font: 11px system-ui, "DejaVu Sans", "Segoe UI", sans-serif; fill: #424a53 }
.triomq-diagram .guide { stroke: #eaeef2 }
.triomq-diagram .life { stroke: #8c98a8 }
.triomq-diagram .gone { stroke: #ffffff; stroke-width: 3 }
.triomq-diagram .down { stroke: #c3cad3; stroke-dasharray: 1 5 }
.triomq-diagram .slash { stroke: #8c98a8; fill: none }
.triomq-diagram .context { fill: #dbe8fb; stroke: #6a87b5 }
.triomq-diagram .pause { fill: #6b7280; fill-opacity: 0.22 }
.triomq-diagram .group0 { fill: #f59e0b; fill-opacity: 0.20 }
.triomq-diagram .group1 { fill: #8b5cf6; fill-opacity: 0.17 }
.triomq-diagram .group2 { fill: #10b981; fill-opacity: 0.18 }
.triomq-diagram .group3 { fill: #ec4899; fill-opacity: 0.16 }
.triomq-diagram .line { fill: none; stroke: currentColor; stroke-width: 1.5 }
.triomq-diagram .head, .triomq-diagram .dot { fill: currentColor }
.triomq-diagram .dot { stroke: #ffffff }
.triomq-diagram .rule { stroke: currentColor; stroke-dasharray: 6 4 }
.triomq-diagram .failed .rule { stroke-width: 2; stroke-dasharray: none }
.triomq-diagram g.failed .label { font-weight: 600 }
.triomq-diagram .cross { fill: none; stroke: #c62828; stroke-width: 2.2 }
.triomq-diagram .big { stroke-width: 3.5 }
.triomq-diagram .label { fill: currentColor; paint-order: stroke; stroke: #ffffff; stroke-width: 6px;
  stroke-opacity: 0.9; stroke-linejoin: round }
.triomq-diagram .fold rect { fill: #f3f4f6; stroke: #9ca3af; stroke-dasharray: 3 3 }
.triomq-diagram .folded { fill: #424a53; font-style: italic }
.triomq-diagram .message { color: #0b57d0 }
.triomq-diagram .command { color: #00695c }
.triomq-diagram .handshake { color: #5f6b7a }
.triomq-diagram .connect { color: #7c3aed }
.triomq-diagram .octets { color: #92400e }
.triomq-diagram .end { color: #8a5a00 }
.triomq-diagram .reset, .triomq-diagram .crash, .triomq-diagram .trouble, .triomq-diagram .dropped,
.triomq-diagram .refused, .triomq-diagram .lost, .triomq-diagram .failed { color: #c62828 }
.triomq-diagram .held { color: #b45353 }
.triomq-diagram .listening { color: #1a7f37 }
.triomq-diagram .restart { color: #1a7f37 }
.triomq-diagram g.partition { color: #92600a }
.triomq-diagram g.pause { color: #424a53; fill-opacity: 1 }
.triomq-diagram g.note { color: #424a53; font-size: 12px }
.triomq-diagram .connect .line { stroke-dasharray: 5 3 }
.triomq-diagram .end .line { stroke-dasharray: 8 3 }
.triomq-diagram .lost .line { stroke-dasharray: 6 3 }
.triomq-diagram .held .line, .triomq-diagram .under-way .line { stroke-dasharray: 2 3 }
</style>"""


def group_class(group: int) -> str:
    """The class for one side of a partition."""
    return f"partition group{group % _GROUPS}"


def _arrow(kind: str) -> str:
    return (
        f'<g class="{kind}"><line class="line" x1="0" y1="0" x2="28" y2="0"/>'
        '<path class="head" d="M34 0l-9 -3.8v7.6z"/></g>'
    )


def _crossed(kind: str) -> str:
    return (
        f'<g class="{kind}"><line class="line" x1="0" y1="0" x2="28" y2="0"/>'
        '<path class="cross" d="M24 -4l8 8m0 -8l-8 8"/></g>'
    )


def _box(kind: str, width: int = 26) -> str:
    return f'<rect class="{kind}" x="{17 - width / 2:g}" y="-7" width="{width}" height="14"/>'


def _dot(kind: str) -> str:
    return f'<g class="{kind}"><circle class="dot" cx="17" cy="0" r="4.5"/></g>'


LEGEND: Final = [
    ("connect", _arrow("connect"), "connection attempt, and answer"),
    ("handshake", _arrow("handshake"), "handshake"),
    ("message", _arrow("message"), "message"),
    ("command", _arrow("command"), "command"),
    ("octets", _arrow("octets"), "octets, not understood"),
    ("end", _arrow("end"), "end of the connection"),
    ("reset", _arrow("reset"), "connection broken off"),
    ("lost", _crossed("message lost"), "lost"),
    ("refused", _crossed("connect refused"), "refused"),
    ("held", _crossed("message held"), "held back behind what was lost"),
    ("again", '<text class="label" x="12" y="4">↻</text>', "sent again"),
    (
        "under way",
        '<g class="message under-way"><line class="line" x1="0" y1="0" x2="22" y2="0"/>'
        '<circle class="head" cx="26" cy="0" r="1.4"/><circle class="head" cx="31" cy="0" r="1.4"/></g>',
        "still under way at the end",
    ),
    ("context", _box("context", 10), "context open"),
    ("partition", _box("group0", 14) + _box("group1", 8).replace('x="13"', 'x="27"'), "sides of a partition"),
    ("pause", _box("pause"), "paused"),
    ("down", '<line class="down" x1="0" y1="0" x2="34" y2="0"/>', "host is down"),
    ("crash", '<path class="cross big" d="M10 -6l12 12m0 -12l-12 12"/>', "crash"),
    ("said", _dot("dropped"), "a socket's own words"),
    ("break", '<path class="slash" d="M8 3l18 -6m-18 9l18 -6"/>', "time left out"),
    ("fold", '<g class="fold"><rect x="2" y="-7" width="30" height="14" rx="7"/></g>', "repeated rows left out"),
]
"""The rows of the legend: the key, a sample 34 pixels wide, and words."""
