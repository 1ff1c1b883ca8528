"""What a speaker and a listener have in common: a port in a group, and a task that reads it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import trio

from ..._errors import RemoteProtocolError
from ..._events import ConnectFailed
from ..._options import Options
from ..._transports import GroupAddress, GroupPort
from ...pgm import Outgoing, Settings
from ...zmtp import PeerInfo
from .._carrier import Binding, Connecting, PeerHost
from ._alarm import Alarm

_AT_ONCE = 64  # datagrams that are read before other tasks have their turns


def settings_of(address: GroupAddress, port: GroupPort, options: Options) -> Settings:
    """What the options mean for PGM."""
    return Settings(
        path=port.path,
        group=address.packed,
        port=address.port,
        rate=options.rate,
        recovery_interval=options.recovery_interval,
        max_tpdu=options.multicast_max_tpdu,
        encapsulation=port.encapsulation,
    )


def somebody(socket_type: str) -> PeerInfo:
    """All that can be known of a peer that makes no handshake."""
    return PeerInfo(socket_type=socket_type, routing_id=b"", metadata={}, version=(1, 0), mechanism="NULL")


class Place(Binding, Connecting):
    """A socket's place in a group."""

    def __init__(self, host: PeerHost, endpoint: str, port: GroupPort) -> None:
        self._host = host
        self._endpoint = endpoint
        self._port = port
        self._unsent: list[Outgoing] = []  # the system has not taken them
        self._failed: int | None = None  # the errno of the last call that failed
        self._closed = False
        self._alarm = Alarm(host.tasks, self._ring, name=f"triomq timers {endpoint}")
        self._reader = host.tasks.start(self._read, name=f"triomq group {endpoint}")

    @property
    def endpoint(self) -> str:
        """See `Binding`."""
        return self._endpoint

    async def wait_closed(self) -> None:
        """See `Binding`: the group is left at once."""
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """See `Attachment`."""
        self._closed = True
        self._alarm.end()
        self._reader.cancel(reason="triomq: left the group")
        self._port.close()

    # --- in ---------------------------------------------------------------------------------

    async def _read(self) -> None:
        port = self._port
        while not self._closed:
            try:
                await port.wait_readable()
            except trio.ClosedResourceError:
                return  # the port is gone, and this task is to end
            for _ in range(0 if self._closed else _AT_ONCE):
                try:
                    arrived = port.receive_nowait()
                except OSError as exc:
                    self._tell(exc)
                    continue
                if arrived is None:
                    break
                try:
                    self._hear(*arrived)
                except RemoteProtocolError as exc:
                    self._refuse(arrived[1], exc)
            self._heard()

    @abstractmethod
    def _hear(self, datagram: bytes, address: bytes) -> None:
        """Take in a datagram."""

    def _refuse(self, address: bytes, error: RemoteProtocolError) -> None:
        """What has arrived is no packet."""

    @abstractmethod
    def _heard(self) -> None:
        """Some datagrams were taken in, and no more are there now."""

    # --- out --------------------------------------------------------------------------------

    @abstractmethod
    def _ring(self) -> float:
        """Do what is due. Returns: when something is due next."""

    def _send(self, outgoing: Iterable[Outgoing]) -> bool:
        """Send datagrams, behind those that wait. Returns: False if some wait now."""
        waiting, self._unsent = [*self._unsent, *outgoing], []
        for index, one in enumerate(waiting):
            try:
                taken = self._port.send_nowait(one.data, one.to, near=one.near)
            except OSError as exc:  # lost, as on any network, and repaired like it
                self._tell(exc)
                continue
            if not taken:
                self._unsent = waiting[index:]
                return False
            self._failed = None
            self._sent(len(one.data))
        return True

    def _sent(self, size: int) -> None:
        """The system has taken a datagram."""

    def _tell(self, error: OSError) -> None:
        """Tell the monitors what the system says, once for each failure that lasts."""
        if error.errno != self._failed:
            self._failed = error.errno
            self._host.emit(ConnectFailed(endpoint=self._endpoint, error=error, retry_in=0.0))
