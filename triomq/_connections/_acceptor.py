"""The bound side of an endpoint: accept, and give each connection a task of its own."""

from __future__ import annotations

import errno
from collections.abc import Callable

import trio

from .. import _security, zmtp
from .._errors import DeniedError, MechanismMismatchError, cancellation_alone
from .._events import AcceptFailed, Connected, HandshakeFailed, ListeningStopped
from .._transports import Listener, NonblockingStream
from ._beginning import begin_session
from ._carrier import Binding, PeerHost
from ._crowd import Crowd, origin_of
from ._handshake import HungUpError
from ._session import Session
from ._timers import SHORTAGE_WAIT

_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_FAILURES_AT_ONCE = 100  # attempts to accept that may fail in a row without a wait between them


class Acceptor(Binding):
    """Accepts the peers of one bound endpoint, from when it is made until it is closed.

    Every handshake runs in the connection's own task under a deadline, so a silent client keeps nobody waiting. Above
    ``max_handshakes`` unfinished ones, ``max_waiting`` that wait for a place, or ``max_peers`` connections to this
    endpoint or to all of the context, one that is no peer yet makes way for the newcomer (`Crowd`). So memory stays
    bounded, the peers that are there are served, and nobody is kept out by others who never become peers. A connection
    from a place that ``accept_from`` does not name is closed before anything is written, and takes nobody's place.

    A libzmq that wants another mechanism hangs up before it has named its own, and does not come again by itself. So
    the next peer from a place where one hung up in the greeting is greeted in two pieces, which costs that one a round
    trip, and then both sides can name what the other wants.

    Args:
      new_protocol: makes the protocol state of each connection; its second argument is True, as this side accepts.
    """

    def __init__(
        self,
        listener: Listener,
        endpoint: str,
        host: PeerHost,
        new_protocol: Callable[[PeerHost, bool], zmtp.WireProtocol],
    ) -> None:
        self._endpoint = endpoint
        self._listener = listener
        self._host = host
        self._new_protocol = new_protocol
        self._doubted: str | None = None  # where the next peer gets its greeting in two pieces
        self._sessions: dict[Session, None] = {}
        self._crowd: Crowd[Session] = Crowd()
        self._failures = 0  # attempts to accept that failed, since one succeeded
        self._listening = True
        places = host.options.accept_from
        self._allowed = None if places is None else _security.AllowList(places)
        self._bounds = host.runtime.bounds
        self._bounds.doors[self] = None
        self._closed = trio.Event()
        self._scope = host.tasks.start(self._run, name=f"triomq listener {endpoint}")

    @property
    def endpoint(self) -> str:
        """See `Binding`."""
        return self._endpoint

    def stop(self) -> None:
        """See `Attachment`: close the listening endpoint; connections made through it stay."""
        self._stop_listening()
        for session in self._sessions:
            session.stop_delivering()

    def stop_accepting(self) -> None:
        """See `Binding`: a connection whose handshake has begun may still become a peer."""
        self._stop_listening()

    def finish(self) -> None:
        """See `Attachment`."""
        for session in list(self._sessions):
            if session.attached:
                session.say_goodbye()

    @property
    def unfinished_handshakes(self) -> int:
        """See `Attachment`."""
        return self._crowd.greeting + self._crowd.waiting

    @property
    def finished(self) -> bool:
        """See `Attachment`."""
        return not any(session.attached for session in self._sessions)

    def close(self) -> None:
        """See `Attachment`."""
        self._stop_listening()
        for session in self._sessions:
            session.close()

    async def wait_closed(self) -> None:
        """See `Binding`."""
        await self._closed.wait()

    # --- listening ------------------------------------------------------------------------

    def _stop_listening(self) -> None:
        self._scope.cancel(reason="triomq: endpoint unbound")
        self._tell_stopped()

    def _tell_stopped(self) -> None:
        if self._listening:
            self._listening = False
            self._host.emit(ListeningStopped(endpoint=self._endpoint))
            self._leave_the_doors()

    async def _run(self) -> None:
        try:
            while True:
                try:
                    with cancellation_alone():
                        session = await begin_session(await self._listener.accept(), self._endpoint, self._new_session)
                except trio.ClosedResourceError:
                    return
                except Exception as exc:  # whatever it is, a transport's or a shortage: the next one may succeed
                    await self._accept_failed(exc)
                else:
                    self._failures = 0
                    if not self._listening:  # the endpoint was given up since this task was woken
                        await session.discard()
                        return
                    self._admit(session)
                    del session  # while this task waits, its local variables would keep a connection that has ended
        finally:
            self._tell_stopped()
            try:
                with cancellation_alone():
                    await trio.aclose_forcefully(self._listener)
            except Exception as exc:  # of a user's own transport: there is nothing to be done but to tell it
                self._host.emit(AcceptFailed(endpoint=self._endpoint, error=exc, retry_in=0.0))
            finally:
                self._closed.set()  # even if that was a cancellation point: the listener is closed all the same

    async def _accept_failed(self, error: Exception) -> None:
        self._failures += 1
        one_peer = isinstance(error, OSError) and error.errno not in _SHORTAGES
        wait = 0.0 if one_peer and self._failures <= _FAILURES_AT_ONCE else SHORTAGE_WAIT
        self._host.emit(AcceptFailed(endpoint=self._endpoint, error=error, retry_in=wait))
        await trio.sleep(wait)

    # --- connections ----------------------------------------------------------------------

    def _new_session(self, stream: NonblockingStream) -> Session:
        protocol = self._new_protocol(self._host, True)
        session = Session(stream, protocol, self._host, self._endpoint, accepted=True)
        if self._doubted is not None and origin_of(session.address) == self._doubted:
            self._doubted = None
            protocol.greet_in_pieces()
        return session

    def _admit(self, session: Session) -> None:
        """Serve a new connection, if need be in place of one that is no peer yet."""
        options, crowd = self._host.options, self._crowd
        if self._allowed is not None and not self._allowed.allows(session.address, session.process):
            where = f"accept_from={options.accept_from} does not name where the peer comes from"
            self._refuse(session, DeniedError(f"{where}: connection closed"))
            return
        now = trio.current_time()
        if len(self._sessions) >= options.max_peers:
            if not self.give_up_one(self._reached("max_peers")):
                self._refuse(session, self._reached("max_peers"))
                return
        elif crowd.greeting >= options.max_handshakes:
            self._dismiss(crowd.who_makes_way(now), self._reached("max_handshakes"))
        if not self._bounds.let_in(self):
            self._refuse(session, self._bounds.reached())
            return
        self._sessions[session] = None
        self._bounds.connections += 1
        crowd.arrived(session, session.address, now)
        session.progress = self._note_progress
        session.scope = self._host.tasks.start(self._serve, session, name=f"triomq session {session.address}")

    def give_up_one(self, why: ConnectionError) -> bool:
        """See `Door`."""
        other = self._crowd.who_makes_way(trio.current_time()) or self._crowd.who_waits_no_longer()
        if other is not None:
            self._dismiss(other, why)
        return other is not None

    def _refuse(self, session: Session, error: Exception) -> None:
        self._host.emit(HandshakeFailed(endpoint=self._endpoint, address=session.address, error=error))
        self._host.tasks.start(session.discard, name=f"triomq closing {session.address}")

    def _dismiss(self, session: Session | None, why: ConnectionError) -> None:
        """Let a connection that is no peer yet make way."""
        assert session is not None
        self._forget(session)
        session.close(why)

    def _forget(self, session: Session) -> None:
        self._crowd.left(session)
        if self._sessions.pop(session, self) is None:
            self._bounds.connections -= 1
        self._leave_the_doors()

    def _leave_the_doors(self) -> None:
        """Be no door any more, if nobody comes in here and nobody is here to make way."""
        if not self._listening and not self._sessions:
            self._bounds.doors.pop(self, None)

    def _reached(self, limit: str) -> ConnectionError:
        return ConnectionError(f"{limit}={getattr(self._host.options, limit)} reached: connection closed")

    def _note_progress(self, session: Session) -> None:
        """A session that is no peer yet has heard something, has to wait for its place, or is a peer now."""
        crowd = self._crowd
        if session not in self._sessions:
            return
        if session.established:
            crowd.left(session)
        elif session.waits_as is None:
            crowd.heard(session, trio.current_time())
        else:
            crowd.waits(session, session.address, session.waits_as, trio.current_time())
            if crowd.waiting > self._host.options.max_waiting:
                self._dismiss(crowd.who_waits_no_longer(), self._reached("max_waiting"))

    async def _serve(self, session: Session) -> None:
        self._host.emit(Connected(endpoint=self._endpoint, address=session.address))
        try:
            await session.run()
        finally:
            self._forget(session)
            self._note_hang_up(session)
            session.tell_end()

    def _note_hang_up(self, session: Session) -> None:
        """Take it for a refusal if the peer hung up without a word where some refuse so: this side does not retry."""
        error = session.error
        if isinstance(error, (HungUpError, MechanismMismatchError)) and not session.greeted:
            self._doubted = origin_of(session.address)
        if isinstance(error, HungUpError) and error.why:
            session.error = error.as_refusal()
