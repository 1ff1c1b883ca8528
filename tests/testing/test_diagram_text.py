"""Diagrams of characters, compared as they are; and what of a run they show."""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import pytest
import trio

import triomq
from triomq.testing import Diagram, Happening, Kind, Recorder, VirtualNetwork, run

from . import small_runs

LEGEND = "│ host  ┃ context open  ╎ ╏ partitioned  ░ paused  · down  ✗ lost or refused  ↻ sent again"


def drawn(function: Callable[[VirtualNetwork], Awaitable[None]], seed: int = 3, **arguments: Any) -> str:
    async def main(net: VirtualNetwork) -> str:
        await function(net)
        return net.diagram(**arguments).text()

    return run(main, seed=seed)


def lines_of(text: str) -> list[str]:
    return text.strip("\n").splitlines()


def test_an_exchange() -> None:
    assert lines_of(drawn(small_runs.exchange)) == [*lines_of("""
seed 3
 seconds   client                        server
   0.000   ┃                             ┃ bind tcp://server:5555
           ┃┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄>┃  connect tcp://server:5555  +2 ms
   0.002   ┃───────── greeting ─────────>┃  +1 ms
   0.003   ┃<───────── greeting ─────────┃  +1 ms
           ┃<──────── READY REP ─────────┃  +1 ms
   0.004   ┃──────── READY REQ ─────────>┃  +1 ms
           ┃───── [b"", b"Hello"] ──────>┃  +1 ms
   0.005   ┃<───── [b"", b"World"] ──────┃  +1 ms
   0.006  ┈┃┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┃┈┈ both know
           ┃<╌╌╌╌╌╌╌╌╌╌╌ end ╌╌╌╌╌╌╌╌╌╌╌╌┃  +1 ms
           ┃                             ┃ unbind tcp://server:5555
   0.007   ┃╌╌╌╌╌╌╌╌╌╌╌ end ╌╌╌╌╌╌╌╌╌╌╌╌>┃  +1 ms
"""), LEGEND]  # fmt: skip


def test_connecting_before_anybody_listens() -> None:
    assert lines_of(drawn(small_runs.connect_before_bind)) == [*lines_of("""
seed 3
 seconds   client                        server
   0.000   ┃┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄✗┃  connect tcp://server:5555  refused, again in 98.9 ms
   0.101   ⋮                             ⋮  the same × 10 more, until 3.625
   4.137   ┃┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄✗┃  connect tcp://server:5555  refused, again in 885 ms
   5.000   ┃                             ┃ bind tcp://server:5555
   5.024   ┃┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄>┃  connect tcp://server:5555  +2 ms
   5.026   ┃───────── greeting ─────────>┃  +1 ms
   5.027   ┃<───────── greeting ─────────┃  +1 ms
           ┃<──────── READY PULL ────────┃  +1 ms
   5.028   ┃──────── READY PUSH ────────>┃  +1 ms
           ┃──────── [b"early"] ────────>┃  +1 ms
   5.029   ┃                             ┃ unbind tcp://server:5555
           ┃<╌╌╌╌╌╌╌╌╌╌╌ end ╌╌╌╌╌╌╌╌╌╌╌╌┃  +1 ms
           ┃╌╌╌╌╌╌╌╌╌╌╌ end ╌╌╌╌╌╌╌╌╌╌╌╌>│  +1 ms
"""), LEGEND]  # fmt: skip


def test_everything_that_can_go_wrong() -> None:
    assert lines_of(drawn(small_runs.everything_goes_wrong, title="", hosts=["a", "b"])) == [*lines_of("""
 seconds   a                             b
   0.000   ┃                             ┃ bind tcp://b:5555
   0.500   ┃┄┄┄ connect tcp://b:5555 ┄┄┄>┃  +2 ms
   0.502   ┃───────── greeting ─────────>┃  +1 ms
   0.503   ┃<───────── greeting ─────────┃  +1 ms
           ┃<──────── READY PULL ────────┃  +1 ms
   0.504   ┃──────── READY PUSH ────────>┃  +1 ms
           ┃───────── [b"one"] ─────────>┃  +1 ms
   1.500  ┈╏┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈╏┈┈ partition: a | b
           ╏─────── [b"two"] ───────✗    ╏  lost
   1.600   ╏────── [b"three"] ──────✗    ╏  held
          ┈┃┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┃┈┈ heal: a | b
   1.602   ┃──────── ↻ [b"two"] ────────>┃  +1 ms
           ┃─────── ↻ [b"three"] ───────>┃  +1 ms
   2.600   ┃                             ░ pause
           ┃──────── [b"four"] ─────────>░  +1 ms
  … 60 s   ┃                             ░
  62.600   ┃                             ┃ resume
           ┃                             ╳ crash (process)
           ┃<╌╌╌╌╌╌╌╌╌╌ reset ╌╌╌╌╌╌╌╌╌╌╌·  +1 ms
  62.601   ┃                             ·  a: disconnected: PUSH, the connection to tcp://b:5555 broke: the peer reset the connection
  62.700   ┃                             │ restart
           ┃                             ┃ bind tcp://b:5555
  63.385   ┃┄┄┄ connect tcp://b:5555 ┄┄┄>┃  +2 ms
  63.387   ┃───────── greeting ─────────>┃  +1 ms
  63.388   ┃<───────── greeting ─────────┃  +1 ms
           ┃<──────── READY PULL ────────┃  +1 ms
  63.389   ┃──────── READY PUSH ────────>┃  +1 ms
… 2.31 s   ┃                             ┃
  65.700  ┈┃┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┃┈┈ cut a - b: reset
           ┃                             ┃ connection reset
           ┃ connection reset            ┃
           ┃                             ┃ disconnected: PULL, the connection to tcp://a:49153 broke: the network reset the connection
           ┃                             ┃  a: disconnected: PUSH, the connection to tcp://b:5555 broke: the network reset the connection
           │                             ┃ unbind tcp://b:5555
"""), LEGEND]  # noqa: E501  # fmt: skip


def test_columns_are_as_far_apart_as_the_width_allows() -> None:
    async def main(net: VirtualNetwork) -> list[str]:
        await small_runs.exchange(net)
        return [net.diagram().text(width).splitlines()[1] for width in (20, 60, 200)]

    heads = run(main)
    assert [head.index("server") - head.index("client") for head in heads] == [12, 24, 30]


def test_an_empty_run() -> None:
    assert lines_of(drawn(small_runs.nothing)) == ["seed 3", " seconds", "nothing happened", LEGEND]


def test_some_hosts_in_an_order_of_ones_own() -> None:
    text = drawn(small_runs.exchange, hosts=["server", "client"])
    assert '   0.005   ┃───── [b"", b"World"] ──────>┃  +1 ms' in text
    alone = drawn(small_runs.exchange, hosts=["server"])
    assert "World" not in alone
    assert "bind tcp://server:5555" in alone


def test_a_part_of_the_time() -> None:
    lines = lines_of(drawn(small_runs.everything_goes_wrong, start=1.55, end=2))
    assert [line[:8] for line in lines[2:-1]] == ["   1.600", " " * 8, "   1.602", " " * 8]
    assert "╏" in lines[2]  # the partition was made before


def test_a_limit_is_told() -> None:
    lines = lines_of(drawn(small_runs.exchange, limit=3))
    assert lines[1] == "(9 earlier rows left out: limit=3)"
    assert len(lines) == 7


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"start": 2.0, "end": 1.0}])
def test_what_makes_no_sense(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="=") as caught:
        Diagram(Recorder(), **arguments)
    assert str(next(iter(arguments.values()))) in str(caught.value)


def test_repeated_traffic_is_folded() -> None:
    async def busy(net: VirtualNetwork) -> None:
        async with net.open_context("a") as a, net.open_context("b") as b:
            pull, push = b.socket(triomq.PULL), a.socket(triomq.PUSH)
            push.connect(await pull.bind("tcp://*:5555"))
            for number in range(1000):
                await push.send(b"%d" % number)
                await pull.receive()

    lines = lines_of(drawn(busy))
    assert len(lines) < 20
    assert any('[b"1"] … [b"998"] × 998 more, until' in line for line in lines)


def test_a_repeated_exchange_is_folded() -> None:
    async def busy(net: VirtualNetwork) -> None:
        async with net.open_context("a") as a, net.open_context("b") as b:
            rep, req = b.socket(triomq.REP), a.socket(triomq.REQ)
            req.connect(await rep.bind("tcp://*:5555"))
            for number in range(40):
                await req.send(b"%d" % number)
                await rep.send(await rep.receive())
                await req.receive()

    assert "these 2 rows × 38 more" in drawn(busy)


def test_of_many_hosts_the_busiest_are_shown() -> None:
    async def crowd(net: VirtualNetwork) -> None:
        for number in range(100):
            for _ in range(1 + (number % 10 == 0)):
                net.note("hello", f"h{number}")

    text = drawn(crowd)
    assert "(84 other hosts left out: choose with hosts=)" in text
    shown = text.splitlines()[2].split()[1:]
    assert len(shown) == 16
    assert {f"h{number}" for number in range(0, 100, 10)} < set(shown)


class _Made:
    """A recorder whose record is made up."""

    def __init__(self, happenings: list[Happening]) -> None:
        self.events = happenings
        self.forgotten = 0


def test_a_huge_record_gives_a_page() -> None:
    dice = random.Random(5)
    happenings: list[Any] = []
    for number in range(50_000):
        one, other = dice.sample("abcdefghij", 2)
        link = dice.randint(1, 40)
        data = dice.randbytes(dice.randint(1, 40))
        happenings.append(Happening(number / 1000, "sent", one, other, link, data))
        happenings.append(Happening(number / 1000, "delivered", one, other, link, data))
    diagram = Diagram(_Made(happenings))  # type: ignore[arg-type]
    assert len(diagram.text().splitlines()) == 200 + 3
    assert "earlier rows left out: limit=200" in diagram.text()
    assert len(diagram.svg()) < 300_000


async def test_what_the_recorder_forgot_is_told_and_its_octets_are_only_counted(autojump_clock) -> None:
    async with VirtualNetwork(3, record=16) as net:
        await small_runs.exchange(net)
    text = net.diagram().text()
    assert "were not kept by the recorder" in text
    assert "─ 9 octets ─" in text
    assert "Hello" not in text
    assert "┃" in text  # who did something had a context


async def test_a_name_that_no_host_has_is_told_and_folded(autojump_clock) -> None:
    async with VirtualNetwork() as net, net.open_context("client") as ctx:
        push = ctx.socket(triomq.PUSH)
        push.connect("tcp://sever:5555")
        await trio.sleep(10)
        lines = net.diagram().text().splitlines()
    assert lines[2].endswith("cannot connect to tcp://sever:5555: no virtual host has that name; there are client")
    assert re.search(r"the same × \d+ more, until \d", lines[3])
    assert sum("sever" in line for line in lines) == 2


def test_every_kind_of_happening_can_be_told() -> None:
    """A kind that the diagram does not know would take the diagram from the report of a failure."""

    async def main(net: VirtualNetwork) -> str:
        for kind in get_args(Kind):
            net.recorder.record(kind, "a", "b", 1, text="a text")
        return net.diagram().text()

    assert "a text" in run(main)


async def test_text_of_the_users_is_on_one_line(virtual_network: VirtualNetwork) -> None:
    virtual_network.note("a\nb\x1b[1m", "a")
    lines = virtual_network.diagram().text().splitlines()
    assert lines[2].endswith(r"a\nb\x1b[1m")


async def test_saving(virtual_network: VirtualNetwork, tmp_path) -> None:
    virtual_network.note("hello", "a")
    diagram = virtual_network.diagram()
    diagram.save(tmp_path / "run.svg")
    diagram.save(str(tmp_path / "run.txt"))
    assert (tmp_path / "run.svg").read_text("utf-8") == diagram.svg()
    assert (tmp_path / "run.txt").read_text("utf-8") == str(diagram) + "\n"
    with pytest.raises(OSError, match="nowhere"):
        diagram.save(tmp_path / "nowhere" / "run.svg")
