"""A wire that can be cut: a TCP relay that ends both sides after so many bytes, either way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BLOCK = 4096


@dataclass
class CutWire:
    """`port` is where to connect; the counters tell how many bytes went through, each way."""

    port: int
    to_server: int = 0
    to_client: int = 0
    ends: list[socket.socket] = field(default_factory=list)
    is_held: bool = False

    def hold(self) -> None:
        """Let nothing more arrive at either side, without ending the connection."""
        self.is_held = True

    def cut(self) -> None:
        """End both sides at once."""
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cut_wire(
    to_port: int, *, to_server: int | None = None, to_client: int | None = None
) -> Iterator[CutWire]:
    """Relay one connection to a port on loopback, until that many bytes went one of the ways."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        wire = CutWire(port=listener.getsockname()[1])
        relay = threading.Thread(target=_relay, args=(listener, to_port, wire, to_server, to_client))
        relay.start()
        try:
            yield wire
        finally:
            wire.cut()
            relay.join(timeout=30)
            for end in wire.ends:
                end.close()


def _relay(
    listener: socket.socket, to_port: int, wire: CutWire, to_server: int | None, to_client: int | None
) -> None:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", to_port))
    for end in (client, server):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.ends += [client, server]
    back = threading.Thread(target=_pump, args=(server, client, wire, "to_client", to_client))
    back.start()
    _pump(client, server, wire, "to_server", to_server)
    back.join()


def _pump(source: socket.socket, sink: socket.socket, wire: CutWire, way: str, most: int | None) -> None:
    with suppress(OSError):
        while block := source.recv(BLOCK):
            if wire.is_held:
                continue
            passed = getattr(wire, way)
            whole = most is None or passed + len(block) <= most
            piece = block if whole else block[: (most or 0) - passed]
            setattr(wire, way, passed + len(piece))
            sink.sendall(piece)
            if not whole:
                break
    wire.cut()
