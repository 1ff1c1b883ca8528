"""The socket commands as processes, with sockets of libzmq at the other end."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import pytest

import triomq

from .conftest import OpenSocket
from .shell import error_line_of, finish, line_of, run, running, start

pytestmark = [pytest.mark.interop, pytest.mark.slow]


def test_push_sends_the_lines_of_its_input(endpoint: str, partner: OpenSocket) -> None:
    pull = partner("PULL", bind=endpoint)
    ended = run("push", "-c", endpoint, data=b"one\ntwo\tparts\n\nlast")
    assert [pull.recv_multipart() for _ in range(4)] == [[b"one"], [b"two\tparts"], [b""], [b"last"]]
    assert (ended.code, ended.output, ended.errors) == (0, b"", "")


def test_push_waits_for_peers_that_come_late_and_lingers(endpoint: str, partner: OpenSocket) -> None:
    with start("push", "-b", endpoint, "--peers", "2", "-D", "a", "-D", "b", "-n", "100") as process:
        pulls = [partner("PULL", connect=endpoint), partner("PULL", connect=endpoint)]
        received = [pull.recv() for pull in pulls for _ in range(50)]
        ended = finish(process)
    assert sorted(received) == [b"a"] * 50 + [b"b"] * 50
    assert (ended.code, ended.errors) == (0, "")


def test_pull_writes_what_arrives_at_several_endpoints(tmp_path: Path, partner: OpenSocket) -> None:
    bound, connected = f"ipc://{tmp_path}/bound", f"ipc://{tmp_path}/connected"
    with start("pull", "-b", bound, "-c", connected, "-n", "2", "-q") as process:
        partner("PUSH", connect=bound).send_multipart([b"\0\xff", b"", b"two"])
        partner("PUSH", bind=connected).send(b"other")
        ended = finish(process)
    assert sorted(ended.output.splitlines(keepends=True)) == [b"\0\xff\t\ttwo\n", b"other\n"]
    assert ended.code == 0


def test_a_whole_file_goes_through_untouched(endpoint: str, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)
    with start("pull", "-b", endpoint, "-n", "1", "--raw") as process:
        assert run("push", "-q", "-c", endpoint, "-F", str(tmp_path / "file")).code == 0
        assert finish(process).output == content


def test_sub_takes_the_topics_that_it_asks_for(endpoint: str, partner: OpenSocket) -> None:
    xpub = partner("XPUB", bind=endpoint)
    with start("sub", "-c", endpoint, "-s", "a", "-s", "b.", "-n", "2", "--jsonl") as process:
        assert sorted([xpub.recv(), xpub.recv()]) == [b"\1a", b"\1b."]
        for topic in (b"b", b"abc", b"c", b"b.x"):
            xpub.send_multipart([topic, b"body"])
        ended = finish(process)
    assert [json.loads(line) for line in ended.output.splitlines()] == [["abc", "body"], ["b.x", "body"]]


def test_pub_waits_for_a_subscriber(endpoint: str, partner: OpenSocket) -> None:
    with start("pub", "-b", endpoint) as process:
        process.stdin.write(b"weather 1\nsports\nweather 2\n")
        process.stdin.flush()
        sub = partner("SUB", connect=endpoint, subscribe=b"weather")
        assert [sub.recv(), sub.recv()] == [b"weather 1", b"weather 2"]
        assert finish(process).code == 0


def test_req_writes_the_replies(endpoint: str, partner: OpenSocket) -> None:
    rep = partner("REP", bind=endpoint)
    with start("req", "-c", endpoint, "--quoted", "-t", "60") as process:
        process.stdin.write(rb"a\n\x00" + b"\tsecond\nnext\n")
        process.stdin.close()
        process.stdin = None
        assert rep.recv_multipart() == [b"a\n\0", b"second"]
        rep.send_multipart([b"\xff", b"reply"])
        assert rep.recv() == b"next"
        rep.send(b"")
        ended = finish(process)
    assert ended.output == b"\\xff\treply\n\n"
    assert ended.code == 0


def test_rep_echoes_or_says_what_it_is_told(endpoint: str, partner: OpenSocket) -> None:
    for arguments, reply in [(["--echo"], b"hello"), (["-D", "yes"], b"yes"), (["--exec", "tr a-z A-Z"], b"HELLO")]:
        with start("rep", "-b", endpoint, "-n", "2", *arguments) as process:
            req = partner("REQ", connect=endpoint)
            for _ in range(2):
                req.send(b"hello")
                assert req.recv() == reply
            ended = finish(process)
        req.close()
        assert (ended.output, ended.code) == (b"hello\nhello\n", 0)


def test_rep_replies_with_its_input(endpoint: str, partner: OpenSocket) -> None:
    with start("rep", "-b", endpoint) as process:
        req = partner("REQ", connect=endpoint)
        req.send(b"who are you?")
        assert line_of(process) == b"who are you?\n"
        process.stdin.write(b"triomq\n")
        process.stdin.flush()
        assert req.recv() == b"triomq"
        process.stdin.close()
        process.stdin = None
        req.send(b"and now?")
        ended = finish(process)
    assert (ended.output, ended.code) == (b"and now?\n", 0)


def test_router_names_its_peers_and_finds_them(endpoint: str, partner: OpenSocket) -> None:
    with start("router", "-b", endpoint, "-n", "2") as process:
        dealer = partner("DEALER", connect=endpoint, routing_id=b"me")
        dealer.send(b"hello")
        assert line_of(process) == b"me\thello\n"
        process.stdin.write(b"nobody\tlost\nme\tback\n")
        process.stdin.flush()
        assert dealer.recv() == b"back"
        assert error_line_of(process) == "triomq router: nobody here has the routing id nobody; here are: me\n"
        partner("REQ", connect=endpoint).send(b"x")
        ended = finish(process)
    assert ended.output.startswith(rb"\x00")
    assert ended.output.endswith(b"\t\tx\n")
    assert ended.code == 3
    assert ended.errors == "triomq router: 1 message was not delivered\n"


def test_router_waits_for_its_target(endpoint: str, partner: OpenSocket) -> None:
    with start("router", "-b", endpoint, "--target", r"\x01me", "-D", "for you", "-n", "0") as process:
        other = partner("DEALER", connect=endpoint, routing_id=b"other")
        dealer = partner("DEALER", connect=endpoint, routing_id=b"\1me")
        assert dealer.recv() == b"for you"
        assert finish(process).code == 0
        assert other.poll(0) == 0


def test_a_router_answers_several_by_a_command(endpoint: str, partner: OpenSocket) -> None:
    with start("router", "-b", endpoint, "--exec", "sort -r", "--jobs", "3", "-n", "3", "-q") as process:
        reqs = [partner("REQ", connect=endpoint) for _ in range(3)]
        for number, req in enumerate(reqs):
            req.send(b"a\n%d\n" % number)
        assert [req.recv() for req in reqs] == [b"a\n0", b"a\n1", b"a\n2"]
        assert finish(process).code == 0


def test_dealer_and_pair_talk_both_ways(endpoint: str, partner: OpenSocket) -> None:
    for kind, other in (("dealer", "ROUTER"), ("pair", "PAIR")):
        socket = partner(other, bind=endpoint)
        with start(kind, "-c", endpoint, "-n", "1", "-D", "out") as process:
            *envelope, body = socket.recv_multipart()
            assert body == b"out"
            socket.send_multipart([*envelope, b"in"])
            ended = finish(process)
        socket.close()
        assert (ended.output, ended.code) == (b"in\n", 0)


def test_xpub_writes_subscriptions_and_xsub_sends_them(endpoint: str, partner: OpenSocket) -> None:
    with start("xpub", "-b", endpoint, "-n", "1", "--out", "quoted") as process:
        sub = partner("SUB", connect=endpoint, subscribe=b"topic")
        assert finish(process).output == b"\\x01topic\n"
        sub.close()
    xpub = partner("XPUB", bind=endpoint)
    with start("xsub", "-c", endpoint, "-s", "topic", "-n", "1") as process:
        assert xpub.recv() == b"\1topic"
        xpub.send(b"topic 1")
        assert finish(process).output == b"topic 1\n"


def test_pull_runs_a_command_for_each_message(endpoint: str, partner: OpenSocket) -> None:
    push = partner("PUSH", bind=endpoint)
    with start("pull", "-c", endpoint, "-n", "2", "--exec", "wc -c; test $(wc -c) -eq 0", "-t", "60") as process:
        push.send(b"12345")
        push.send_multipart([b"1", b"2"])
        ended = finish(process)
    assert (ended.output.split(), ended.code) == ([b"5", b"3"], 0)


def test_timeouts_say_what_was_waited_for(endpoint: str) -> None:
    ended = run("req", "-c", endpoint, "-D", "x", "-t", "1")
    assert ended.errors == (
        f"triomq req: {endpoint}: nobody is there yet (No such file or directory); trying on\n"
        "triomq req: no peer came within 1 s\n"
        f"  {endpoint}: nobody is there yet (No such file or directory)\n"
    )
    assert ended.code == 2
    ended = run("pull", "-b", endpoint, "-t", "0.1")
    assert (ended.errors, ended.code) == ("triomq pull: nothing arrived within 0.1 s\n", 2)


def test_a_server_that_speaks_something_else_is_told_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        ended = run("req", "-c", address, "-D", "x", "-t", "1")
    assert ended.errors == (
        f"triomq req: no peer came within 1 s\n  {address}: connected, but the handshake of ZMTP is not complete\n"
    )
    assert ended.code == 2


def test_a_request_without_reply_is_given_up(endpoint: str, partner: OpenSocket) -> None:
    partner("REP", bind=endpoint)
    ended = run("req", "-c", endpoint, "-D", "x", "-t", "0.3", "--peers", "0")
    first, *_ = ended.errors.splitlines()  # where the machine is slow, the handshake may not be complete
    assert (first, ended.code) == ("triomq req: no reply came within 0.3 s", 2)


def test_a_command_that_is_given_up_does_not_wait_for_peers(endpoint: str) -> None:
    ended = run("dealer", "-c", endpoint, "-D", "x", "-t", "0.1", "--peers", "0", "-q")
    assert "triomq dealer: 1 message was not delivered\ntriomq dealer: nothing arrived within 0.1 s\n" in ended.errors
    assert ended.code == 2


def test_a_wrong_partner_is_told_of(endpoint: str, partner: OpenSocket) -> None:
    partner("PUB", bind=endpoint)
    with running("pull", "-c", endpoint) as process:
        assert "PULL does not talk to PUB; it talks to PUSH" in error_line_of(process)


def test_messages_that_were_lost_are_counted(endpoint: str) -> None:
    with running("pull", "-b", endpoint, "-o", "receive_hwm=1") as puller:
        os.kill(puller.pid, signal.SIGSTOP)
        with start("push", "-c", endpoint, "--peers", "0", "--linger", "0", "-D", "x", "-n", "7") as process:
            ended = finish(process)
    assert ended.errors.endswith("triomq push: 7 messages were not delivered\n")
    assert ended.code == 3


def test_the_reader_of_the_output_may_go(endpoint: str, partner: OpenSocket) -> None:
    push = partner("PUSH", bind=endpoint)
    with start("pull", "-c", endpoint) as process:
        push.send(b"one")
        assert line_of(process) == b"one\n"
        process.stdout.close()
        process.stdout = None
        ended = finish(process)
    assert (ended.code, ended.errors) == (141, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_without_a_word(number: signal.Signals, code: int, endpoint: str, partner: OpenSocket) -> None:
    push = partner("PUSH", bind=endpoint)
    with start("pull", "-c", endpoint) as process:
        push.send(b"one")
        assert line_of(process) == b"one\n"
        process.send_signal(number)
        ended = finish(process)
    assert (ended.code, ended.output, ended.errors) == (code, b"", "")


def test_sigterm_leaves_what_was_read_on_its_way(endpoint: str) -> None:
    with running("pull", "-b", endpoint, "-n", "2") as puller, start("push", "-c", endpoint) as process:
        process.stdin.write(b"one\ntwo\n")
        process.stdin.flush()
        assert [line_of(puller), line_of(puller)] == [b"one\n", b"two\n"]
        process.send_signal(signal.SIGTERM)
        assert finish(process).code == 143


def test_a_line_of_nonsense_ends_it_behind_those_before(endpoint: str, partner: OpenSocket) -> None:
    pull = partner("PULL", bind=endpoint)
    ended = run("push", "-c", endpoint, "--hex", data=b"61\n62\n6\n")
    assert [pull.recv(), pull.recv()] == [b"a", b"b"]
    assert ended.errors == "triomq push: line 3 of the input: '6' is no row of bytes in hexadecimal\n"
    assert ended.code == 1


def test_it_works_in_a_c_locale_and_with_no_input(endpoint: str, partner: OpenSocket) -> None:
    pull = partner("PULL", bind=endpoint)
    ended = run("push", "-c", endpoint, "-D", "µ", data=None, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert pull.recv() == "µ".encode()
    assert (ended.code, ended.errors) == (0, "")
    ended = run("push", "-c", endpoint, data=b"")
    assert (ended.code, ended.errors) == (0, "")


def test_binding_to_port_zero_says_which(partner: OpenSocket) -> None:
    with running("rep", "-b", "tcp://127.0.0.1:0", "--echo") as process:
        told = error_line_of(process)
        assert told.startswith("triomq rep: bound to tcp://127.0.0.1:")
        req = partner("REQ", connect=told.split()[-1])
        req.send(b"here")
        assert req.recv() == b"here"


def test_an_address_in_use_is_one_line(endpoint: str, partner: OpenSocket) -> None:
    partner("PULL", bind=endpoint)
    ended = run("pull", "-b", endpoint)
    assert ended.errors.startswith(f"triomq pull: cannot bind {endpoint}: ")
    assert (ended.errors.count("\n"), ended.code) == (1, 1)


def test_version() -> None:
    assert run("--version").output.decode() == f"triomq {triomq.__version__}\n"
