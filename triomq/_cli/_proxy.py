"""``triomq proxy``: messages from one socket to another, and back, with each shown if the user wants to see them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

import attrs
import trio

from .. import PUB, SUB, Context, EndpointError, ProxyHandle, ReceiveSocket, Socket, open_context
from .. import proxy as run_proxy_task
from ._arguments import endpoint as as_endpoint
from ._exits import DONE, Failure, Teller, UsageError, describe
from ._formats import FORMATS, Format
from ._live import LiveLine, Rate
from ._notes import Notes
from ._option_texts import names_for, read_options
from ._signals import GRACE, Interruption
from ._socket_parsers import ABOUT, add_options, add_verbosity
from ._streams import Output

_CAPTURE = "inproc://capture"
_MARKS = {b"forward": b"> ", b"backward": b"< "}


@attrs.frozen(kw_only=True)
class Side:
    """One socket of a proxy.

    Attributes:
      kind: its class.
      connects: whether it goes to its peers, or waits for them.
    """

    kind: type[Socket]
    connects: bool
    endpoints: tuple[str, ...]


def read_side(text: str) -> Side:
    """A side as ``TYPE:ENDPOINT``, ``TYPE:connect:ENDPOINT``, or ``TYPE://HOST:PORT``.

    Raises:
      UsageError: it is none of these.
    """
    name, separator, rest = text.partition(":")
    if name not in ABOUT or not separator or not rest:
        raise UsageError(f"{text!r}: a side of a proxy is TYPE:ENDPOINT, such as xsub:tcp://*:5556, "
                         "or TYPE:connect:ENDPOINT; TYPE://HOST:PORT is short for TYPE:tcp://HOST:PORT")  # fmt: skip
    way, separator, further = rest.partition(":")
    connects = way == "connect" and bool(separator)
    if separator and way in ("connect", "bind"):
        rest = further
    endpoints = tuple(f"tcp:{one}" if one.startswith("//") else as_endpoint(one) for one in rest.split(","))
    return Side(kind=ABOUT[name].kind, connects=connects, endpoints=endpoints)


def add_proxy(commands: Any, run: Any) -> None:
    """Add the command ``proxy``."""
    parser = commands.add_parser(
        "proxy",
        help="pass messages on between two sockets, and show them",
        description="Pass messages on from one socket to another, and back: a broker, a forwarder, a streamer.\n"
        "Each side is TYPE:ENDPOINT[,ENDPOINT...], bound; TYPE:connect:ENDPOINT goes to its peers. TYPE://HOST:PORT is "
        "short for TYPE:tcp://HOST:PORT.",
        epilog="examples:\n"
        "  triomq proxy router://*:5559 dealer://*:5560          requests to workers\n"
        "  triomq proxy xsub://*:5556 xpub://*:5557 --capture    publishers, subscribers\n"
        "  triomq proxy pull:ipc:///run/in push:connect:tcp://host:5558\n\n"
        "With --capture, a message from the first side is shown after >, one from the\n"
        "second after <. If standard output is too slow, messages are passed on unshown.",
    )
    parser.add_argument("frontend", metavar="FRONT", help="such as router://*:5559")
    parser.add_argument("backend", metavar="BACK", help="such as dealer://*:5560")
    parser.add_argument("--capture", action="store_true", help="write each message to standard output")
    parser.add_argument("--out", choices=FORMATS, default="quoted", metavar="FORMAT",
                        help="of the messages that are shown (default: quoted)")  # fmt: skip
    add_options(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run)


async def run_proxy(given: argparse.Namespace, interruption: Interruption, teller: Teller) -> int:
    """Pass messages on until a signal comes. Returns: the exit code."""
    sides = read_side(given.frontend), read_side(given.backend)
    form: Format | None = FORMATS[given.out] if given.capture else None
    options = [_options_of(side, given.option, sides) for side in sides]
    async with open_context() as ctx:
        ctx.observe(Notes(teller))
        sockets = [_make(ctx, side, arguments) for side, arguments in zip(sides, options, strict=True)]
        with interruption.work():
            for side, socket in zip(sides, sockets, strict=True):
                await _attach(side, socket, teller)
            await _pass_on(ctx, sockets, form, teller)
        with trio.move_on_after(GRACE):
            for socket in sockets:
                await socket.aclose()
    return DONE


def _options_of(side: Side, texts: Iterable[str], sides: Iterable[Side]) -> dict[str, Any]:
    """The options that mean something for this side; each must for one of them."""
    mine = []
    for text in texts:
        name = text.partition("=")[0].strip().replace("-", "_")
        known = [one for one in sides if name in names_for(one.kind.socket_type)]
        if side in known or not known:
            mine.append(text)
    return read_options(mine, side.kind.socket_type)


def _make(ctx: Context, side: Side, options: dict[str, Any]) -> Socket:
    if side.kind is SUB:
        options["topics"] = [b""]
    try:
        return ctx.socket(side.kind, **options)
    except (TypeError, ValueError) as exc:
        raise UsageError(f"-o: {exc}") from exc


async def _attach(side: Side, socket: Socket, teller: Teller) -> None:
    for endpoint in side.endpoints:
        try:
            if side.connects:
                socket.connect(endpoint)
            else:
                bound = await socket.bind(endpoint)
                teller.tell(f"{side.kind.socket_type} is bound to {bound}")
        except EndpointError as exc:
            raise UsageError(str(exc)) from exc
        except OSError as exc:
            raise Failure(describe(exc)) from exc


async def _pass_on(ctx: Context, sockets: list[Socket], form: Format | None, teller: Teller) -> None:
    frontend, backend = sockets
    handle: ProxyHandle | None = None
    capture: PUB | None = None
    try:
        async with trio.open_nursery() as nursery:
            capture = None if form is None else await _start_capture(nursery, ctx, form)
            try:
                handle = await nursery.start(_run, frontend, backend, capture)
            except TypeError as exc:
                raise UsageError(str(exc)) from exc
            if form is None and sys.stderr is not None and sys.stderr.isatty():
                nursery.start_soon(_show_rate, handle)
    finally:
        if handle is not None:
            moved = handle.statistics()
            forward, backward = moved.messages_forward, moved.messages_backward
            teller.tell(
                f"passed on {forward:,} forward and {backward:,} backward; {moved.messages_dropped:,} for nobody"
            )
            if capture is not None and capture.messages_dropped:
                teller.tell(f"{capture.messages_dropped:,} messages were passed on and not shown")


async def _run(  # noqa: ASYNC128  # the proxy calls started()
    frontend: Any, backend: Any, capture: PUB | None, *, task_status: trio.TaskStatus[ProxyHandle]
) -> None:
    await run_proxy_task(frontend, backend, capture, capture_direction=True, task_status=task_status)


async def _start_capture(nursery: trio.Nursery, ctx: Context, form: Format) -> PUB:
    """A PUB, so that a reader that stands still makes it drop what it would show, and holds up no message."""
    capture, shown = ctx.socket(PUB), ctx.socket(SUB, topics=[b""])
    await capture.bind(_CAPTURE)
    shown.connect(_CAPTURE)
    await capture.wait_subscribers(b"forward")
    nursery.start_soon(_show, shown, form)
    return capture


async def _show(shown: ReceiveSocket, form: Format) -> None:
    output = Output()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(output.watch)
        while True:
            messages = await shown.receive_many(256)
            await output.write(b"".join([_MARKS[way] + form.encode(frames) for way, *frames in messages]))


async def _show_rate(handle: ProxyHandle) -> None:
    rate = Rate()
    with LiveLine(sys.stderr) as line:
        while True:
            moved = handle.statistics()
            both = moved.messages_forward + moved.messages_backward
            line.show(f"{both:,} messages passed on, {rate.of(both):,.0f} each second")
            await trio.sleep(0.2)
