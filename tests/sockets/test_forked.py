"""A forked child: its calls are refused, it keeps nothing open, and the parent does not notice it."""

from __future__ import annotations

import inspect
import os
import signal
import socket
import sys
import warnings

import pytest
import trio
import trio.testing

import triomq
from triomq._options import Options
from triomq._transports import IpcTransport, TcpTransport

from ..forks import in_child, open_sockets

pytestmark = pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="this platform cannot fork")
sees_descriptors = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are looked up in /proc")

END_OF_TEST = 30  # seconds


CALLS = {
    triomq.PUSH: ["send", "send_nowait", "send_many"],
    triomq.PULL: ["receive", "receive_nowait", "receive_many", "__anext__"],
    triomq.PAIR: [
        "send", "send_nowait", "send_many", "receive", "receive_nowait", "receive_many", "bind", "unbind", "connect",
        "disconnect", "wait_peers", "monitor", "statistics", "aclose", "__aexit__",
    ],
    triomq.REQ: ["send", "receive", "request"],
    triomq.REP: ["send", "receive"],
    triomq.SUB: ["subscribe", "unsubscribe", "receive"],
    triomq.PUB: ["send", "wait_subscribers"],
}  # fmt: skip
ARGUMENTS: dict[str, list[object]] = {
    "send": [b"x"], "send_nowait": [b"x"], "send_many": [[b"x"]], "receive_many": [1], "bind": ["tcp://127.0.0.1:0"],
    "unbind": ["tcp://127.0.0.1:1"], "connect": ["tcp://127.0.0.1:1"], "disconnect": ["tcp://127.0.0.1:1"],
    "request": [b"x"], "subscribe": [b"x"], "unsubscribe": [b"x"], "wait_subscribers": [b"x"],
    "__aexit__": [None, None, None], "observe": [None], "authenticator": [None], "socket": [triomq.PULL],
}  # fmt: skip


KINDS = [
    triomq.DEALER, triomq.PAIR, triomq.PUB, triomq.PULL, triomq.PUSH, triomq.REP, triomq.REQ, triomq.ROUTER, triomq.SUB,
    triomq.XPUB, triomq.XSUB,
]  # fmt: skip


@pytest.mark.parametrize(("kind", "call"), [(kind, call) for kind, calls in CALLS.items() for call in calls])
async def test_every_call_on_an_inherited_socket_is_refused(kind, call):
    async with triomq.open_context() as ctx:
        one = ctx.socket(kind)

        def use_it() -> str:
            try:
                answer = getattr(one, call)(*ARGUMENTS.get(call, []))
                if inspect.iscoroutine(answer):
                    answer.send(None)
            except triomq.WrongThreadError as exc:
                return str(exc)
            return "accepted"

        said = in_child(use_it)
        assert call.startswith("__") or f"{kind.__name__}.{call} was called" in said
        assert "in a forked process" in said


STAYS = {"name", "options", "socket_type"}  # what a socket was made with


def public_names(kind: type) -> list[str]:
    """Of methods and properties, the wrong names left out that only explain themselves."""
    return [name for name in dir(kind) if not name.startswith("_") and name not in STAYS]


def refusal(one: object, name: str) -> str:
    """What the child is told when it uses this."""
    try:
        found = getattr(one, name)
        if callable(found):
            answer = found(*([] if isinstance(one, triomq.Peer) else ARGUMENTS.get(name, [])))
            if inspect.iscoroutine(answer):
                answer.send(None)
    except triomq.WrongThreadError as exc:
        return str(exc)
    return "accepted"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_nothing_public_of_an_inherited_socket_works(kind):
    async with triomq.open_context() as ctx:
        one = ctx.socket(kind, name="it")
        names = public_names(kind)
        assert {"peers", "endpoints", "statistics", "messages_dropped", "aclose"} < set(names)
        said = in_child(lambda: "\n".join(refusal(one, name) for name in names)).splitlines()
        assert len(said) == len(names)
        for name, line in zip(names, said, strict=True):
            assert "in a forked process" in line, name
        assert in_child(lambda: f"{one!r} {one.name}") == f"<triomq.{kind.__name__} 'it' no endpoint> it"


OTHERS = {
    "context": public_names(triomq.Context),
    "monitor": ["receive", "receive_nowait", "close", "aclose"],
    "merged": ["receive", "receive_nowait", "aclose"],
    "proxy": ["pause", "resume", "terminate", "statistics"],
    "job_sender": ["send", "request", "wait_done", "statistics", "bind", "connect", "aclose"],
    "job_receiver": ["receive", "done", "bind", "connect", "aclose"],
    "codec": ["send", "send_nowait", "receive", "receive_nowait", "aclose"],
    "peer": ["disconnect"],
}


@pytest.mark.parametrize("what", OTHERS)
async def test_nothing_that_has_an_inherited_socket_works(what):
    async with triomq.open_context() as ctx, trio.open_nursery() as nursery:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        push.connect(await pull.bind("inproc://it"))
        async with triomq.JobSender(ctx) as job_sender:
            one = {
                "context": ctx,
                "monitor": pull.monitor(),
                "merged": triomq.merge(pull),
                "proxy": await nursery.start(triomq.proxy, ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)),
                "job_sender": job_sender,
                "job_receiver": triomq.JobReceiver(ctx),
                "codec": triomq.codec(ctx.socket(triomq.PAIR), bytes),
                "peer": pull.peers[0],
            }[what]
            for name in OTHERS[what]:
                assert "in a forked process" in in_child(lambda one=one, name=name: refusal(one, name)), name
            assert in_child(lambda: repr(one)) == repr(one)
        nursery.cancel_scope.cancel()


async def test_a_child_that_leaves_the_block_ends_it(tmp_path):
    """It goes on in a copy of trio's loop. Its block ends with what it raised, and the parent does not notice."""
    parent, child = os.getpid(), 0
    with trio.fail_after(END_OF_TEST):
        try:
            async with triomq.open_context() as ctx:
                pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
                for endpoint in ("tcp://127.0.0.1:0", f"ipc://{tmp_path}/it"):
                    push.connect(await pull.bind(endpoint))
                await push.wait_peers(2)
                await pull.wait_peers(2)
                monitors = [pull.monitor(), push.monitor()]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: an idle thread may be there
                    child = os.fork()
                if child == 0:
                    await push.send(b"from the child")  # raises
                _, status = os.waitpid(child, 0)  # noqa: ASYNC222  # both loops have one epoll: only one of them may run
                for number in range(20):
                    await push.send(b"%d" % number)
                got = [await pull.receive() for _ in range(20)]
                assert sorted(int(message.text()) for message in got) == list(range(20))
                for monitor in monitors:
                    with pytest.raises(trio.WouldBlock):
                        monitor.receive_nowait()
        except triomq.WrongThreadError as exc:
            if os.getpid() != parent:
                os._exit(77 if "PUSH.send was called in a forked process" in str(exc) else 1)
            raise
        finally:
            if os.getpid() != parent:
                os._exit(2)
    assert os.waitstatus_to_exitcode(status) == 77


async def test_an_inherited_context_makes_no_socket():
    async with triomq.open_context() as ctx:
        said = in_child(lambda: repr(ctx.socket(triomq.PULL)))
    assert said.startswith("WrongThreadError: Context.socket was called in a forked process")


async def test_a_closed_socket_says_forked_too():
    async with triomq.open_context() as ctx:
        push = ctx.socket(triomq.PUSH)
        await push.aclose()
        assert "forked" in in_child(lambda: repr(push.send_nowait(b"x")))
        with pytest.raises(trio.ClosedResourceError):
            push.send_nowait(b"x")


@sees_descriptors
async def test_a_child_keeps_no_port_and_no_connection(tmp_path):
    before = open_sockets()
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        for endpoint in ("tcp://127.0.0.1:0", f"ipc://{tmp_path}/it", "ipc://*"):
            push.connect(await pull.bind(endpoint))
        with trio.fail_after(END_OF_TEST):
            await push.wait_peers(3)
            await pull.wait_peers(3)
        ours = open_sockets() - before
        assert len(ours) == 9
        assert in_child(lambda: " ".join(open_sockets() & ours)) == ""
        assert open_sockets() - before == ours


@sees_descriptors
async def test_a_child_keeps_no_attempt_to_connect():
    before = open_sockets()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(busy.getsockname())
        known = open_sockets()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(TcpTransport().connect, f"127.0.0.1:{busy.getsockname()[1]}", Options())
            await trio.testing.wait_all_tasks_blocked()
            assert len(attempt := open_sockets() - known) == 1
            assert in_child(lambda: " ".join(open_sockets() & attempt)) == ""
            nursery.cancel_scope.cancel()
        for filler in fillers:
            filler.close()
    assert open_sockets() == before


async def test_the_parent_does_not_notice_its_children(tmp_path):
    async with triomq.open_context() as ctx:
        pull, push = ctx.socket(triomq.PULL), ctx.socket(triomq.PUSH)
        for endpoint in ("tcp://127.0.0.1:0", f"ipc://{tmp_path}/it"):
            push.connect(await pull.bind(endpoint))
        with trio.fail_after(END_OF_TEST):
            await push.wait_peers(2)
            await pull.wait_peers(2)
            monitors = [pull.monitor(), push.monitor()]
            for _ in range(3):
                push.send_nowait(b"under way")
                assert "forked" in in_child(lambda: repr(push.send_nowait(b"from the child")))
                assert await pull.receive() == (b"under way",)
            for number in range(10):  # over both connections, and by a task that waits
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(pull.receive)
                    await trio.testing.wait_all_tasks_blocked()
                    in_child(lambda: "")
                    await push.send(b"%d" % number)
        for monitor in monitors:
            with pytest.raises(trio.WouldBlock):
                monitor.receive_nowait()
        assert os.listdir(tmp_path) == ["it"]


async def test_the_childs_copy_of_a_listener_leaves_the_parents_file_alone(tmp_path):
    path = f"{tmp_path}/it"
    async with await IpcTransport().listen(path, Options()) as listener:
        in_child(lambda: repr(listener.close()))
        assert os.listdir(tmp_path) == ["it"]
        client = await IpcTransport().connect(path, Options())
        client.close()
        (await listener.accept()).close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("scheme", ["tcp", "ipc"])
async def test_what_the_parent_closes_is_closed_while_somebody_has_a_copy(tmp_path, scheme):
    """A child of a C library's fork, which Python is not told of, has one."""
    transport = TcpTransport() if scheme == "tcp" else IpcTransport()
    listener = await transport.listen("127.0.0.1:0" if scheme == "tcp" else f"{tmp_path}/it", Options())
    address = listener.endpoint.partition("://")[2]
    client = await transport.connect(address, Options())
    server = await listener.accept()
    copies = [os.dup(one.fileno()) for one in (listener, client, server)]
    try:
        await server.send_all(b"the last word")
        server.close()
        with trio.fail_after(END_OF_TEST):
            assert await client.receive_some() == b"the last word"
            assert await client.receive_some() == b""
        client.close()
        listener.close()
        with pytest.raises(OSError, match=r"[Rr]efused|No such file"):
            await transport.connect(address, Options())
        async with await transport.listen(address, Options()) as again:
            client = await transport.connect(address, Options())
            (await again.accept()).close()
            client.close()
    finally:
        for copy in copies:
            os.close(copy)


async def test_a_child_of_a_worker_thread_may_open_a_context_of_its_own():
    """It is in no trio run there, as the child of a process pool is in none."""
    async with triomq.open_context() as ctx:
        pull = ctx.socket(triomq.PULL)
        endpoint = await pull.bind("tcp://127.0.0.1:0")

        async def talk() -> None:
            async with triomq.open_context() as own:
                push = own.socket(triomq.PUSH)
                push.connect(endpoint)
                await push.send(b"from the child")
                await push.aclose()

        def run() -> str:
            signal.set_wakeup_fd(-1)  # the parent's; this thread is the child's main thread
            trio.run(talk)
            return "done"

        with trio.fail_after(END_OF_TEST):
            assert await trio.to_thread.run_sync(in_child, run) == "done"
            assert await pull.receive() == (b"from the child",)
