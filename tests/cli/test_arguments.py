"""What is typed, and what is said to what is typed wrongly. The texts here are what a user reads."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import attrs
import pytest

import triomq
from triomq._cli import main
from triomq._cli._completion import SHELLS
from triomq._cli._exits import UsageError
from triomq._cli._main import build_parser, commands_of
from triomq._cli._option_texts import describe_options, names_for, read_options
from triomq._cli._socket_parsers import ABOUT, make_plan

GOLDEN = Path(__file__).parent / "golden"


def said_by(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code of a command that ends at once, and all that it says."""
    try:
        code = main(arguments)
    except SystemExit as left:
        code = left.code
    output, errors = capfd.readouterr()
    assert not (output and errors)
    return code, output + errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("PUSH", "triomq: there is no command 'PUSH'; do you mean push?"),
        ("psh", "triomq: there is no command 'psh'; do you mean push?"),
        ("pull -b :1 --ech", "triomq pull: there is no argument '--ech'; do you mean --exec?"),
        ("push", "triomq push: give an endpoint: -b to wait for peers there, or -c to go to them"),
        ("push -c localhost:5555", "triomq push: endpoint 'localhost:5555' has no '://'; do you mean "
         "'tcp://localhost:5555'?"),
        ("push -c tcp://host", "triomq push: endpoint 'tcp://host': there is no port after 'host'; right is for "
         "example 'tcp://127.0.0.1:5555', 'tcp://[::1]:5555', 'tcp://example.org:5555' or 'tcp://eth0:0;10.0.0.1:5555'"),
        ("push -c :1 -o sndhwm=1", "triomq push: -o sndhwm=1: there is no such option; what you mean is send_hwm here"),
        ("pub -b :1 --echo", "triomq pub: there is no argument '--echo'"),
        ("push :1 -D x", "triomq push: there is no argument ':1'; to wait for peers at an endpoint write -b :1, to go "
         "to them -c :1"),
        ("push tcp://*:1", "triomq push: there is no argument 'tcp://*:1'; to wait for peers at an endpoint write "
         "-b tcp://*:1, to go to them -c tcp://*:1"),
        ("rep -b :1 --echo -D x", "triomq rep: --echo, --exec, and -D or -F: each says what is sent; give one of them"),
        ("req -c :1 -D x -t never", "triomq req: argument -t/--timeout: 'never' is no number of seconds above 0"),
        ("pull -b :1 -n 0", "triomq pull: argument -n/--count: '0' is no whole number above 0"),
        ("push -c :1 --jsonl -D xyz", "triomq push: -D: 'xyz' is not JSON: Expecting value: line 1 column 1 (char 0); "
         'a text is written in quotes, such as "hello"'),
        ("push -c :1 --hex -D xyz", "triomq push: -D: 'xyz' is no row of bytes in hexadecimal"),
        (r"router -b :1 --target \q", "triomq router: --target: '\\\\q' is no escape; write \\\\ for a backslash, "
         "\\n, \\t, or \\xHH for a byte"),
        ("push -b :1 -o send_hwm=-1", "triomq push: -o: option send_hwm=-1: it is a number of messages (0 for no "
         "limit), 0 or more"),
        ("push -b :1 -o ipc_mode=660", "triomq push: -o: option ipc_mode=660: it is None for what the umask leaves, or "
         "permission bits from 0 to 0o777; write 0o660 for the bits that chmod calls 660"),
        ("proxy tcp://*:1 xpub://*:2", "triomq proxy: 'tcp://*:1': a side of a proxy is TYPE:ENDPOINT, such as "
         "xsub:tcp://*:5556, or TYPE:connect:ENDPOINT; TYPE://HOST:PORT is short for TYPE:tcp://HOST:PORT"),
    ],
)  # fmt: skip
def test_what_is_said_to_wrong_arguments(arguments: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, text = said_by(capfd, *arguments.split())
    first, *further = text.splitlines()
    assert (code, first) == (64, said)
    assert re.fullmatch(r"(\('triomq.* --help' explains\))?", "".join(further))


def test_a_socket_type_is_written_as_one_likes(capfd: pytest.CaptureFixture[str]) -> None:
    assert said_by(capfd, "options", "ROUTER") == said_by(capfd, "options", "router")


def test_a_file_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    assert said_by(capfd, "push", "-c", ":1", "-F", "/nonexistent") == (
        1,
        "triomq push: cannot read /nonexistent: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("text", "socket_type", "value"),
    [
        ("linger=inf", "PUSH", math.inf),
        ("linger=0.5", "PUSH", 0.5),
        ("send-hwm=0x10", "PUSH", 16),
        ("hwm=7", "PUSH", 7),
        ("conflate=Yes", "SUB", True),
        ("ipv6=off", "SUB", False),
        ("tcp_keepalive=default", "SUB", None),
        ("heartbeat_timeout=none", "SUB", None),
        (r"routing_id=\x01a", "DEALER", b"\1a"),
        ("routing_id=none", "DEALER", b"none"),
        ("ipc_mode=0o660", "PULL", 0o660),
        ("max_message_size=1000000", "PULL", 1_000_000),
    ],
)
def test_an_option(text: str, socket_type: str, value: Any) -> None:
    assert list(read_options([text], socket_type).values()) == [value]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ZMQ_SNDHWM=1", "what you mean is send_hwm here"),
        ("snd_hwm=1", "what you mean is send_hwm here"),
        ("identity=x", "what you mean is routing_id here"),
        ("LINGER=1", "what you mean is linger here"),
        ("rcvtimeo=1", "what you mean is --timeout here"),
        ("lingr=1", "do you mean linger?"),
        ("frobnicate=1", "'triomq options push' lists all"),
        ("router_mandatory=1", "router_mandatory means nothing for PUSH; it is for ROUTER"),
        ("linger", "it takes a value, as in -o linger=0.5"),
        ("ipv6=maybe", "it is true or false"),
        ("send_hwm=1.5", "'1.5' is no whole number"),
        ("send_hwm=inf", "'inf' is no whole number"),
        ("linger=soon", "'soon' is no number; inf is for ever, or no bound"),
    ],
)
def test_an_option_that_is_none(text: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_options([text], "PUSH")
    assert str(refused.value).startswith(f"-o {text}: ")
    assert str(refused.value).endswith(why)


@pytest.mark.parametrize("name", [name for name in attrs.fields_dict(triomq.Options) if name != "mechanism"])
def test_every_option_has_a_text_and_is_listed(name: str) -> None:
    socket_type = next(about.kind.socket_type for about in ABOUT.values() if name in names_for(about.kind.socket_type))
    default = attrs.fields_dict(triomq.Options)[name].default
    text = "" if default == b"" else str(default)
    assert read_options([f"{name}={text}"], socket_type) == {name: default}
    assert f"\n{name}  (default " in describe_options(socket_type, 80)
    assert f"\n{name}  (default " in describe_options(None, 40)


def test_short_endpoints() -> None:
    arguments = ["push", "-b", ":5555", "-c", "/run/it", "-c", "./it", "-b", "tcp://*:1"]
    plan = make_plan(build_parser().parse_args(arguments), terminal=False)
    assert plan.endpoints == (
        ("bind", "tcp://127.0.0.1:5555"),
        ("connect", "ipc:///run/it"),
        ("connect", "ipc://./it"),
        ("bind", "tcp://*:1"),
    )


def test_a_terminal_is_shown_nothing_that_steers_it() -> None:
    given = build_parser().parse_args(["pull", "-b", ":1"])
    assert make_plan(given, terminal=False).writes.name == "lines"
    assert make_plan(given, terminal=True).writes.name == "quoted"
    given = build_parser().parse_args(["pull", "-b", ":1", "--out", "lines"])
    assert make_plan(given, terminal=True).writes.name == "lines"


@pytest.mark.parametrize("command", ["triomq", "push", "router", "proxy", "probe"])
def test_help_reads_as_it_did(command: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its description and examples, word for word; how argparse lays out arguments differs between versions."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    code, text = said_by(capfd, *([] if command == "triomq" else [command]), "--help")
    assert code == 0
    usage, _, rest = text.partition("\n\n")
    taught = "\n\n".join([usage, rest.partition("\n\n")[0], rest[rest.index("example") :]])
    assert taught == (GOLDEN / f"help-{command}.txt").read_text("utf-8")


def test_help_fits_a_narrow_terminal(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    for command in commands_of(build_parser()):
        _, text = said_by(capfd, command, "--help")
        lines = re.split(r"\n(?:examples?|demos):", text)[0].splitlines()
        assert max(map(len, lines[1:])) <= 40, max(lines, key=len)


def test_every_command_teaches_by_an_example() -> None:
    for name, parser in commands_of(build_parser()).items():
        assert f"triomq {name}" in (parser.epilog or "") or name == "demo", name
        assert parser.description


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_every_command_and_argument(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, script = said_by(capfd, "completion", shell)
    assert code == 0
    for name, parser in commands_of(build_parser()).items():
        assert name in script
        for action in parser._actions:
            for flag in action.option_strings:
                assert flag.lstrip("-") in script
    if (program := shutil.which(shell)) is not None:
        checked = subprocess.run([program, "-n"], input=script, capture_output=True, text=True, timeout=60, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_bash_completes(capfd: pytest.CaptureFixture[str]) -> None:
    _, script = said_by(capfd, "completion", "bash")

    def completed(*words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in words)
        ask = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _triomq; echo ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.split()

    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    assert completed("triomq", "pu") == ["push", "pull", "pub"]
    assert completed("triomq", "push", "--in", "j") == ["jsonl"]
    assert completed("triomq", "router", "-o", "router_") == ["router_mandatory", "router_handover"]
    assert completed("triomq", "sub", "--subs") == ["--subscribe"]
