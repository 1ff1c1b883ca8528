"""The ready-made authenticators: whom they let in, and what they refuse when they are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from triomq import Accept, AuthenticationRequest, Deny, PeerProcess
from triomq.auth import AllOf, AllowAddresses, AllowUsers, CertificateDirectory, write_certificates

from .requests import JIM, JOE, of_key, of_user, request


def from_address(address: str, process: PeerProcess | None = None) -> AuthenticationRequest:
    return request(address=address, process=process)


@pytest.mark.parametrize(
    ("address", "process", "let_in"),
    [
        ("tcp://192.0.2.7:50312", None, True),
        ("tcp://192.0.2.255:1", None, True),
        ("tcp://192.0.3.1:50312", None, False),
        ("tcp://[::ffff:192.0.2.7]:50312", None, True),
        ("tcp://[2001:db8::1]:50312", None, True),
        ("tcp://[2001:db8::2]:50312", None, False),
        ("tcp://[fe80::1%eth0]:50312", None, True),
        ("ipc:///run/feed", None, False),
        ("ipc:///run/feed", PeerProcess(1, 1000, 7), True),
        ("ipc:///run/feed", PeerProcess(1, 7, 100), True),
        ("ipc:///run/feed", PeerProcess(1000, 100, 1000), False),
        ("ipc://192.0.2.7:1", None, False),  # a path
        ("somewhere", None, False),
    ],
)
async def test_addresses(address: str, process: PeerProcess | None, let_in: bool) -> None:
    allow = AllowAddresses("192.0.2.0/24", "2001:db8::1", "fe80::1", "uid:1000", "gid:100")
    verdict = await allow(from_address(address, process))
    assert isinstance(verdict, Accept) == let_in
    if isinstance(verdict, Deny):
        assert verdict.status == 400
        assert address in verdict.text


@pytest.mark.parametrize("entry", ["::ffff:192.0.2.7", "::ffff:192.0.2.0/120", "::ffff:0:0/96"])
async def test_ipv4_addresses_may_be_written_as_ipv6(entry: str) -> None:
    """Systems show the IPv4 peers of a socket for both versions so, and people copy what they see."""
    allow = AllowAddresses(entry)
    assert isinstance(await allow(from_address("tcp://192.0.2.7:50312")), Accept)
    assert isinstance(await allow(from_address("tcp://[2001:db8::1]:50312")), Deny)


@pytest.mark.parametrize("entries", [(), ("192.0.2.7/24",), ("localhost",), ("uid:",), ("uid:-1",), (7,)])
def test_lists_of_addresses_are_checked_when_made(entries: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="AllowAddresses"):
        AllowAddresses(*entries)


async def test_users() -> None:
    allow = AllowUsers({"joe": "secret", "jürgen": "geheim"})
    assert await allow(of_user("joe", "secret")) == Accept("joe")
    assert await allow(of_user("jürgen", "geheim")) == Accept("")  # a user id is ASCII
    for name, password, why in [("joe", "Secret", "password"), ("joe", "", "password"), ("jim", "secret", "no such")]:
        verdict = await allow(of_user(name, password))
        assert isinstance(verdict, Deny)
        assert verdict.status == 400
        assert why in verdict.text
    assert isinstance(await allow(of_key(JOE.public_key)), Deny)
    assert "secret" not in repr(allow)


async def test_users_are_replaced_whole_or_not_at_all() -> None:
    allow = AllowUsers({"joe": "secret"})
    for wrong in ({"joe": b"x"}, {"": "x"}, {"x" * 256: "x"}, {"joe": "x" * 256}, ["joe"]):
        with pytest.raises((TypeError, ValueError)) as caught:
            allow.replace(wrong)  # type: ignore[arg-type]
        assert "joe" not in str(caught.value)
    assert await allow(of_user("joe", "secret")) == Accept("joe")
    allow.replace({"jim": "other"})
    assert isinstance(await allow(of_user("joe", "secret")), Deny)
    assert await allow(of_user("jim", "other")) == Accept("jim")


async def test_a_directory_of_certificates(tmp_path: Path) -> None:
    write_certificates(tmp_path, "joe", JOE, {"email": "joe@example.org", "a/b": "no property"})
    (tmp_path / "notes.txt").write_text("nothing")
    allow = CertificateDirectory(tmp_path)
    assert allow.keys == {JOE.public_key}
    verdict = await allow(of_key(JOE.public_key))
    assert verdict == Accept(JOE.public_text, {"email": b"joe@example.org", "certificate": b"joe"})
    for refused in (of_key(JIM.public_key), of_user("joe", "secret"), request()):
        verdict = await allow(refused)
        assert isinstance(verdict, Deny)
        assert verdict.status == 400


async def test_a_directory_is_read_again_whole_or_not_at_all(tmp_path: Path) -> None:
    public, _ = write_certificates(tmp_path, "joe", JOE)
    allow = CertificateDirectory(tmp_path)
    write_certificates(tmp_path, "jim", JIM)
    assert isinstance(await allow(of_key(JIM.public_key)), Deny)  # not before `reload`
    allow.reload()
    assert isinstance(await allow(of_key(JIM.public_key)), Accept)
    public.unlink()
    (tmp_path / "broken.key").write_text('curve\n    public-key = "short"\n')
    with pytest.raises(ValueError, match=r"broken\.key"):
        allow.reload()
    assert allow.keys == {JOE.public_key, JIM.public_key}
    (tmp_path / "broken.key").unlink()
    allow.reload()
    assert allow.keys == {JIM.public_key}


def test_a_directory_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        CertificateDirectory(tmp_path / "none")


async def test_all_of_several() -> None:
    asked = []

    def saying(verdict: Accept | Deny):  # type: ignore[no-untyped-def]
        async def authenticator(one: AuthenticationRequest) -> Accept | Deny:
            asked.append(verdict)
            return verdict

        return authenticator

    yes, named, no = Accept("", {"a": b"1"}), Accept("joe", {"a": b"2", "b": b"3"}), Deny(300, "later")
    assert await AllOf(saying(yes), saying(named), saying(Accept()))(request()) == Accept("joe", {"a": b"2", "b": b"3"})
    asked.clear()
    assert await AllOf(saying(yes), saying(no), saying(named))(request()) == no
    assert asked == [yes, no]
    for wrong in ((), (7,)):
        with pytest.raises(TypeError, match="AllOf"):
            AllOf(*wrong)  # type: ignore[arg-type]


def test_a_request_knows_the_ip_address() -> None:
    assert request().ip == "192.0.2.7"
    assert from_address("tcp://[::ffff:192.0.2.7]:1").ip == "192.0.2.7"
    assert from_address("ipc:///run/feed").ip == ""
