"""The arguments of the socket commands, and the plan that they make."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from .. import DEALER, PAIR, PUB, PULL, PUSH, REP, REQ, ROUTER, SUB, XPUB, XSUB, ReceiveSocket, SendSocket, Socket
from ._arguments import Append, Parser, encoded, endpoint, seconds, seconds_or_none, whole
from ._exits import Failure, UsageError
from ._formats import FORMATS, Frames
from ._option_texts import read_options
from ._plan import BIND, CONNECT, Plan
from ._quoting import unquote
from ._security import add_security, read_mechanism


@attrs.frozen
class _About:
    """What the help of one socket command teaches."""

    kind: type[Socket]
    brief: str
    does: str
    examples: tuple[str, ...]


_BOTH = "What is read is sent; what arrives is written. After the end of the input it goes on receiving (see --count)."
ABOUT = {
    "push": _About(
        PUSH,
        "send messages, each to one PULL",
        "Send each message to one PULL, in turn.",
        (
            "ls | triomq push -c tcp://127.0.0.1:5557",
            "triomq push -b tcp://*:5557 -D work -n 1000 -i 0.1",
            "find . -print0 | triomq push -0 -c :5557",
        ),
    ),
    "pull": _About(
        PULL,
        "write messages of PUSH sockets",
        "Write the messages of every PUSH.",
        (
            "triomq pull -b tcp://*:5557",
            "triomq pull -b :5557 -n 1 --out raw > file",
            "triomq pull -c :5557 --exec 'gzip -9 | wc -c' --jobs 4",
        ),
    ),
    "pub": _About(
        PUB,
        "send messages to every SUB that wants them",
        "Send each message to every SUB that has subscribed to its beginning.",
        (
            "tail -f /var/log/syslog | triomq pub -b tcp://*:5556",
            "triomq pub -b :5556 -D 'weather.10001 21 C' -i 1",
        ),
    ),
    "sub": _About(
        SUB,
        "write messages of PUB sockets",
        "Write the messages of every PUB, or those that begin with a topic.",
        (
            "triomq sub -c tcp://127.0.0.1:5556",
            "triomq sub -c :5556 -s weather. -s sports. --jsonl | jq .",
            "triomq sub -c :5556 -n 1 -t 2 || echo nothing within 2 seconds",
        ),
    ),
    "req": _About(
        REQ,
        "send requests, write replies",
        "Send each message as a request to one REP or ROUTER, in turn, and write its reply.",
        (
            "triomq req -c tcp://127.0.0.1:5555 -D hello -t 2",
            "triomq req -c :5555 -D ping -n 10 -i 1",
        ),
    ),
    "rep": _About(
        REP,
        "write requests, send replies",
        "Write each request; the reply is what is read, or what --echo or --exec says.",
        (
            "triomq rep -b tcp://*:5555 --echo",
            "triomq rep -b :5555 --exec 'tr a-z A-Z'",
            "triomq rep -b :5555 -D OK",
        ),
    ),
    "dealer": _About(
        DEALER,
        "send requests and write replies, in any order",
        f"{_BOTH}\nTo talk to a REP, begin each message with an empty frame: with --in tabs, with a tab.",
        (
            "triomq dealer -c tcp://127.0.0.1:5555 -o routing_id=me",
            r"printf '\thello\n' | triomq dealer -c :5555 --in tabs -n 1",
        ),
    ),
    "router": _About(
        ROUTER,
        "talk to many peers, each by its routing id",
        "What arrives is written after the routing id of its peer, and a tab; what is read goes to the peer whose "
        "routing id it begins with, or to --target.",
        (
            "triomq router -b tcp://*:5555 --echo",
            "triomq router -b :5555 --target me",
        ),
    ),
    "pair": _About(
        PAIR,
        "talk to one PAIR",
        _BOTH,
        ("triomq pair -b tcp://*:5558", "triomq pair -c tcp://127.0.0.1:5558"),
    ),
    "xpub": _About(
        XPUB,
        "a PUB that writes subscriptions",
        f"{_BOTH}\nWhat arrives are subscriptions: \\x01 and the topic; and \\x00 and the topic when one ends.",
        ("triomq xpub -b tcp://*:5556 --out quoted",),
    ),
    "xsub": _About(
        XSUB,
        "a SUB that sends subscriptions",
        f"{_BOTH}\nWhat is sent are subscriptions: \\x01 or \\x00 and the topic; -s sends those to begin with.",
        ("triomq xsub -c tcp://127.0.0.1:5556 -s weather.",),
    ),
}
_TWO_WAYS = (DEALER, ROUTER, PAIR, XPUB, XSUB)
_ANSWERING = (REP, DEALER, ROUTER, PAIR)


def add_sockets(commands: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Add a command for each socket type."""
    for name, about in ABOUT.items():
        examples = "\n".join(f"  {example}" for example in about.examples)
        parser = commands.add_parser(
            name,
            help=about.brief,
            usage=f"triomq {name} (-b | -c) ENDPOINT ... [options]",
            description=about.does,
            epilog=f"examples:\n{examples}\n\n"
            "An endpoint is tcp://HOST:PORT, ipc://PATH, or :PORT on this machine.\n"
            f"'triomq options {name}' lists what -o takes. Exit codes: 0 done,\n"
            "1 failed, 2 --timeout is over, 3 messages were not delivered,\n"
            "64 wrong arguments, 130 Ctrl-C, 143 SIGTERM.",
        )
        _add_connections(parser)
        _add_messages(parser, about.kind)
        add_security(parser, serves=True)
        add_verbosity(parser)
        parser.set_defaults(run=run)


def _add_connections(parser: Parser) -> None:
    group = parser.add_argument_group("where")
    for short, long, mark, meaning in (
        ("-b", "--bind", BIND, "wait for peers at this endpoint; may be given several times"),
        ("-c", "--connect", CONNECT, "go to peers at this endpoint, now or when they come; may be given several times"),
    ):
        group.add_argument(short, long, action=Append, mark=mark, dest="endpoints", type=endpoint,
                           metavar="ENDPOINT", help=meaning)  # fmt: skip
    add_options(group)


def add_options(group: Any) -> None:
    """Add ``-o``."""
    group.add_argument("-o", "--option", action="append", default=[], metavar="NAME=VALUE", help="a socket option")


def _add_messages(parser: Parser, kind: type[Socket]) -> None:
    sends, receives = issubclass(kind, SendSocket), issubclass(kind, ReceiveSocket)
    group = parser.add_argument_group("messages")
    if sends:
        group.add_argument("-D", "--data", action=Append, mark="data", dest="given", type=encoded, metavar="TEXT",
                           help="send this, and read nothing; may be given several times")  # fmt: skip
        group.add_argument("-F", "--file", action=Append, mark="file", dest="given", type=Path, metavar="PATH",
                           help="send the whole file as one message; may be given several times")  # fmt: skip
        group.add_argument("-i", "--interval", type=seconds_or_none, metavar="SECONDS",
                           help="time between two messages; with -D or -F, send them again and again")  # fmt: skip
    if kind in (SUB, XSUB):
        group.add_argument("-s", "--subscribe", action="append", default=[], type=encoded, metavar="TOPIC",
                           help="take messages that begin with this; may be given several times"
                           + (" (default: all)" if kind is SUB else ""))  # fmt: skip
    counted = "end after receiving N messages; 0: end with the input" if kind in _TWO_WAYS else "end after N messages"
    group.add_argument(
        "-n", "--count", type=whole(0 if kind in _TWO_WAYS else 1), default=math.inf, metavar="N", help=counted
    )
    if kind in _ANSWERING:
        group.add_argument("--echo", action="store_true", help="answer each message with itself")
    if receives and kind is not REQ and kind not in (XPUB, XSUB):
        answer = "answer each message with" if sends else "write, in place of each message,"
        group.add_argument("--exec", metavar="COMMAND", dest="command",
                           help=f"{answer} what this command of the shell makes of it")  # fmt: skip
        if kind is not REP:
            group.add_argument("--jobs", type=whole(1), default=1, metavar="N",
                               help="run up to N of these commands at one time (default: 1)")  # fmt: skip
    if kind is ROUTER:
        group.add_argument("--target", type=encoded, metavar="ID", help="send all input to this routing id")
    _add_formats(parser, sends=sends, receives=receives)
    group = parser.add_argument_group("waiting")
    group.add_argument("-t", "--timeout", type=seconds, default=math.inf, metavar="SECONDS",
                       help="end with exit code 2 if nothing arrives, or no peer comes, within this time")  # fmt: skip
    if sends:
        group.add_argument("--peers", type=whole(0), default=1, metavar="N",
                           help="wait for N peers before the first message (default: 1)")  # fmt: skip
        group.add_argument("--linger", type=seconds_or_none, default=math.inf, metavar="SECONDS",
                           help="how long to wait at the end until all is sent (default: for ever)")  # fmt: skip


def _add_formats(parser: Parser, *, sends: bool, receives: bool) -> None:
    group = parser.add_argument_group("formats (lines by default)")
    names = ", ".join(FORMATS)
    if sends:
        group.add_argument(
            "--in", dest="reads", choices=FORMATS, metavar="FORMAT", help=f"format of the input: {names}"
        )
    if receives:
        group.add_argument(
            "--out", dest="writes", choices=FORMATS, metavar="FORMAT", help=f"format of the output: {names}"
        )
    group.add_argument("--format", choices=FORMATS, metavar="FORMAT", help="format of both")
    for name in FORMATS:
        flags = ["-0", "--nul"] if name == "nul" else [f"--{name}"]
        group.add_argument(*flags, action="store_const", const=name, dest="format", help=FORMATS[name].about)


def add_verbosity(parser: Parser) -> None:
    """Add ``-v`` and ``-q``."""
    group = parser.add_argument_group("standard error")
    group.add_argument("-v", "--verbose", action="count", default=0, help="tell of connections; -vv of everything")
    group.add_argument("-q", "--quiet", action="store_const", const=-1, dest="verbose", help="tell of failures alone")


def make_plan(given: argparse.Namespace, terminal: bool) -> Plan:
    """What a socket command is to do.

    Args:
      terminal: standard output is one, so messages must not be able to steer it.
    Raises:
      UsageError: arguments are missing, or contradict each other.
    """
    kind = ABOUT[given.name].kind
    arguments = vars(given)
    if not given.endpoints:
        raise UsageError("give an endpoint: -b to wait for peers there, or -c to go to them")
    default = "quoted" if kind is ROUTER else "lines"
    reads = FORMATS[arguments.get("reads") or given.format or default]
    writes = FORMATS[arguments.get("writes") or given.format or ("quoted" if terminal else default)]
    interval = arguments.get("interval")
    messages = _given_messages(arguments.get("given"), reads.parse)
    echo, command, target = arguments.get("echo", False), arguments.get("command"), arguments.get("target")
    if echo + (command is not None) + (messages is not None) > 1:
        raise UsageError("--echo, --exec, and -D or -F: each says what is sent; give one of them")
    topics = arguments.get("subscribe") or ([b""] if kind is SUB else [])
    options = read_options(given.option, kind.socket_type)
    if kind is ROUTER:
        options.setdefault("router_mandatory", True)
    if (mechanism := read_mechanism(given)) is not None:
        options["mechanism"] = mechanism
    again = interval is not None or (given.count != math.inf and kind not in _TWO_WAYS) or kind is REP
    return Plan(
        kind=kind,
        endpoints=tuple(given.endpoints),
        options=options,
        topics=tuple(topics),
        given=messages,
        repeat=messages is not None and again,
        reads=reads,
        writes=writes,
        count=given.count,
        interval=interval or 0.0,
        timeout=given.timeout,
        peers=arguments.get("peers", 0),
        linger=options.pop("linger", arguments.get("linger", 0.0)),
        echo=echo,
        command=command,
        jobs=arguments.get("jobs", 1),
        target=None if target is None else _unquoted(target),
    )


def _given_messages(given: list[tuple[str, Any]] | None, parse: Callable[[bytes], Frames]) -> tuple[Frames, ...] | None:
    if given is None:
        return None
    return tuple(_read_file(value) if mark == "file" else _read_data(value, parse) for mark, value in given)


def _read_file(path: Path) -> Frames:
    try:
        return (path.read_bytes(),)
    except OSError as exc:
        raise Failure(f"cannot read {path}: {exc.strerror}") from exc


def _read_data(data: bytes, parse: Callable[[bytes], Frames]) -> Frames:
    try:
        return parse(data)
    except ValueError as exc:
        raise UsageError(f"-D: {exc}") from exc


def _unquoted(text: bytes) -> bytes:
    try:
        return unquote(text)
    except ValueError as exc:
        raise UsageError(f"--target: {exc}") from exc
