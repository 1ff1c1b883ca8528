"""Keep-alive of idle connections, and windows that are shut: probes, and whose end they find."""

from __future__ import annotations

import pytest
import trio

import triomq
from triomq.testing import VirtualNetwork
from triomq.testing._network import VirtualIpc

# --- keep-alive -----------------------------------------------------------------------------

KEEP = {"tcp_keepalive": True, "tcp_keepalive_idle": 5, "tcp_keepalive_interval": 2, "tcp_keepalive_count": 3}


async def test_keepalive_finds_a_peer_that_is_gone(net: VirtualNetwork, connect) -> None:
    near, far = await connect(**KEEP)
    start = trio.current_time()
    await trio.sleep(12)  # the peer answers at 5 and 10
    net.crash("b")
    with pytest.raises(trio.BrokenResourceError, match="keep-alive"):
        await near.receive_some()
    assert trio.current_time() - start == pytest.approx(21.0, abs=0.1)  # 15, 17, 19, and two seconds more
    far.close()


async def test_keepalive_asks_nothing_while_something_is_sent_again(net: VirtualNetwork, connect) -> None:
    near, _ = await connect(**KEEP)
    net.partition("a", "b")
    near.send_nowait([b"x"])
    with pytest.raises(trio.BrokenResourceError, match="no answer"):
        await near.receive_some()
    assert trio.current_time() == pytest.approx(924.6, abs=0.1)


async def test_keepalive_of_a_lively_connection_asks_nothing(net: VirtualNetwork, connect) -> None:
    near, far = await connect(**KEEP)
    for _ in range(20):
        near.send_nowait([b"x"])
        await far.receive_some()
        await trio.sleep(3)
    assert not net.recorder.of_kind("probe sent")


async def test_ipc_has_no_keepalive(net: VirtualNetwork) -> None:
    ipc = VirtualIpc(net._fabric, net._fabric.host("a"))
    await ipc.listen("/there", triomq.Options(**KEEP))
    await ipc.connect("/there", triomq.Options(**KEEP))
    await trio.sleep(100)
    assert not net.recorder.of_kind("probe sent")


async def test_keepalive_that_is_not_asked_for_is_off(net: VirtualNetwork, connect) -> None:
    near, _ = await connect()
    net.crash("b")
    with trio.move_on_after(10_000) as scope:
        await near.receive_some()
    assert scope.cancelled_caught


# --- a shut window --------------------------------------------------------------------------


async def fill(stream) -> int:
    total = 0
    while taken := stream.send_nowait([bytes(65536)]):
        total += taken
    return total


async def test_a_sender_that_missed_the_word_of_room_asks(net: VirtualNetwork, connect) -> None:
    near, far = await connect()
    await fill(near)
    await trio.sleep(5)
    net.partition("a", "b")
    far.receive_nowait(65536)
    net.heal()
    await trio.sleep(1)
    assert not near.send_nowait([b"x"])
    await trio.sleep(1)  # it asks at 6.5
    assert near.send_nowait([b"x"])


async def test_what_a_closed_stream_could_not_send_is_given_up(net: VirtualNetwork, connect) -> None:
    """Its peer lives, and reads too late."""
    near, far = await connect()
    await fill(near)
    near.close()
    await trio.sleep(400)
    with pytest.raises(trio.BrokenResourceError, match="reset"):
        while await far.receive_some():
            pass


async def test_probes_wait_while_something_is_sent_again(net: VirtualNetwork, connect) -> None:
    near, _ = await connect()
    net.partition("a", "b")
    await fill(near)
    await trio.sleep(100)
    assert not net.recorder.of_kind("probe sent")
    assert net.recorder.of_kind("tried again")
