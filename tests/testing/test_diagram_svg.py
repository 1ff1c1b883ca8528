"""Pictures of runs: well-formed, complete, and nothing in the way of anything else."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest
import trio

import triomq
from triomq.testing import Diagram, Happening, Recorder, VirtualNetwork, run

from . import busy_network, small_runs

SVG = "{http://www.w3.org/2000/svg}"
WIDTH, HEIGHT = 7.25, 11.0  # of a character, as drawn

Run = Callable[[VirtualNetwork], Awaitable[object]]


async def dozen(net: VirtualNetwork) -> None:
    """Twelve hosts that all talk with one."""
    async with trio.open_nursery() as nursery:

        async def broker(ctx: triomq.Context) -> None:
            router = ctx.socket(triomq.ROUTER)
            await router.bind("tcp://*:5555")
            async for message in router:
                await router.send(message)

        async def client(ctx: triomq.Context, number: int) -> None:
            dealer = ctx.socket(triomq.DEALER)
            dealer.connect("tcp://broker:5555")
            for job in range(3):
                await dealer.send(b"job %d" % job)
                await dealer.receive()
                await trio.sleep(0.1 * number)

        nursery.start_soon(net.run_on, "broker", broker)
        for number in range(1, 12):
            nursery.start_soon(net.run_on, f"client{number}", client, number)
        await trio.sleep(1)
        net.partition({"client9", "client10"}, {"broker"})
        await trio.sleep(5)
        nursery.cancel_scope.cancel()


RUNS: list[tuple[Run, dict[str, Any]]] = [
    (small_runs.exchange, {}),
    (small_runs.connect_before_bind, {}),
    (small_runs.everything_goes_wrong, {}),
    (small_runs.nothing, {}),
    (dozen, {"jitter": 0.004}),
    (small_runs.exchange, {"loss": 0.5, "fragmentation": 0.5}),
    (busy_network.busy, {"latency": 0.01, "jitter": 0.02, "loss": 0.05, "fragmentation": 0.2}),
]


def drawn(function: Run, seed: int = 3, link: dict[str, Any] | None = None) -> tuple[ElementTree.Element, Recorder]:
    async def main(net: VirtualNetwork) -> tuple[ElementTree.Element, Recorder]:
        await function(net)
        return ElementTree.fromstring(net.diagram().svg()), net.recorder

    return run(main, seed=seed, **(link or {}))


def groups(picture: ElementTree.Element, *classes: str) -> list[ElementTree.Element]:
    return [group for group in picture.iter(f"{SVG}g") if set(classes) <= set(group.get("class", "").split())]


def told(group: ElementTree.Element) -> list[str]:
    return group.findtext(f"{SVG}title", "").splitlines()


def labels(picture: ElementTree.Element, *classes: str) -> list[str]:
    return [told(group)[1] for group in groups(picture, "arrow", *classes)]


def crosses(group: ElementTree.Element) -> int:
    return sum("cross" in path.get("class", "").split() for path in group.iter(f"{SVG}path"))


def test_every_message_has_its_arrow_and_what_was_lost_a_cross() -> None:
    picture, recorder = drawn(small_runs.everything_goes_wrong)
    messages = ['[b"one"]', '↻ [b"two"]', '↻ [b"three"]', '[b"four"]']
    assert labels(picture, "message", "arrived") == messages
    assert labels(picture, "message", "lost") == ['[b"two"]']
    assert labels(picture, "message", "held") == ['[b"three"]']
    for group in groups(picture, "arrow"):
        style = set(group.get("class", "").split())
        assert crosses(group) == bool(style & {"lost", "held", "refused"}), style
        heads = sum(path.get("class") == "head" for path in group.iter(f"{SVG}path"))
        assert heads == (
            2 if "connect" in style and "arrived" in style else int("arrived" in style or "refused" in style)
        )
    assert len(groups(picture, "mark", "crash")) == len(recorder.of_kind("crash")) == 1
    assert all(crosses(group) for group in groups(picture, "mark", "crash"))
    assert len(groups(picture, "arrow", "connect", "arrived")) == len(recorder.of_kind("established"))
    assert len(groups(picture, "arrow", "reset")) == len(recorder.of_kind("reset sent"))
    assert len(groups(picture, "break")) == 2
    spans = [(span.get("class"), span.get("data-host")) for span in picture.iter(f"{SVG}rect") if span.get("data-host")]
    assert sorted(spans) == [
        ("span context", "a"),
        ("span context", "b"),
        ("span context", "b"),
        ("span partition group0", "a"),
        ("span partition group1", "b"),
        ("span pause", "b"),
    ]


def test_refusals_end_in_a_cross_and_say_when_the_next_attempt_is() -> None:
    picture, recorder = drawn(small_runs.connect_before_bind)
    refused = groups(picture, "arrow", "refused")
    assert [crosses(group) for group in refused] == [1, 1]
    (fold,) = groups(picture, "fold")[:1]
    assert f"the same × {len(recorder.of_kind('refused')) - 2} more" in "".join(fold.itertext())
    assert told(refused[0])[1] == "tcp://server:5555 refused, again in 98.9 ms"


def test_an_arrow_tells_more_to_whom_points_at_it() -> None:
    picture, _ = drawn(small_runs.exchange)
    (hello,) = [group for group in groups(picture, "arrow", "message") if "Hello" in told(group)[1]]
    assert told(hello) == [
        "client → server",
        '[b"", b"Hello"]',
        "9 octets",
        "sent at 0.004000 s",
        "arrived at 0.005000 s",
        "after 1 ms",
        "connection 1",
    ]
    assert (hello.get("data-source"), hello.get("data-target"), hello.get("data-units")) == ("client", "server", "1")


@pytest.mark.parametrize(("function", "link"), RUNS, ids=lambda value: getattr(value, "__name__", None))
def test_it_stands_alone_and_everything_is_on_the_page(function: Run, link: dict[str, Any]) -> None:
    picture, _ = drawn(function, link=link)
    assert_on_page(picture)
    assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= {
        "svg", "style", "g", "rect", "line", "path", "circle", "text", "title",
    }  # fmt: skip
    assert "url(" not in "".join(picture.itertext())
    paper = picture.find(f"{SVG}rect")
    assert paper is not None
    assert paper.get("class") == "paper"


@attrs.frozen
class Part:
    """A recorder that has a part of a record."""

    events: list[Happening]
    forgotten: int


def assert_on_page(picture: ElementTree.Element) -> None:
    left, top, width, height = map(float, picture.get("viewBox", "").split())
    assert (left, top) == (0, 0)
    for line in picture.iter(f"{SVG}line"):
        for x, y in ("x1", "y1"), ("x2", "y2"):
            assert 0 <= float(line.get(x, "")) <= width
            assert 0 <= float(line.get(y, "")) <= height
    for x1, y1, x2, y2, words in boxes(picture):
        assert 0 <= x1 < x2 <= width, words
        assert 0 <= y1 < y2 <= height, words


@pytest.mark.parametrize(("function", "link"), RUNS, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("seed", range(3))
def test_no_label_is_upon_another_and_arrows_run_down(function: Run, link: dict[str, Any], seed: int) -> None:
    picture, _ = drawn(function, seed, link)
    found = sorted(boxes(picture), key=lambda box: box[1])
    for index, one in enumerate(found):
        for other in found[index + 1 :]:
            if other[1] >= one[3]:
                break
            assert other[0] >= one[2] or one[0] >= other[2], (one, other)
    for group in groups(picture, "arrow"):
        for line in group.iter(f"{SVG}line"):
            assert float(line.get("y1", "")) < float(line.get("y2", ""))


def boxes(picture: ElementTree.Element) -> list[tuple[float, float, float, float, str]]:
    """Where the texts are, but for the legend's, which are moved: x1, y1, x2, y2 and the text."""
    in_legend = {text for group in groups(picture, "legend") for text in group.iter(f"{SVG}text")}
    found = []
    for text in picture.iter(f"{SVG}text"):
        if text in in_legend or text.get("class") == "title":
            continue
        words = "".join(text.itertext())
        size = (6.7 if text.get("class") in ("time", "gap", "note") else WIDTH) * len(words)
        x, y = float(text.get("x", "")), float(text.get("y", ""))
        x -= {"start": 0.0, "middle": size / 2, "end": size}[text.get("text-anchor", "")]
        found.append((x, y - HEIGHT + 1, x + size, y + 1, words))
    return found


def test_any_part_of_any_record_can_be_drawn() -> None:
    whole, dice = busy_network.busy_run(4).happenings, random.Random(4)
    for _ in range(40):
        forgotten = dice.randrange(len(whole))
        start = dice.uniform(0, 20)
        diagram = Diagram(
            Part(whole[forgotten : forgotten + dice.randrange(1, 2000)], forgotten),  # type: ignore[arg-type]
            hosts=dice.choice([None, dice.sample(["w", "server", "s1", "d", "broker", "unknown"], dice.randint(0, 4))]),
            start=dice.choice([None, start]),
            end=dice.choice([None, start + dice.uniform(0, 5)]),
            limit=dice.randint(1, 50),
        )
        picture = ElementTree.fromstring(diagram.svg())
        assert_on_page(picture)
        assert len(diagram.text().splitlines()) <= 3 + 2 * 50 + 2
        for group in groups(picture, "arrow"):
            assert told(group)


async def test_what_xml_has_no_characters_for(virtual_network: VirtualNetwork) -> None:
    virtual_network.note("<a & b>\0\x1b\ud800 ]]>", "a<b")
    picture = ElementTree.fromstring(virtual_network.diagram(title='"<&>').svg())
    texts = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    assert r"<a & b>\x00\x1b\ud800 ]]>" in texts
    assert {'"<&>', "a<b"} <= set(texts)
    assert picture.get("aria-label") == '"<&>'


async def test_connections_inside_a_host_are_loops(virtual_network: VirtualNetwork) -> None:
    async with virtual_network.open_context("a") as ctx:
        one, other = ctx.socket(triomq.PAIR), ctx.socket(triomq.PAIR)
        one.connect(await other.bind("tcp://*:5555"))
        for number in range(2):
            await one.send(b"there %d" % number)
            await other.receive()
            await other.send(b"back %d" % number)
            await one.receive()
    picture = ElementTree.fromstring(virtual_network.diagram().svg())
    sent = ['[b"there 0"]', '[b"back 0"]', '[b"there 1"]', '[b"back 1"]']
    assert labels(picture, "message", "arrived") == sent
    assert all("h30V" in path.get("d", "") for path in picture.iter(f"{SVG}path") if path.get("class") == "line")
