"""Every option: what it may be, what it may not, and which socket types it is for."""

from __future__ import annotations

import math
from typing import get_type_hints

import attrs
import pytest

import triomq
from triomq._advice import ABSENT, ALIASES, ELSEWHERE
from triomq._options import ZMQ_NAMES, OptionArguments, Options, make_options

FIELDS = attrs.fields_dict(Options)
SOCKET_TYPES = {"REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR"}
UNITS = {"", "messages", "seconds", "bytes", "connections", "peers", "probes", "topics", "frames", "networks"}
UNITS |= {"bytes in a second"}

# What each kind of option may be, and what not: the boundaries first.
HUGE = [10**400, -(10**400)]  # too large for a float, and for Python to write in full
SECONDS = ([0, 0.0, 0.25, 3600, 10**9, math.inf], [-0.001, -1, -math.inf, math.nan, "1", None, True, b"1", 1e10, *HUGE])
POSITIVE_SECONDS = ([0.001, 1, 30.0, 1e9, math.inf], [0, 0.0, -1, math.nan, "1", None, False, 10**9 + 1, *HUGE])
POSITIVE_SECONDS_OR_NONE = ([*POSITIVE_SECONDS[0], None], [0, -1, math.nan, "1", True, 1e10, *HUGE])
SECONDS_OR_NONE = ([*SECONDS[0], None], [one for one in SECONDS[1] if one is not None])
TTL = ([0, 0.1, 6553.5], [-0.1, 6553.6, math.inf, math.nan, "1", None, True, *HUGE])
FLAG = ([True, False], [0, 1, None, "yes", b""])
FLAG_OR_NONE = ([True, False, None], [0, 1, "yes"])
MESSAGES = ([0, 1, 10**9, 2**63], [-1, 1.0, math.inf, None, True, "10", 2**63 + 1, *HUGE])
BOUND = ([0, 1, 2**63, math.inf], [-1, 1.0, 0.5, math.nan, -math.inf, None, True, "1", 2**63 + 1, *HUGE])
COUNT = ([1, 65535], [0, -1, 1.0, math.inf, None, True, "1", *HUGE])
BACKLOG = ([1, 2**31 - 1], [0, -1, 1.0, math.inf, None, True, "1", 2**31, *HUGE])
BUFFER = ([1, 2**31 - 1, None], [0, -1, 1.0, math.inf, True, "1", 2**31, 2**40, *HUGE])
KEEPALIVE_SECONDS = ([1, 32767, None], [0, -1, 1.0, math.inf, True, "1", 32768, 300_000, 2**31, *HUGE])
KEEPALIVE_PROBES = ([1, 127, None], [0, -1, 1.0, math.inf, True, "1", 128, 200, *HUGE])
RATE = ([1000, 12_500, 10**10], [0, 999, 1250.0, math.inf, None, True, "1000", 10**10 + 1, *HUGE])
RECOVERY = ([0, 0.25, 10**9], [*SECONDS[1], math.inf])
HOPS = ([1, 255], [0, 256, 1.0, None, True, "1", *HUGE])
TPDU = ([128, 1500, 65535], [127, 0, 65536, 1500.0, None, True, "1500", *HUGE])
MODE = ([0, 0o600, 0o777, None], [-1, 0o1000, 666, 1.0, True, "0660", *HUGE])

CASES = {
    "send_hwm": MESSAGES,
    "receive_hwm": MESSAGES,
    "linger": SECONDS,
    "immediate": FLAG,
    "routing_id": ([b"", b"a", b"x" * 255, b"a\0b"], [b"x" * 256, b"\0", b"\0abc", "a", bytearray(b"a"), None]),
    "mechanism": ([None, triomq.Plain("a", "b"), triomq.Plain.server()], []),
    "accept_from": (
        [None, ("192.0.2.0/24",), ("::1", "192.0.2.7", "uid:0", "gid:100")],
        [(), "192.0.2.7", ("192.0.2.7/24",), ("uid:",), ("uid:-1",), ("gid:x",), ("example.org",), (7,), 7, b"::1"],
    ),
    "max_message_size": BOUND,
    "max_frames": COUNT,
    "reconnect_interval": POSITIVE_SECONDS,
    "reconnect_interval_max": SECONDS_OR_NONE,
    "connect_timeout": POSITIVE_SECONDS,
    "handshake_timeout": POSITIVE_SECONDS,
    "greeting_timeout": POSITIVE_SECONDS,
    "heartbeat_interval": SECONDS,
    "heartbeat_timeout": POSITIVE_SECONDS_OR_NONE,
    "heartbeat_ttl": TTL,
    "conflate": ([True, False, "topics"], [0, 1, None, "yes", "topic", b"topics"]),
    "router_mandatory": FLAG,
    "router_handover": FLAG,
    "probe_router": FLAG,
    "req_correlate": FLAG,
    "req_relaxed": FLAG,
    "xpub_verbose": FLAG,
    "xpub_verboser": FLAG,
    "xpub_nodrop": FLAG,
    "invert_matching": FLAG,
    "max_subscriptions": BOUND,
    "max_subscription_bytes": BOUND,
    "busy_poll": ([0, 0.0, 30e-6, 1e-3], [-1e-6, 0.0011, 1, math.inf, math.nan, None, True, "30e-6"]),
    "ipv6": FLAG,
    "backlog": BACKLOG,
    "send_buffer": BUFFER,
    "receive_buffer": BUFFER,
    "tcp_keepalive": FLAG_OR_NONE,
    "tcp_keepalive_idle": KEEPALIVE_SECONDS,
    "tcp_keepalive_interval": KEEPALIVE_SECONDS,
    "tcp_keepalive_count": KEEPALIVE_PROBES,
    "rate": RATE,
    "recovery_interval": RECOVERY,
    "multicast_hops": HOPS,
    "multicast_max_tpdu": TPDU,
    "multicast_loop": FLAG,
    "ipc_mode": MODE,
    "max_peers": BOUND,
    "max_handshakes": COUNT,
    "max_waiting": COUNT,
    "waiting_timeout": POSITIVE_SECONDS,
}

# What an option needs beside it, to mean anything.
BESIDE: dict[str, dict[str, object]] = {
    "reconnect_interval": {"reconnect_interval_max": math.inf},
    "heartbeat_timeout": {"heartbeat_interval": 1},
    "heartbeat_ttl": {"heartbeat_interval": 1},
    "tcp_keepalive_idle": {"tcp_keepalive": True},
    "tcp_keepalive_interval": {"tcp_keepalive": True},
    "tcp_keepalive_count": {"tcp_keepalive": True},
}


def a_type_for(name: str) -> str:
    """A socket type that has the option."""
    types = FIELDS[name].metadata["types"]
    return "PUSH" if "all" in types else min(types)


# -- values ------------------------------------------------------------------------------------------


def test_every_option_is_tested_here() -> None:
    assert list(CASES) == list(FIELDS)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (good, _) in CASES.items() for value in good])
def test_a_value_that_is_allowed(name: str, value: object) -> None:
    beside = BESIDE.get(name, {})
    options = make_options(a_type_for(name), {name: value, **beside})
    assert getattr(options, name) == value
    assert attrs.evolve(options, **{name: FIELDS[name].default}) == Options(**beside)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (_, bad) in CASES.items() for value in bad])
def test_a_value_that_is_not_allowed(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^option {name}=") as caught:
        make_options(a_type_for(name), {name: value})
    text = str(caught.value)
    assert (repr(value) if value not in HUGE else "2**1328 or more") in text
    assert len(text) < 400


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("max_peers", -1, "a whole number of connections, 0 or more, or math.inf for no bound"),
        ("max_message_size", -1, "a whole number of bytes, 0 or more, or math.inf for no bound"),
        ("tcp_keepalive_idle", 0, "None for the system's default, or a whole number of seconds from 1 to 32767"),
        ("tcp_keepalive_count", 0, "None for the system's default, or a whole number of probes from 1 to 127"),
        ("tcp_keepalive_idle", 300_000, "None for the system's default, or a whole number of seconds from 1 to 32767"),
        ("send_buffer", 2**31, "None for the system's default, or a whole number of bytes from 1 to 2147483647"),
        ("connect_timeout", 1e10, "a time in seconds, 1000000000 or less, or math.inf for no bound"),
        ("max_peers", 2**64, "a whole number of connections, 2**63 or less, or math.inf for no bound"),
        ("ipc_mode", 0o1777, "None for what the umask leaves, or permission bits from 0 to 0o777"),
        (
            "ipc_mode",
            660,
            "None for what the umask leaves, or permission bits from 0 to 0o777; write 0o660 for the bits that chmod "
            "calls 660",
        ),
        ("send_hwm", -1, "a number of messages (0 for no limit), 0 or more"),
        ("linger", -1, "a time in seconds, 0 or more (math.inf for no bound)"),
        ("heartbeat_ttl", 7000, "a time in seconds from 0 (none) to 6553.5, the most that a PING can say"),
        ("routing_id", b"\0a", "not allowed to begin with a zero byte: those are the ROUTER's own"),
    ],
)
def test_a_refusal_says_what_is_wanted(name: str, value: object, wanted: str) -> None:
    with pytest.raises(ValueError, match=r"^option ") as caught:
        make_options("PUSH", {name: value})
    assert str(caught.value) == f"option {name}={value!r}: it is {wanted}"


def test_options_cannot_be_changed_and_compare_by_value() -> None:
    options = make_options("PUSH", {"linger": 2})
    assert options == make_options("PUSH", {"linger": 2.0}) != Options()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        options.linger = 3.0  # type: ignore[misc]


# -- names -------------------------------------------------------------------------------------------


def test_no_arguments_are_the_defaults() -> None:
    assert make_options("PULL", {}) == Options()


def test_hwm_is_both() -> None:
    options = make_options("DEALER", {"hwm": 7})
    assert (options.send_hwm, options.receive_hwm) == (7, 7)


@pytest.mark.parametrize("name", ["send_hwm", "receive_hwm"])
def test_hwm_and_one_of_its_halves_contradict_each_other(name: str) -> None:
    with pytest.raises(ValueError, match=rf"give hwm or {name}, not both"):
        make_options("DEALER", {"hwm": 7, name: 7})


def test_a_wrong_hwm_is_reported_by_a_name_that_exists() -> None:
    with pytest.raises(ValueError, match=r"^option send_hwm=-1: "):
        make_options("DEALER", {"hwm": -1})


def test_the_users_arguments_are_left_alone() -> None:
    arguments = {"hwm": 7}
    make_options("DEALER", arguments)
    assert arguments == {"hwm": 7}


def test_an_unknown_option_is_answered_with_those_there_are() -> None:
    with pytest.raises(TypeError, match=r"^PUSH has no option 'speed': there are hwm, send_hwm,") as caught:
        make_options("PUSH", {"speed": 1})
    told = str(caught.value).partition(" are ")[2].split(", ")
    assert told == ["hwm", *(name for name in FIELDS if FIELDS[name].metadata["types"] & {"all", "PUSH"})]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lingr", "you mean 'linger'?"),
        ("LINGER", "you mean 'linger', in seconds"),
        ("ZMQ_LINGER", "you mean 'linger', in seconds"),
        ("sndhwm", "you mean 'send_hwm'"),
        ("snd_hwm", "you mean 'send_hwm'"),
        ("RCVHWM", "you mean 'receive_hwm'"),
        ("recv_hwm", "you mean 'receive_hwm'"),
        ("HWM", "you mean 'hwm'"),
        ("identity", "you mean 'routing_id'"),
        ("reconnect_ivl_max", "you mean 'reconnect_interval_max', in seconds"),
        ("heartbeat_ivl", "you mean 'heartbeat_interval', in seconds"),
        ("ROUTER_MANDATORY", "you mean 'router_mandatory'"),
        ("timeout", "no call has a time limit of its own: write 'with trio.move_on_after(seconds):'"),
        ("rcvtimeo", "no call has a time limit of its own: write 'with trio.move_on_after(seconds):'"),
        ("subscribe", "a SUB is made with topics=['…']"),
        ("topics", "topics are for a SUB"),
        ("ipv4only", "write ipv6=False for ipv4only=True"),
        (
            "curve_server",
            "write mechanism=triomq.Curve(server_key, keypair) for a client, mechanism=triomq.Curve.server(",
        ),
        ("keypair", "write mechanism=triomq.Curve(server_key, keypair) for a client"),
        ("ZMQ_PLAIN_USERNAME", "write mechanism=triomq.Plain(username, password) for a client"),
        ("hmw", "you mean 'hwm'?"),
        ("io_threads", "Everything runs in the tasks of your trio run; with open_context(io_thread=True), connections"),
    ],
)
def test_an_option_by_another_name_is_answered_with_ours(name: str, told: str) -> None:
    with pytest.raises(TypeError) as caught:
        make_options("PUSH", {name: 1})
    assert str(caught.value).startswith(f"PUSH has no option {name!r}: {told}")


def test_every_option_of_libzmq_by_any_of_its_names_is_answered() -> None:
    for zmq in {*ZMQ_NAMES.values(), *ALIASES, *ELSEWHERE, *ABSENT} - {""}:
        for name in (zmq, zmq.removeprefix("ZMQ_"), zmq.removeprefix("ZMQ_").lower()):
            if name in FIELDS or name == "hwm":
                continue
            with pytest.raises(TypeError) as caught:
                make_options("PUSH", {name: 1})
            assert "there are" not in str(caught.value), name


@pytest.mark.parametrize("name", [name for name in FIELDS if "all" not in FIELDS[name].metadata["types"]])
def test_an_option_of_other_socket_types_is_refused_by_the_rest(name: str) -> None:
    types = FIELDS[name].metadata["types"]
    for socket_type in SOCKET_TYPES - types:
        with pytest.raises(TypeError, match=rf"^option '{name}' means nothing for {socket_type}; it is for ") as caught:
            make_options(socket_type, {name: FIELDS[name].default})
        assert str(caught.value).endswith(", ".join(sorted(types)))
    for socket_type in types:
        assert make_options(socket_type, {name: FIELDS[name].default}) == Options()


# -- pairs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named", "said"),
    [
        ({"heartbeat_timeout": 0.3}, "heartbeat_timeout", "give heartbeat_interval= too"),
        ({"heartbeat_ttl": 3}, "heartbeat_ttl", "give heartbeat_interval= too"),
        ({"heartbeat_ttl": 3, "heartbeat_interval": math.inf}, "heartbeat_ttl", "does nothing without PINGs"),
        ({"tcp_keepalive_idle": 30}, "tcp_keepalive_idle", "give tcp_keepalive=True too"),
        ({"tcp_keepalive_interval": 5}, "tcp_keepalive_interval", "give tcp_keepalive=True too"),
        ({"tcp_keepalive_count": 3}, "tcp_keepalive_count", "give tcp_keepalive=True too"),
        ({"tcp_keepalive_count": 3, "tcp_keepalive": False}, "tcp_keepalive_count", "does nothing"),
        ({"conflate": True, "hwm": 10}, "send_hwm", "give no HWM beside it"),
        ({"conflate": True, "receive_hwm": 0}, "receive_hwm", "conflate=True keeps one message"),
        ({"reconnect_interval": 5, "reconnect_interval_max": 1}, "reconnect_interval_max", "reconnect_interval=5"),
    ],
)
def test_half_an_option_is_refused(arguments: dict[str, object], named: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"^option {named}={arguments.get(named, 10)}: .*{said}"):
        make_options("DEALER", arguments)


def test_a_publisher_never_waits_for_a_peer_that_is_never_full() -> None:
    with pytest.raises(ValueError, match=r"^option xpub_nodrop=True: a peer is never full with conflate=True"):
        make_options("PUB", {"conflate": True, "xpub_nodrop": True})


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        ({}, (0.1, None)),
        ({"reconnect_interval": 60}, (60, None)),
        ({"reconnect_interval": math.inf}, (math.inf, None)),
        ({"reconnect_interval_max": 0.05}, (0.05, 0.05)),
        ({"reconnect_interval_max": 0}, (0.1, 0)),
        ({"reconnect_interval": 60, "reconnect_interval_max": 0}, (60, 0)),
        ({"reconnect_interval": 2, "reconnect_interval_max": 2}, (2, 2)),
    ],
)
def test_the_wait_that_was_not_given_gives_way(given: dict[str, float], waits: tuple[float, float | None]) -> None:
    options = make_options("PUSH", given)
    assert (options.reconnect_interval, options.reconnect_interval_max) == waits


@pytest.mark.parametrize(
    "arguments",
    [
        {"conflate": True, "hwm": 1},
        {"conflate": True},
        {"heartbeat_interval": 1, "heartbeat_timeout": 0.1, "heartbeat_ttl": 1.1},
        {"tcp_keepalive": True, "tcp_keepalive_idle": 30, "tcp_keepalive_interval": 5, "tcp_keepalive_count": 3},
        {"tcp_keepalive_idle": None},
        {"heartbeat_timeout": None, "heartbeat_ttl": 0},
    ],
)
def test_whole_options_are_taken(arguments: dict[str, object]) -> None:
    options = make_options("DEALER", arguments)
    assert all(getattr(options, name) == value for name, value in arguments.items() if name != "hwm")


# -- the table ---------------------------------------------------------------------------------------


def test_the_typed_arguments_are_the_options_and_two_short_hands() -> None:
    assert set(OptionArguments.__annotations__) == {*FIELDS, "hwm", "topics"}
    assert OptionArguments.__required_keys__ == frozenset()


@pytest.mark.parametrize("secret", ["secret", b"secret", ("user", "secret"), {"user": "secret"}, triomq.Plain])
def test_no_error_shows_what_may_be_a_secret(secret: object) -> None:
    with pytest.raises(ValueError, match=r"^option mechanism=<.*>: it is None, an object of triomq.Plain") as caught:
        make_options("REQ", {"mechanism": secret})
    assert "secret" not in str(caught.value)


def test_an_argument_has_the_type_of_its_option() -> None:
    arguments = get_type_hints(OptionArguments)
    for name, hint in get_type_hints(Options).items():
        assert arguments[name] == hint, name


@pytest.mark.parametrize("name", FIELDS)
def test_every_option_is_described(name: str) -> None:
    metadata = FIELDS[name].metadata
    assert set(metadata) == {"zmq", "libzmq", "unit", "doc", "types"}
    assert metadata["doc"].endswith(".")
    assert metadata["unit"] in UNITS
    assert metadata["types"] == {"all"} or metadata["types"] <= SOCKET_TYPES
    assert (metadata["zmq"] == "") == (metadata["libzmq"] == "")
    assert metadata["zmq"] == "" or metadata["zmq"].startswith("ZMQ_")


def test_no_libzmq_option_is_meant_twice() -> None:
    names = [field.metadata["zmq"] for field in FIELDS.values() if field.metadata["zmq"]]
    assert len(names) == len(set(names))


def test_every_default_is_a_value_that_is_allowed() -> None:
    assert attrs.evolve(Options()) == Options()
