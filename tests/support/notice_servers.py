"""Receivers of notices: a small real SMTP server and a small real web server, which fail on demand."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class MailServer:
    """What it took, whole; `breaks` names the moment at which it hangs up, `refuses` the verb it refuses.

    With `greets_with_login` it offers to take a name and a password.
    """

    port: int = 0
    taken: list[bytes] = field(default_factory=list)
    breaks: str | None = None
    refuses: str | None = None
    greets_with_login: bool = False

    def serve(self, wire: socket.socket) -> None:
        """Talk SMTP on one connection."""
        file = wire.makefile("rb")
        wire.sendall(b"220 test\r\n")
        while line := file.readline():
            verb = line.split(b" ")[0].strip().decode().upper().split(":")[0]
            if self.breaks == verb:
                return
            if self.refuses == verb:
                wire.sendall(b"550 no\r\n")
            elif verb == "EHLO" and self.greets_with_login:
                wire.sendall(b"250-test\r\n250 AUTH PLAIN LOGIN\r\n")
            elif verb == "DATA":
                wire.sendall(b"354 go on\r\n")
                lines = []
                while (text := file.readline()) not in (b".\r\n", b""):
                    lines.append(text[1:] if text.startswith(b".") else text)
                if not text or self.breaks == "before taking":
                    return
                self.taken.append(b"".join(lines))
                if self.breaks == "after taking":
                    return
                wire.sendall(b"250 taken\r\n")
            else:
                wire.sendall(b"250 ok\r\n")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Serve mail on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = MailServer(listener.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    wire, _ = listener.accept()
                    with wire, suppress(OSError):
                        server.serve(wire)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(timeout=10)


@dataclass
class WebServer:
    """What was posted, with its headers; answers `status`, or hangs up when it is 0."""

    port: int = 0
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200


@contextmanager
def web_server(certificate: str | None = None) -> Iterator[WebServer]:
    """Serve a webhook on loopback, with TLS if a certificate file is given."""
    web = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.taken.append((dict(self.headers), body))
            if web.status:
                self.send_response(web.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
