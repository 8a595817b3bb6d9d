"""Where the packets of an SSH session end on the wire, as our side writes and reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from paramiko.packet import Packetizer

LINE_END = 2


@dataclass
class Packets:
    """Bytes after which a packet ends, each way, of the first session; the line that greets is one too."""

    to_server: list[int] = field(default_factory=lambda: [0])
    to_client: list[int] = field(default_factory=lambda: [0])
    session: Packetizer | None = None
    unread: int = 0

    def is_about(self, session: Packetizer) -> bool:
        """Tell whether this is the first session."""
        if self.session is None:
            self.session = session
        return self.session is session


@contextmanager
def packets_of_a_session() -> Iterator[Packets]:
    """Note where the packets end of the first session that is opened in this process meanwhile."""
    packets = Packets()
    write_all, read_all = Packetizer.write_all, Packetizer.read_all
    readline, read_message = Packetizer.readline, Packetizer.read_message

    def write(self: Packetizer, out: bytes) -> Any:
        if packets.is_about(self):
            packets.to_server.append(packets.to_server[-1] + len(out))
        return write_all(self, out)

    def read(self: Packetizer, *args: Any, **kwargs: Any) -> bytes:
        found: bytes = read_all(self, *args, **kwargs)
        packets.unread += len(found) * packets.is_about(self)
        return found

    def greet(self: Packetizer, timeout: float) -> str:
        line: str = readline(self, timeout)
        packets.to_client.append(packets.to_client[-1] + len(line.encode()) + LINE_END)
        return line

    def read_whole(self: Packetizer) -> Any:
        message = read_message(self)
        if packets.is_about(self):
            packets.to_client.append(packets.to_client[-1] + packets.unread)
            packets.unread = 0
        return message

    with (
        patch.object(Packetizer, "write_all", write),
        patch.object(Packetizer, "read_all", read),
        patch.object(Packetizer, "readline", greet),
        patch.object(Packetizer, "read_message", read_whole),
    ):
        yield packets
