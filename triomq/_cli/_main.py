"""The command line: ``triomq`` and ``python -m triomq``."""

from __future__ import annotations

import argparse
import difflib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from .._version import __version__
from ._arguments import Parser, endpoint, terminal_width
from ._bench import add_bench, run_bench
from ._completion import add_completion, print_completion
from ._demos import add_demo
from ._exits import BROKEN_PIPE, DONE, FAILED, Failure, Teller, describe, first_error, write_error
from ._keygen import add_keygen
from ._option_texts import describe_options
from ._probe import add_probe, run_probe
from ._proxy import add_proxy, run_proxy
from ._signals import Interruption
from ._socket_parsers import ABOUT, add_sockets, make_plan
from ._talk import converse
from ._top import add_top, run_top

_STDOUT, _STDERR = 1, 2
_EPILOG = """\
examples:
  triomq rep -b tcp://127.0.0.1:5555 --echo          a server that answers
  triomq req -c tcp://127.0.0.1:5555 -D hello        a client that asks
  ls | triomq push -c tcp://127.0.0.1:5557           each line is a message
  triomq sub -c tcp://127.0.0.1:5556 -s weather.     what a publisher sends

'triomq COMMAND --help' explains a command, with examples."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
      arguments: without the program's name; those of the process if None.
    Returns: the exit code.
    """
    _open_what_is_closed()
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a job in the background stays one
        signal.signal(signal.SIGINT, _heed_nothing)  # until a command listens
    try:
        return _run(arguments)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said; a handler in Python ends before the process


def _run(arguments: Sequence[str] | None) -> int:
    parser = build_parser()
    try:
        given = parse(parser, sys.argv[1:] if arguments is None else arguments)
        if given.name is None:
            parser.print_help()
            code = DONE
        else:
            _log(vars(given).get("verbose", 0))
            code = given.run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read this, such as `head`, has seen enough
        _forget_output()
        return BROKEN_PIPE
    except OSError as exc:  # such as a full disk
        write_error(f"triomq: cannot write standard output: {describe(exc)}\n")
        _forget_output()
        return FAILED
    return int(code)


def _open_what_is_closed() -> None:
    """Open standard streams that the shell has closed, or a socket would get the number of one."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        if fd == _STDOUT:
            sys.stdout = os.fdopen(fd, "w", closefd=False)
    os.close(fd)


def parse(parser: Parser, arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments, by name. For a word that is none of them, the process ends with a guess of what was meant."""
    commands = commands_of(parser)
    if arguments and arguments[0] not in commands and not arguments[0].startswith("-"):
        near = difflib.get_close_matches(arguments[0].lower(), commands, n=1)
        meant = f"; do you mean {near[0]}?" if near else f"; there are {', '.join(commands)}"
        parser.error(f"there is no command {arguments[0]!r}{meant}")
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        command = commands.get(given.name, parser)
        flags = [flag for action in command._actions for flag in action.option_strings]
        command.error(f"there is no argument {unknown[0]!r}{_guess(unknown[0], flags)}")
    return given


def _guess(word: str, flags: Sequence[str]) -> str:
    """What may have been meant by a word that is no argument."""
    if not word.startswith("-") and "-b" in flags and "://" in endpoint(word):
        return f"; to wait for peers at an endpoint write -b {word}, to go to them -c {word}"
    near = difflib.get_close_matches(word, flags, n=1, cutoff=0.7)
    return f"; do you mean {near[0]}?" if near else ""


def commands_of(parser: Parser) -> dict[str, Parser]:
    """The parsers of the commands, by name."""
    return {name: one for name, one in _subparsers(parser).choices.items() if isinstance(one, Parser)}


def _subparsers(parser: Parser) -> argparse._SubParsersAction[Any]:
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return commands


def _run_completion(given: argparse.Namespace) -> int:
    parser = build_parser()
    about = {action.dest: action.help or "" for action in _subparsers(parser)._choices_actions}
    return print_completion(given.shell, commands_of(parser), about)


def _heed_nothing(*_: object) -> None:
    """A handler of Ctrl-C, where nothing is left that it could end."""


def _forget_output() -> None:
    """Let what is still to be written go nowhere, as Python writes it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="triomq",
        description="ZeroMQ sockets in the shell. Any of them talks to programs of triomq, pyzmq, libzmq and others.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"triomq {__version__}")
    commands = parser.add_subparsers(dest="name", metavar="COMMAND", title="commands", parser_class=Parser)
    add_sockets(commands, _running(_talk))
    options = commands.add_parser(
        "options",
        help="list the socket options, for -o",
        description="List the socket options, with defaults and units.",
        epilog="example:\n  triomq options router",
    )
    options.add_argument(
        "type", nargs="?", type=str.lower, choices=list(ABOUT), metavar="TYPE", help="such as push (default: all)"
    )
    options.set_defaults(run=_run_options)
    add_proxy(commands, _running(run_proxy))
    add_probe(commands, _running(run_probe))
    add_top(commands, _running(run_top))
    add_keygen(commands)
    add_bench(commands, _running(run_bench))
    add_demo(commands)
    add_completion(commands, _run_completion)
    return parser


def _run_options(given: argparse.Namespace) -> int:
    kind = None if given.type is None else ABOUT[given.type].kind.socket_type
    sys.stdout.write(describe_options(kind, terminal_width()))
    return DONE


async def _talk(given: argparse.Namespace, interruption: Interruption, teller: Teller) -> int:
    terminal = sys.stdout.isatty()
    return await converse(make_plan(given, terminal), teller, interruption)


def _running(
    command: Callable[[argparse.Namespace, Interruption, Teller], Awaitable[int]],
) -> Callable[[argparse.Namespace], int]:
    """What runs an async command with its arguments."""

    def run(given: argparse.Namespace) -> int:
        async def with_arguments(interruption: Interruption, teller: Teller) -> int:
            return await command(given, interruption, teller)

        return run_until_signal(Teller(given.name, given.verbose), with_arguments)

    return run


def _log(verbosity: int) -> None:
    """Keep the log out of what the command tells; with -vv it is what the user wants to see."""
    logger = logging.getLogger("triomq")
    if verbosity > 1:
        logging.basicConfig(level=logging.DEBUG, format="%(levelname)-7s %(message)s")
    elif not logger.handlers:
        logger.addHandler(logging.NullHandler())


def run_until_signal(teller: Teller, command: Callable[[Interruption, Teller], Awaitable[int]]) -> int:
    """Run a command in trio; Ctrl-C and SIGTERM end it.

    Returns: the exit code; a failure has been told of.
    """

    async def run(interruption: Interruption) -> int:
        return await command(interruption, teller)

    with Interruption() as interruption:
        try:
            code = trio.run(interruption.run, run)
        except BaseException as exc:  # noqa: ASYNC103  # outside of trio
            error = first_error(exc)
            if isinstance(error, BrokenPipeError):
                code = BROKEN_PIPE
            elif isinstance(error, Failure):
                teller.tell(str(error), at=-1)
                code = error.code
            else:
                raise
        if interruption.number is not None:
            return 128 + interruption.number
    return DONE if code is None else code
