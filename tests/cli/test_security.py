"""Keys and passwords from files: what keygen writes, and commands that talk by CURVE and PLAIN."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

from triomq.auth import read_certificate, write_certificates

from .shell import PATIENCE, Ended, finish, run, running, start


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A directory with keys for a server, for Joe, and for Jim, whom nobody knows."""
    (tmp_path / "clients").mkdir()
    write_certificates(tmp_path, "server")
    public, _ = write_certificates(tmp_path, "joe")
    write_certificates(tmp_path, "jim")
    (tmp_path / "clients" / "joe.key").write_bytes(public.read_bytes())
    return tmp_path


def push(endpoint: str, *arguments: str) -> Ended:
    return run("push", "-c", endpoint, "-D", "hello", "-t", "60", "--linger", "2", *arguments)


# --- keygen ------------------------------------------------------------------------------------


def test_keygen_writes_two_files_and_prints_the_public_key(tmp_path: Path) -> None:
    ended = run("keygen", "joe", "-C", str(tmp_path), "--metadata", "email=joe@example.org")
    assert ended.code == 0
    public, secret = tmp_path / "joe.key", tmp_path / "joe.key_secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    keypair = read_certificate(secret).keypair
    assert keypair is not None
    assert ended.output.decode() == f"{keypair.public_text}\n"
    assert keypair.secret_text not in ended.output.decode() + ended.errors
    assert read_certificate(public).metadata == {"email": "joe@example.org"}
    assert zmq.auth.load_certificate(public)[0] == keypair.public_text.encode()


def test_keygen_loses_no_keys(tmp_path: Path) -> None:
    assert run("keygen", "joe", "-C", str(tmp_path)).code == 0
    before = (tmp_path / "joe.key_secret").read_bytes()
    ended = run("keygen", "joe", "-C", str(tmp_path))
    assert ended.code == 1
    assert "--overwrite" in ended.errors
    assert (tmp_path / "joe.key_secret").read_bytes() == before
    assert run("keygen", "joe", "-C", str(tmp_path), "--overwrite").code == 0
    assert (tmp_path / "joe.key_secret").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["a/b"], 64, "NAME is the name of a file, without a directory, not 'a/b'; -C says where"),
        (["joe", "--metadata", "x"], 64, "--metadata takes NAME=VALUE, each NAME once"),
        (["joe", "--metadata", 'x="'], 64, "metadata x='\"': a value is one line of text without a double quote"),
        (["joe", "-C", "no"], 1, "no/joe.key_secret: No such file or directory"),
    ],
)
def test_what_keygen_refuses(arguments: list[str], code: int, told: str) -> None:
    ended = run("keygen", *arguments)
    assert (ended.code, ended.errors) == (code, f"triomq keygen: {told}\n")
    assert not ended.output


# --- CURVE -------------------------------------------------------------------------------------


def test_two_commands_talk_by_curve(keys: Path) -> None:
    endpoint = f"ipc://{keys}/it"
    server = ["--keys", f"{keys}/server.key_secret", "--clients", f"{keys}/clients"]
    client = ["--server-key", f"{keys}/server.key"]
    with running("pull", "-b", endpoint, "-n", "1", *server) as pull:
        for stranger in ([], ["--keys", f"{keys}/jim.key_secret"]):
            ended = push(endpoint, *client, *stranger)
            assert ended.code == 1
            assert "400, it does not let this side in" in ended.errors
        ended = push(endpoint)
        assert ended.code == 1
        assert "the peer wants mechanism 'CURVE', this side NULL; give both the same\n" in ended.errors
        assert push(endpoint, *client, "--keys", f"{keys}/joe.key_secret").code == 0
        assert finish(pull).output == b"hello\n"


@pytest.mark.parametrize("how", ["as usual", "quietly"])
@pytest.mark.parametrize("wrong", ["server's key", "client's key"])
def test_why_a_command_is_not_let_in_is_said_once(keys: Path, wrong: str, how: str) -> None:
    """In the note when it happens, with its end in a line of its own; where there are no notes, in that line."""
    endpoint = f"ipc://{keys}/it"
    reason = {"server's key": "compare that with its public key", "client's key": "400, it does not let this side in"}
    theirs = "jim" if wrong == "server's key" else "server"
    quiet = ["-q"] if how == "quietly" else []
    with running("pull", "-b", endpoint, "--keys", f"{keys}/server.key_secret", "--clients", f"{keys}/clients") as pull:
        ended = push(endpoint, "--server-key", f"{keys}/{theirs}.key", "--keys", f"{keys}/jim.key_secret", *quiet)
        assert ended.code == 1
        assert ended.errors.count(reason[wrong]) == 1
        assert ended.errors.endswith("given up for that reason\n") == (how == "as usual")
        pull.terminate()


def test_a_command_talks_to_libzmq_by_curve(keys: Path) -> None:
    context = zmq.Context()
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    try:
        authenticator.configure_curve(location=keys / "clients")
        with context.socket(zmq.PULL) as pull:
            pull.linger, pull.rcvtimeo = 0, int(PATIENCE * 1000)
            pull.curve_publickey, pull.curve_secretkey = zmq.auth.load_certificate(keys / "server.key_secret")
            pull.curve_server = True
            port = pull.bind_to_random_port("tcp://127.0.0.1")
            client = ["--server-key", f"{keys}/server.key", "--keys", f"{keys}/joe.key_secret"]
            with start("push", "-c", f"tcp://127.0.0.1:{port}", "-D", "hello", *client) as process:
                assert pull.recv() == b"hello"
                assert finish(process).code == 0
    finally:
        authenticator.stop()
        context.destroy(linger=0)


def test_libzmq_talks_to_a_command_by_curve(keys: Path) -> None:
    endpoint = f"ipc://{keys}/it"
    server = ["--keys", f"{keys}/server.key_secret", "--clients", f"{keys}/clients"]
    with running("rep", "-b", endpoint, "--echo", "-n", "1", *server) as rep, zmq.Context() as context:
        with context.socket(zmq.REQ) as req:
            req.linger, req.rcvtimeo = 0, int(PATIENCE * 1000)
            req.curve_publickey, req.curve_secretkey = zmq.auth.load_certificate(keys / "joe.key_secret")
            req.curve_serverkey, _ = zmq.auth.load_certificate(keys / "server.key")
            req.connect(endpoint)
            req.send(b"hello")
            assert req.recv() == b"hello"
        assert finish(rep).code == 0


# --- PLAIN -------------------------------------------------------------------------------------


def test_two_commands_talk_by_plain(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/it"
    (tmp_path / "users").write_text("# name=password\n\njoe=pa55word=1\njim=other\n")
    (tmp_path / "joe").write_text("joe=pa55word=1\n")
    (tmp_path / "wrong").write_text("joe=pa55word\n")
    with running("pull", "-b", endpoint, "-n", "1", "--users", f"{tmp_path}/users") as pull:
        ended = push(endpoint, "--login", f"{tmp_path}/wrong")
        assert ended.code == 1
        assert "pa55word" not in ended.errors
        assert push(endpoint, "--login", f"{tmp_path}/joe").code == 0
        assert finish(pull).output == b"hello\n"


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--server-key", "{}/server.key", "--login", "{}/joe"], 64, "one of them"),
        (["--users", "{}/joe", "--login", "{}/joe"], 64, "one of them"),
        (["--clients", "{}/clients"], 64, "--keys"),
        (["--clients", "{}/clients", "--keys", "{}/joe.key_secret", "--server-key", "{}/server.key"], 64, "--keys"),
        (["--server-key", "{}/none"], 1, "{}/none: No such file"),
        (["--keys", "{}/joe.key"], 1, "key_secret"),
        (["--server-key", "{}/odd"], 1, "no certificate"),
        (["--login", "{}/two"], 1, "NAME=PASSWORD"),
        (["--login", "{}/odd"], 1, "line 1 is not NAME=PASSWORD"),
        (["--users", "{}/empty"], 1, "NAME=PASSWORD"),
        (["-o", "mechanism=x"], 64, "files"),
        (["-o", "curve_secretkey=x"], 64, "files"),
        (["-o", "plain_password=x"], 64, "files"),
        (["-o", "accept_from=nowhere"], 64, "accept_from"),
    ],
)
def test_what_is_refused(keys: Path, arguments: list[str], code: int, says: str) -> None:
    (keys / "joe").write_text("joe=pa55word\n")
    (keys / "two").write_text("joe=pa55word\njim=pa55word\n")
    (keys / "odd").write_text("pa55word")
    (keys / "empty").write_text("\n")
    ended = run("pull", "-b", f"ipc://{keys}/it", *(one.format(keys) for one in arguments))
    assert ended.code == code, ended.errors
    assert says.format(keys) in ended.errors
    assert "pa55word" not in ended.errors


def test_no_secret_is_an_option() -> None:
    listed = run("options", COLUMNS="120").output.decode()
    assert "\naccept_from " in listed
    assert "\nmechanism " not in listed


def test_peers_from_elsewhere_are_closed_out(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/it"
    with running("pull", "-b", endpoint, "-n", "1", "-o", "accept_from=192.0.2.0/24,uid:4711"):
        ended = push(endpoint, "-t", "2")
        assert ended.code == 2
        assert "no peer came" in ended.errors
