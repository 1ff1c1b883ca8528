"""Binary star, what a pair of servers has in common: one of the two is active, and the other takes over when it dies.

bstarsrv.py and clonesrv6.py are such servers. Each tells the other its state once a second, as the guide's do. A silent
peer alone changes nothing: it takes a client's request as well, because a client comes here only when it gets no answer
there. So a cable cut between the two servers does not make both of them active.
"""

from enum import Enum

import trio

import triomq

HEARTBEAT = 1.0  # seconds
SILENCE = 2 * HEARTBEAT  # after which the peer is dead


class State(Enum):
    """Of a server, and what it tells its peer."""

    PRIMARY = b"1"  # waits for its peer
    BACKUP = b"2"  # waits for its peer
    ACTIVE = b"3"  # answers clients
    PASSIVE = b"4"  # answers nobody


# What a server in one state becomes when its peer is in another.
TRANSITIONS = {
    (State.PRIMARY, State.BACKUP): State.ACTIVE,
    (State.PRIMARY, State.ACTIVE): State.PASSIVE,
    (State.BACKUP, State.ACTIVE): State.PASSIVE,
    (State.PASSIVE, State.PRIMARY): State.ACTIVE,  # the peer is new, and knows nothing
    (State.PASSIVE, State.BACKUP): State.ACTIVE,
}
FATAL = {(State.ACTIVE, State.ACTIVE), (State.PASSIVE, State.PASSIVE)}
TAKES_OVER = {State.PRIMARY, State.PASSIVE}  # when a client asks and the peer is silent


class SplitBrainError(Exception):
    """Both servers are active, or both are passive. Start both again: then the primary is active."""


class BinaryStar:
    """One of the two. Start ``run`` as a task."""

    def __init__(self, *, primary: bool) -> None:
        self.state = State.PRIMARY if primary else State.BACKUP
        self._peer_expires = trio.current_time() + SILENCE
        self._changed = trio.Event()

    def accept(self) -> bool:
        """A client's request has come. Returns: whether to answer it."""
        if self.state in TAKES_OVER and trio.current_time() >= self._peer_expires:
            self._become(State.ACTIVE)
        return self.state is State.ACTIVE

    async def wait(self, state: State) -> None:
        while self.state is not state:
            await self._changed.wait()

    async def run(self, ctx: triomq.Context, local: str, remote: str) -> None:
        """Exchange states with the peer, for ever.

        Raises:
          SplitBrainError: the two cannot be right both.
        """
        async with (
            ctx.socket(triomq.PUB) as publisher,
            ctx.socket(triomq.SUB, topics=[b""], connect_timeout=1, reconnect_interval_max=0.5) as peer,
            trio.open_nursery() as nursery,
        ):
            await publisher.bind(local)
            peer.connect(remote)
            nursery.start_soon(self._tell, publisher)
            async for message in peer:
                self._peer_expires = trio.current_time() + SILENCE
                meeting = self.state, State(bytes(message))
                if meeting in FATAL:
                    raise SplitBrainError(f"this server and its peer are both {self.state.name}")
                self._become(TRANSITIONS.get(meeting, self.state))

    async def _tell(self, publisher: triomq.PUB) -> None:
        while True:
            await publisher.send(self.state.value)
            await trio.sleep(HEARTBEAT)

    def _become(self, state: State) -> None:
        if state is not self.state:
            print(f"{self.state.name} becomes {state.name}", flush=True)
            self.state = state
            self._changed.set()
            self._changed = trio.Event()
