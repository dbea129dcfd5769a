"""A TCP proxy in front of a test server, with a network that can be cut and restored.

It passes bytes and knows nothing of HTTP. `hold` makes it a black hole: no byte passes and no
connection is accepted, while nothing is closed or refused. `go_down` is a server that is gone:
connections are reset, and new ones refused, until `come_up` listens on the same port again.
"""

import asyncio
import select
import socket
import struct
import threading
from typing import Any, Coroutine, List, Optional, Set

BACKLOG = 128
FILLERS = 4  # connections; a queue of length 0 accepts one, and the kernel's rounding one more
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 s


class Side(asyncio.Protocol):
    """One of the two connections of a pair; data received on one is sent on the other."""

    def __init__(self, proxy: "TcpProxy") -> None:
        self._proxy = proxy
        self._full = False
        self.peer: Optional["Side"] = None
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._proxy.sides.add(self)

    def data_received(self, data: bytes) -> None:
        if self.peer:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        if self.peer and not self.peer.transport.is_closing():
            self.peer.transport.write_eof()
        return True

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self._proxy.sides.discard(self)
        if self.peer and self.peer.transport:
            self.peer.transport.close()

    def pause_writing(self) -> None:
        self._full = True
        self._adjust_peer()

    def resume_writing(self) -> None:
        self._full = False
        self._adjust_peer()

    def adjust(self) -> None:
        """Starts or stops reading, depending on the proxy and the peer."""
        if self.peer and not self._proxy.held and not self.peer._full:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE
        )
        self.transport.abort()

    def _adjust_peer(self) -> None:
        if self.peer:
            self.peer.adjust()


class TcpProxy:
    """Use it in a `with`; `url` is the URL for everyitem."""

    def __init__(self, target: str) -> None:
        host, port = target.split("//")[1].split(":")
        self._target = (host, int(port))
        self.sides: Set[Side] = set()
        self.held = False
        self._fillers: List[socket.socket] = []
        self._pairings: Set[asyncio.Task] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._address = ("127.0.0.1", 0)
        self.come_up()
        self.url = f"http://127.0.0.1:{self._address[1]}"

    def __enter__(self) -> "TcpProxy":
        return self

    def __exit__(self, *_: Any) -> None:
        self.go_down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hold(self) -> None:
        """From now on everything sent through the proxy disappears without a response."""
        self._run(self._hold())

    def release(self) -> None:
        """Delivers the data that was held back, and works normally again."""
        self._run(self._release())

    def reset_connections(self) -> None:
        """Discards the data that was held back, and resets both ends of each connection."""
        self._run(self._reset_connections())

    def go_down(self) -> None:
        self._run(self._go_down())

    def come_up(self) -> None:
        self._run(self._come_up())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _hold(self) -> None:
        self.held = True
        for side in self.sides:
            side.adjust()
        self._loop.remove_reader(self._listener)
        self._listener.listen(0)
        for _ in range(FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._address)
            self._fillers.append(filler)
        established = select.select([], self._fillers[-1:], [], 0.1)[1]
        assert not established, "there is still room for connections"

    async def _release(self) -> None:
        self.held = False
        while self._fillers:
            self._fillers.pop().close()
        self._listener.listen(BACKLOG)
        self._loop.add_reader(self._listener, self._accept)
        for side in self.sides:
            side.adjust()

    async def _reset_connections(self) -> None:
        for side in list(self.sides):
            side.reset()

    async def _go_down(self) -> None:
        self._loop.remove_reader(self._listener)
        self._listener.close()
        await self._reset_connections()

    async def _come_up(self) -> None:
        self._listener = socket.socket()
        self._listener.setblocking(False)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(self._address)
        self._address = self._listener.getsockname()
        self._listener.listen(BACKLOG)
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        pairing = self._loop.create_task(self._pair(accepted))
        self._pairings.add(pairing)  # the loop does not keep it alive
        pairing.add_done_callback(self._pairings.discard)

    async def _pair(self, accepted: socket.socket) -> None:
        client, server = Side(self), Side(self)
        # The server does not speak first, so nothing arrives before both connections exist.
        await self._loop.create_connection(lambda: server, *self._target)
        client.peer, server.peer = server, client
        await self._loop.connect_accepted_socket(lambda: client, accepted)
        for side in (client, server):
            side.adjust()
