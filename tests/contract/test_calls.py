"""What every socket type must do alike: closed, out of turn, the wrong way, with the wrong thing, from elsewhere."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio
import trio.testing

import triomq
from triomq.testing import VirtualNetwork

from ..cancellation.kit import FLOWS, Flow, endpoint_of, run
from .calls import ASYNC_CALLS, RECEIVES, SENDS, SYNC_CALLS, TYPES, call, calls_of, every_scheme, every_type


def test_no_public_method_is_forgotten_here() -> None:
    """Whoever adds a method adds it above, and so to every test of this module."""
    public = {name for one in TYPES for name in dir(one) if not name.startswith("_")}
    passive = {"name", "aclose", "endpoints", "peers", "options", "messages_dropped", "statistics", "socket_type"}
    assert public - set(ASYNC_CALLS) - set(SYNC_CALLS) - passive == set()


@every_type
def test_a_socket_has_exactly_the_channels_of_its_directions(socket_type: type[Any]) -> None:
    """A PULL cannot send: there is no such attribute, and it is no SendChannel."""
    name = socket_type.__name__
    assert issubclass(socket_type, trio.abc.SendChannel) is (name in SENDS)
    assert issubclass(socket_type, trio.abc.ReceiveChannel) is (name in RECEIVES)
    assert issubclass(socket_type, trio.abc.Channel) is (name in SENDS & RECEIVES)
    for method in ("send", "send_nowait", "send_many"):
        assert hasattr(socket_type, method) is (name in SENDS)
    for method in ("receive", "receive_nowait", "receive_many", "__aiter__"):
        assert hasattr(socket_type, method) is (name in RECEIVES)
    assert hasattr(socket_type, "request") is (name == "REQ")
    assert hasattr(socket_type, "subscribe") is (name == "SUB")
    assert hasattr(socket_type, "wait_subscribers") is (name in {"PUB", "XPUB"})
    assert socket_type.socket_type == name


@every_type
@pytest.mark.parametrize("how", ["aclose", "async with", "context"])
def test_every_call_on_a_closed_socket_says_so(socket_type: type[Any], how: str) -> None:
    """ClosedResourceError, naming type and call; what only looks still works; closing again does nothing."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            socket = ctx.socket(socket_type)
            await socket.bind("inproc://it")
            if how == "aclose":
                await socket.aclose()
            elif how == "async with":
                async with socket:
                    pass
            if how != "context":
                await check(socket)
        await check(socket)
        with pytest.raises(trio.ClosedResourceError):
            ctx.socket(socket_type)

    async def check(socket: Any) -> None:
        for name, function, arguments in calls_of(socket):
            with pytest.raises(trio.ClosedResourceError) as caught:
                await call(name, function, arguments)
            if name != "__anext__":
                assert f"{socket_type.__name__}.{name}" in str(caught.value), name
        assert socket.endpoints == socket.peers == ()
        assert repr(socket) == f"<triomq.{socket_type.__name__} closed>"
        assert socket.statistics().peers == ()
        assert socket.options == triomq.Options()
        await socket.aclose()

    run(main)


@every_type
def test_an_iteration_ends_with_the_closing_error(socket_type: type[Any]) -> None:
    """A task in ``async for`` on a socket closed under it sees the error, not a quiet end."""
    if socket_type.__name__ not in RECEIVES or socket_type is triomq.REQ:
        return

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            socket = ctx.socket(socket_type)

            async def iterate() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    async for _ in socket:
                        raise AssertionError

            async with trio.open_nursery() as nursery:
                nursery.start_soon(iterate)
                await trio.testing.wait_all_tasks_blocked()
                await socket.aclose()

    run(main)


@every_type
def test_what_is_not_bytes_is_refused_with_what_to_do(socket_type: type[Any]) -> None:
    """Before anything happens: TypeError for text and numbers, ValueError for no frame at all."""
    if socket_type.__name__ not in SENDS:
        return

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            socket = ctx.socket(socket_type)
            for wrong, error, text in (
                ("text", TypeError, "Message.from_text"),
                (["text"], TypeError, "Message.from_text"),
                (5, TypeError, "not int"),
                (None, TypeError, "not NoneType"),
                ([None], TypeError, "not NoneType"),
                ([], ValueError, "at least one frame"),
            ):
                with pytest.raises(error, match=text):
                    await socket.send(wrong)
                with pytest.raises(error, match=text):
                    socket.send_nowait(wrong)
            assert socket.statistics().tasks_waiting_send == 0

    run(main)


@every_scheme
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_bytes_likes_and_iterables_arrive_as_bytes(flow: Flow, scheme: str) -> None:
    """And whatever the sender does to its buffer afterwards does not reach the receiver."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            sender, receiver = await flow.open(ctx, scheme, hwm=100)
            buffer = bytearray(b"mine")
            for frames in ([buffer], (memoryview(buffer), b""), iter([b"mine", b"x"])):
                await sender.send([*flow.before, *frames])
            buffer[:] = b"else"
            got = [await receiver.receive() for _ in range(3)]
            assert [flow.unwrap(message) for message in got] == [(b"mine",), (b"mine", b""), (b"mine", b"x")]
            assert all(type(message) is triomq.Message for message in got)
            assert all(type(frame) is bytes for message in got for frame in message)

    run(main, scheme=scheme)


@every_type
def test_the_options_are_frozen(socket_type: type[Any]) -> None:
    """What a socket was made with it keeps; an unknown or a foreign option is refused by name."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            socket = ctx.socket(socket_type, send_hwm=7, linger=0)
            assert (socket.options.send_hwm, socket.options.receive_hwm, socket.options.linger) == (7, 1000, 0)
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                socket.options.send_hwm = 8
            with pytest.raises(AttributeError):
                socket.options = triomq.Options()
            with pytest.raises(TypeError, match="no option 'timeout'"):
                ctx.socket(socket_type, timeout=3)
            with pytest.raises(ValueError, match="hwm"):
                ctx.socket(socket_type, hwm=-1)
            if socket_type is not triomq.SUB:
                with pytest.raises(TypeError, match="topics"):
                    ctx.socket(socket_type, topics=[b""])

    run(main)


@every_type
@every_scheme
def test_endpoints_are_those_that_were_given_without_wildcards(socket_type: type[Any], scheme: str) -> None:
    """In the order of the calls, and gone when taken back; undoing what was not done is an error that says what was."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            socket = ctx.socket(socket_type)
            name = socket_type.__name__
            assert repr(socket) == f"<triomq.{name} no endpoint>"
            bound = await socket.bind(endpoint_of(scheme))
            assert not bound.endswith(":0")
            assert socket.endpoints == (bound,)
            other = endpoint_of(scheme, "other").replace(":0", ":9")
            socket.connect(other)
            if socket_type is not triomq.PAIR:
                socket.connect(other)
            assert socket.endpoints == (bound, other)
            assert repr(socket) == f"<triomq.{name} {bound}, {other}>"
            with pytest.raises(triomq.EndpointError, match="not bound to"):
                await socket.unbind(other)
            with pytest.raises(triomq.EndpointError, match="not connected to"):
                socket.disconnect(bound)
            with pytest.raises(triomq.AddressInUseError):
                await ctx.socket(socket_type).bind(bound)
            socket.disconnect(other)
            await socket.unbind(bound)
            assert socket.endpoints == ()

    run(main, scheme=scheme)


@every_type
def test_another_thread_and_another_run_are_told_so(socket_type: type[Any]) -> None:
    """WrongThreadError from a worker thread, and from a trio run in another thread; nothing is sent or taken."""

    async def main() -> None:
        async with triomq.open_context() as ctx:
            socket = ctx.socket(socket_type)
            await socket.bind("inproc://it")

            def from_a_worker() -> None:
                for name, function, arguments in calls_of(socket):
                    if name in ASYNC_CALLS:
                        with pytest.raises(triomq.WrongThreadError, match=r"from_thread"):
                            function(*arguments).send(None)
                    else:
                        with pytest.raises(triomq.WrongThreadError):
                            function(*arguments)
                with pytest.raises(triomq.WrongThreadError):
                    ctx.socket(socket_type)
                with pytest.raises(triomq.WrongThreadError):
                    socket.aclose().send(None)
                with pytest.raises(triomq.WrongThreadError, match="statistics was called"):
                    socket.statistics()

            async def from_another_run() -> None:
                for name, function, arguments in calls_of(socket):
                    with pytest.raises(triomq.WrongThreadError):
                        await call(name, function, arguments)
                with pytest.raises(triomq.WrongThreadError):
                    await socket.aclose()
                with pytest.raises(triomq.WrongThreadError, match="statistics was called"):
                    socket.statistics()  # its times would be those of the other run's clock

            await trio.to_thread.run_sync(from_a_worker)
            await trio.to_thread.run_sync(trio.run, from_another_run)
            assert socket.endpoints == ("inproc://it",)

    trio.run(main)


@every_scheme
def test_nowait_says_would_block(scheme: str) -> None:
    """To receive when nothing has arrived, and to send where nobody has room."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            for socket_type in (triomq.PUSH, triomq.DEALER, triomq.PAIR, triomq.REQ):
                with pytest.raises(trio.WouldBlock):
                    ctx.socket(socket_type).send_nowait(b"it")
            for socket_type in TYPES:
                if socket_type.__name__ in RECEIVES - {"REQ"}:
                    with pytest.raises(trio.WouldBlock):
                        ctx.socket(socket_type).receive_nowait()
            for flow in FLOWS:
                sender, receiver = await flow.open(ctx, scheme, name=str(flow))
                await sender.send(flow.wrap(b"it"))
                await trio.testing.wait_all_tasks_blocked()
                assert flow.unwrap(receiver.receive_nowait()) == (b"it",)
                with pytest.raises(trio.WouldBlock):
                    receiver.receive_nowait()

    run(main, scheme=scheme)


@every_scheme
def test_req_and_rep_go_in_lockstep(scheme: str) -> None:
    """The step out of turn is a WrongStateError that says which one is due, and changes nothing."""

    async def main(net: VirtualNetwork) -> None:
        async with net.open_context() as ctx:
            req, rep = await Flow(triomq.REQ, triomq.REP).open(ctx, scheme, hwm=10)
            for _ in range(3):
                await out_of_turn(req.receive, req.receive_nowait, match="no request was sent")
                await out_of_turn(lambda: rep.send(b"x"), lambda: rep.send_nowait(b"x"), match="no request to reply to")
                await req.send(b"ask")
                await out_of_turn(lambda: req.send(b"x"), lambda: req.send_nowait(b"x"), match="awaits its reply")
                await out_of_turn(lambda: req.request(b"x"), match="awaits its reply")
                assert await rep.receive() == (b"ask",)
                await out_of_turn(rep.receive, rep.receive_nowait, match="awaits its reply")
                await rep.send(b"reply")
                assert await req.receive() == (b"reply",)

    async def out_of_turn(waiting: Any, trying: Any = None, *, match: str) -> None:
        with pytest.raises(triomq.WrongStateError, match=match):
            await waiting()
        if trying is not None:
            with pytest.raises(triomq.WrongStateError, match=match):
                trying()

    run(main, scheme=scheme)
