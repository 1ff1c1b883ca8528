"""What a socket is called."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork


async def test_where_the_name_stands(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, name="sink")
        assert (pull.name, repr(pull)) == ("sink", "<triomq.PULL 'sink' no endpoint>")
        endpoint = await pull.bind("tcp://127.0.0.1:0")
        assert repr(pull) == f"<triomq.PULL 'sink' {endpoint}>"
        assert pull.statistics().name == "sink"
        push = ctx.socket(triomq.PUSH)
        assert (push.name, repr(push), push.statistics().name) == (None, "<triomq.PUSH no endpoint>", None)
        push.connect(endpoint)
        await pull.wait_peers()
        await pull.aclose()
        assert repr(pull) == "<triomq.PULL 'sink' closed>"


async def test_tasks_are_named_after_it(virtual_network: VirtualNetwork) -> None:
    def tasks() -> set[str]:
        found, ahead = set(), [trio.lowlevel.current_root_task()]
        while ahead:
            task = ahead.pop()
            if task is not None:
                found.add(task.name)
                ahead += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        return {name for name in found if name.startswith("triomq")}

    async with virtual_network.open_context() as ctx:
        pull = ctx.socket(triomq.PULL, name="sink", heartbeat_interval=1)
        endpoint = await pull.bind("tcp://127.0.0.1:5555")
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://localhost:5555")
        await push.wait_peers()
        await push.send(bytes(3_000_000))
        await trio.testing.wait_all_tasks_blocked()
        assert {name for name in tasks() if name.endswith(" of 'sink'")} == {
            f"triomq listener {endpoint} of 'sink'",
            "triomq session tcp://localhost:49152 of 'sink'",
            "triomq heartbeats tcp://localhost:49152 of 'sink'",
        }
        assert "triomq dialer tcp://localhost:5555" in tasks()


@pytest.mark.parametrize("name", ["", "two\nlines", "x" * 101, "\x1b[31m"])
async def test_a_name_is_one_line_for_people(name: str) -> None:
    async with triomq.open_context() as ctx:
        with pytest.raises(ValueError, match="the name of a socket has 1 to 100 characters that can be printed"):
            ctx.socket(triomq.PULL, name=name)
        assert ctx.sockets == ()


async def test_a_name_is_text() -> None:
    async with triomq.open_context() as ctx:
        with pytest.raises(TypeError, match="name=b'sink': the name of a socket is a str, for people to read"):
            ctx.socket(triomq.PULL, name=b"sink")  # type: ignore[arg-type]
