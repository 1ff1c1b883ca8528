"""Cutting endpoints into scheme and address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triomq._errors import EndpointError
from triomq._transports._endpoint import split_endpoint


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("tcp://127.0.0.1:5555", ("tcp", "127.0.0.1:5555")),
        ("tcp://[::1]:5555", ("tcp", "[::1]:5555")),
        ("tcp://eth0:0;10.0.0.1:5555", ("tcp", "eth0:0;10.0.0.1:5555")),
        ("ipc:///tmp/feed", ("ipc", "/tmp/feed")),
        ("ipc://a://b", ("ipc", "a://b")),
        ("lz4+tcp://host:1", ("lz4+tcp", "host:1")),
        ("inproc:// ", ("inproc", " ")),
    ],
)
def test_an_endpoint_is_cut_at_its_first_separator(endpoint, expected):
    assert split_endpoint(endpoint) == expected


@pytest.mark.parametrize(
    ("endpoint", "complaint"),
    [
        ("", "no '://'"),
        ("tcp", "no '://'"),
        ("tcp:127.0.0.1:5555", "no '://'"),
        ("127.0.0.1:5555", "no '://'; do you mean 'tcp://127.0.0.1:5555'?"),
        ("*:5555", "do you mean 'tcp://*:5555'?"),
        ("[::1]:*", r"do you mean 'tcp://[::1]:*'?"),
        ("5555", "no '://'; an endpoint looks like"),
        ("://127.0.0.1:5555", "no scheme"),
        ("tcp://", "no address"),
        ("TCP://127.0.0.1:5555", "write 'tcp://"),
        (" tcp://127.0.0.1:5555", "not a scheme"),
        ("t_p://127.0.0.1:5555", "not a scheme"),
        ("tcp\n://127.0.0.1:5555", "not a scheme"),
    ],
)
def test_a_malformed_endpoint_is_refused_with_what_is_wrong(endpoint, complaint):
    with pytest.raises(EndpointError) as caught:
        split_endpoint(endpoint)
    assert complaint in str(caught.value)
    assert repr(endpoint) in str(caught.value)


@pytest.mark.parametrize("endpoint", [b"tcp://127.0.0.1:5555", bytearray(b"tcp://h:1"), memoryview(b"ipc://x")])
def test_bytes_are_refused_with_what_to_do(endpoint):
    with pytest.raises(TypeError, match=r"is bytes.*decode\(\)"):
        split_endpoint(endpoint)


@pytest.mark.parametrize("endpoint", [None, 5555, ("127.0.0.1", 5555)])
def test_what_is_no_text_is_refused(endpoint):
    with pytest.raises(TypeError, match="an endpoint is a str"):
        split_endpoint(endpoint)


@given(st.text())
def test_any_text_is_cut_or_refused(text):
    try:
        scheme, address = split_endpoint(text)
    except EndpointError:
        return
    assert f"{scheme}://{address}" == text
