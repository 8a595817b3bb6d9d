"""A wire that can be cut: a TCP relay that ends both sides after so many bytes, either way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BLOCK = 4096


@dataclass
class CutWire:
    """`port` is where to connect; the counters tell how many bytes the first connection took, each way."""

    port: int
    to_server: int = 0
    to_client: int = 0
    ends: list[socket.socket] = field(default_factory=list)
    is_held: bool = False

    def hold(self) -> None:
        """Let nothing more arrive at either side, without ending the connection."""
        self.is_held = True

    def cut(self) -> None:
        """End all connections at once."""
        _end(*self.ends)


@contextmanager
def cut_wire(
    to_port: int, *, to_server: int | None = None, to_client: int | None = None, is_mended: bool = True
) -> Iterator[CutWire]:
    """Relay to a port on loopback; a connection ends when that many bytes went one of the ways.

    The first one does; the next ones too, if it is not mended.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = CutWire(port=listener.getsockname()[1])
        limits = (to_server, to_client)
        relay = threading.Thread(target=_accept, args=(listener, to_port, wire, limits, is_mended))
        relay.start()
        try:
            yield wire
        finally:
            _end(listener)
            wire.cut()
            relay.join(timeout=30)
            for end in wire.ends:
                end.close()


def _accept(
    listener: socket.socket,
    to_port: int,
    wire: CutWire,
    limits: tuple[int | None, int | None],
    is_mended: bool,
) -> None:
    pumps: list[threading.Thread] = []
    counts = wire
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", to_port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire.ends += [client, server]
            to_server, to_client = limits
            ways = ((client, server, "to_server", to_server), (server, client, "to_client", to_client))
            pumps += [threading.Thread(target=_pump, args=(wire, counts, *way)) for way in ways]
            for pump in pumps[-2:]:
                pump.start()
            counts = CutWire(wire.port)
            limits = (None, None) if is_mended else limits
    for pump in pumps:
        pump.join()


def _pump(
    wire: CutWire, counts: CutWire, source: socket.socket, sink: socket.socket, way: str, most: int | None
) -> None:
    with suppress(OSError):
        while block := source.recv(BLOCK):
            if wire.is_held:
                continue
            passed = getattr(counts, way)
            whole = most is None or passed + len(block) <= most
            piece = block if whole else block[: (most or 0) - passed]
            setattr(counts, way, passed + len(piece))
            sink.sendall(piece)
            if not whole:
                break
    _end(source, sink)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
