"""The pictures of topologies: what they show, and how they become SVG. No Sphinx here, so that a test can draw them.

The lines and letters take the colours of the page, so that a picture can be read in light and in dark mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

BOX_WIDTH, BOX_HEIGHT = 128, 40
TAG_WIDTH, TAG_HEIGHT = 60, 18
ROW, COLUMN = 116, 150  # pixels from one row, or column, of boxes to the next
MARGIN = 12
CELL_WIDTH, CELL_HEIGHT = 96, 34
_MARKER = "topology-arrow"

LINE = "var(--color-foreground-muted, #666)"
TEXT = "var(--color-foreground-primary, #222)"
FILL = "var(--color-background-secondary, #f4f4f4)"
SOCKET = "var(--color-brand-primary, #0a5fb4)"
PAPER = "var(--color-background-primary, #fff)"


class Box(NamedTuple):
    """A program or a part of one, with the sockets at its upper and its lower edge."""

    name: str
    above: str = ""
    below: str = ""


class Network(NamedTuple):
    """Boxes in rows, and who talks to whom.

    Attributes:
      edges: the numbers of two boxes, counted from 0 over all rows, and what is written beside the line.
      both_ways: messages go in both directions.
    """

    caption: str
    rows: Sequence[Sequence[Box]]
    edges: Sequence[tuple[int, int, str]]
    both_ways: bool = False


class Frames(NamedTuple):
    """Rows of cells: what stands on the wire, or in a message. Each cell has a title and its content."""

    caption: str
    rows: Sequence[Sequence[tuple[str, str]]]


def fan(source: int, targets: Sequence[int], text: str = "") -> list[tuple[int, int, str]]:
    """Edges from one box to several."""
    return [(source, target, text) for target in targets]


def gather(sources: Sequence[int], target: int, text: str = "") -> list[tuple[int, int, str]]:
    """Edges from several boxes to one."""
    return [(source, target, text) for source in sources]


DRAWINGS: dict[str, Network | Frames] = {
    "tcp-one-to-one": Network(
        "A TCP connection joins one socket to one other",
        [[Box("client", "", "socket")], [Box("server", "socket")]],
        [(0, 1, "")],
        both_ways=True,
    ),
    "many-to-many": Network(
        "One ØMQ socket has many connections, made and accepted, over several transports",
        [
            [Box("program 1", "", "PUSH"), Box("program 2", "", "PUSH"), Box("program 3", "", "PUSH")],
            [Box("program 4", "PULL"), Box("program 5", "PULL")],
        ],
        [(0, 3, "tcp"), (1, 3, "ipc"), (1, 4, "tcp"), (2, 4, "inproc")],
    ),
    "http-on-the-wire": Frames(
        "HTTP on the wire: text and line ends",
        [[("line", "GET /index.html"), ("end", "CR LF"), ("line", "Host: example"), ("end", "CR LF CR LF")]],
    ),
    "zmtp-on-the-wire": Frames(
        "ZMTP on the wire: a flag, a length, and that many octets",
        [[("flags", "0"), ("length", "5"), ("body", "H e l l o")]],
    ),
    "small-pubsub": Network(
        "A small publish-subscribe network: every subscriber knows the publisher",
        [
            [Box("publisher", "", "PUB")],
            [Box("subscriber", "SUB"), Box("subscriber", "SUB"), Box("subscriber", "SUB")],
        ],
        fan(0, [1, 2, 3]),
    ),
    "pubsub-proxy": Network(
        "With a proxy, publishers and subscribers need to know the proxy only",
        [
            [Box("publisher", "", "PUB"), Box("publisher", "", "PUB"), Box("publisher", "", "PUB")],
            [Box("proxy", "XSUB", "XPUB")],
            [Box("subscriber", "SUB"), Box("subscriber", "SUB"), Box("subscriber", "SUB")],
        ],
        [*gather([0, 1, 2], 3), *fan(3, [4, 5, 6])],
    ),
    "extended-pubsub": Network(
        "A new publisher connects to the proxy, and no subscriber changes",
        [
            [Box("publisher", "", "PUB"), Box("new publisher", "", "PUB")],
            [Box("proxy", "XSUB", "XPUB")],
            [Box("subscriber", "SUB"), Box("subscriber", "SUB")],
        ],
        [(0, 2, ""), (1, 2, "connects"), *fan(2, [3, 4])],
    ),
    "request-distribution": Network(
        "A REQ connected to three REPs asks each in turn",
        [
            [Box("client", "", "REQ")],
            [Box("service A", "REP"), Box("service B", "REP"), Box("service C", "REP")],
        ],
        [(0, 1, "R1, R4"), (0, 2, "R2"), (0, 3, "R3")],
        both_ways=True,
    ),
    "extended-reqrep": Network(
        "A broker between: clients and services come and go without each other's knowledge",
        [
            [Box("client", "", "REQ"), Box("client", "", "REQ"), Box("client", "", "REQ")],
            [Box("broker", "ROUTER", "DEALER")],
            [Box("service", "REP"), Box("service", "REP"), Box("service", "REP")],
        ],
        [*gather([0, 1, 2], 3), *fan(3, [4, 5, 6])],
        both_ways=True,
    ),
    "reqrep-broker": Network(
        "The broker moves messages between its two sockets, with their envelopes",
        [[Box("client", "", "REQ")], [Box("proxy(…)", "ROUTER", "DEALER")], [Box("service", "REP")]],
        [(0, 1, "request"), (1, 2, "request")],
        both_ways=True,
    ),
    "forwarder": Network(
        "A proxy as a bridge between two networks or two transports",
        [
            [Box("publisher", "", "PUB")],
            [Box("bridge", "XSUB", "XPUB")],
            [Box("subscriber", "SUB"), Box("subscriber", "SUB")],
        ],
        [(0, 1, "inner network"), (1, 2, "outer network"), (1, 3, "")],
    ),
    "pipeline-kill": Network(
        "A pipeline whose sink tells the workers when to end",
        [
            [Box("ventilator", "", "PUSH")],
            [Box("worker", "PULL", "PUSH SUB"), Box("worker", "PULL", "PUSH SUB"), Box("worker", "PULL", "PUSH SUB")],
            [Box("sink", "PULL PUB")],
        ],
        [*fan(0, [1, 2, 3]), (1, 4, "results"), (2, 4, ""), (3, 4, "KILL back")],
    ),
    "task-server": Network(
        "A server with a task for each worker; inside, messages go by reference",
        [
            [Box("client", "", "REQ"), Box("client", "", "REQ")],
            [Box("server", "ROUTER", "DEALER")],
            [Box("worker task", "REP"), Box("worker task", "REP"), Box("worker task", "REP")],
        ],
        [(0, 2, "tcp"), (1, 2, ""), (2, 3, "inproc"), (2, 4, ""), (2, 5, "")],
        both_ways=True,
    ),
    "relay-race": Network(
        "Three steps signal each other through pairs",
        [[Box("step 1", "", "PAIR")], [Box("step 2", "PAIR", "PAIR")], [Box("step 3", "PAIR")]],
        [(0, 1, "ready"), (1, 2, "ready")],
    ),
    "pubsub-sync": Network(
        "The publisher begins when the subscribers have reported",
        [
            [Box("publisher", "", "PUB REP")],
            [Box("subscriber", "SUB REQ"), Box("subscriber", "SUB REQ")],
        ],
        fan(0, [1, 2]),
        both_ways=True,
    ),
    "envelope-key": Frames(
        "An envelope with a key: a subscription looks at the first frame only",
        [[("frame 1, the key", "topic"), ("frame 2", "the data")]],
    ),
    "envelope-address": Frames(
        "An envelope with a key and the address of the sender",
        [[("frame 1, the key", "topic"), ("frame 2", "sender"), ("frame 3", "the data")]],
    ),
}


def draw(drawing: Network | Frames) -> str:
    """Draw one of them. Returns: an SVG element."""
    return _draw_frames(drawing) if isinstance(drawing, Frames) else _draw_network(drawing)


def _draw_network(network: Network) -> str:
    columns = max(map(len, network.rows))
    width = MARGIN * 2 + COLUMN * (columns - 1) + BOX_WIDTH
    height = MARGIN * 2 + TAG_HEIGHT + ROW * (len(network.rows) - 1) + BOX_HEIGHT
    places: list[tuple[float, float]] = []  # of the middle of each box's upper edge
    boxes: list[Box] = []
    for index, row in enumerate(network.rows):
        for place, box in enumerate(row):
            places.append((width / 2 + (place - (len(row) - 1) / 2) * COLUMN, MARGIN + TAG_HEIGHT / 2 + index * ROW))
            boxes.append(box)
    start = f'marker-start="url(#{_MARKER})" ' if network.both_ways else ""
    ends = f'{start}marker-end="url(#{_MARKER})"'
    lines = [_edge(places[source], places[target], text, ends) for source, target, text in network.edges]
    shapes = [_box(box, *place) for box, place in zip(boxes, places, strict=True)]
    return _svg(width, height, network.caption, "".join(lines + shapes))


def _edge(source: tuple[float, float], target: tuple[float, float], text: str, ends: str) -> str:
    x1, y1 = source[0], source[1] + BOX_HEIGHT + TAG_HEIGHT / 2 + 4
    x2, y2 = target[0], target[1] - TAG_HEIGHT / 2 - 4
    line = f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{LINE}" stroke-width="1.5" {ends}/>'
    if not text:
        return line
    x, y = x1 + (x2 - x1) * 0.5, y1 + (y2 - y1) * 0.5
    halo = f'paint-order="stroke" stroke="{PAPER}" stroke-width="4"'
    return f'{line}<text x="{x:g}" y="{y + 4:g}" font-size="12" fill="{TEXT}" {halo}>{escape(text)}</text>'


def _box(box: Box, x: float, y: float) -> str:
    parts = [
        f'<rect x="{x - BOX_WIDTH / 2:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5" '
        f'fill="{FILL}" stroke="{LINE}"/>',
        f'<text x="{x:g}" y="{y + BOX_HEIGHT / 2 + 5:g}" font-size="14" fill="{TEXT}">{escape(box.name)}</text>',
    ]
    for names, edge in ((box.above, y), (box.below, y + BOX_HEIGHT)):
        tags = names.split()
        for index, name in enumerate(tags):
            middle = x + (index - (len(tags) - 1) / 2) * (TAG_WIDTH + 4)
            parts.append(
                f'<rect x="{middle - TAG_WIDTH / 2:g}" y="{edge - TAG_HEIGHT / 2:g}" width="{TAG_WIDTH}" '
                f'height="{TAG_HEIGHT}" rx="3" fill="{PAPER}" stroke="{SOCKET}"/>'
                f'<text x="{middle:g}" y="{edge + 4:g}" font-size="11" fill="{SOCKET}">{escape(name)}</text>'
            )
    return "".join(parts)


def _draw_frames(frames: Frames) -> str:
    longest = max(len(row) for row in frames.rows)
    wide = max(CELL_WIDTH, 9 * max(len(part) for row in frames.rows for cell in row for part in cell))
    width = MARGIN * 2 + wide * longest
    height = MARGIN * 2 + (CELL_HEIGHT + 22) * len(frames.rows)
    parts = []
    for index, row in enumerate(frames.rows):
        y = MARGIN + index * (CELL_HEIGHT + 22)
        for place, (title, content) in enumerate(row):
            x = MARGIN + place * wide
            parts.append(
                f'<text x="{x + wide / 2:g}" y="{y + 12:g}" font-size="12" fill="{LINE}">{escape(title)}</text>'
                f'<rect x="{x:g}" y="{y + 18:g}" width="{wide:g}" height="{CELL_HEIGHT}" fill="{FILL}" '
                f'stroke="{LINE}"/>'
                f'<text x="{x + wide / 2:g}" y="{y + 40:g}" font-size="13" fill="{TEXT}">{escape(content)}</text>'
            )
    return _svg(width, height, frames.caption, "".join(parts))


def _svg(width: float, height: float, caption: str, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(caption, quote=True)}" width="{width:g}" style="max-width: 100%; height: auto" '
        f'font-family="sans-serif" text-anchor="middle">'
        f'<defs><marker id="{_MARKER}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M 0 0 L 8 4 L 0 8 z" fill="{LINE}"/></marker></defs>'
        f"{content}</svg>"
    )
