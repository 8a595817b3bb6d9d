"""Webhook: a signed POST, whose answer decides whether it was taken."""

import hashlib
import hmac
import http.client
import json
import ssl
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.notice_channel import SECONDS, BrokeOff, NotTaken
from schemas.notice import Notice

# Answers of a go-between that does not know what became of the request.
UNKNOWN_OUTCOME = {502, 504}


@dataclass(frozen=True)
class WebhookChannel:
    """A server that takes a POST with JSON, signed with a secret that both sides know."""

    url: str
    secret: str
    certificates: str | None = None
    code: str = "webhook"

    def tell(self, notice: Notice) -> None:
        """Post the notice; redirections are not followed."""
        body = json.dumps(notice.as_json(), ensure_ascii=False, sort_keys=True).encode()
        with ExitStack() as ending:
            # Until the first byte has left, whatever fails was certainly not taken.
            try:
                connection = ending.enter_context(closing(self._connection()))
                self._prepare(connection, notice, body)
                connection.connect()
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise NotTaken(type(error).__name__) from None
            try:
                connection.endheaders(body)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                raise BrokeOff(type(error).__name__) from None
        if status in UNKNOWN_OUTCOME:
            raise BrokeOff(f"http_{status}")
        if not 200 <= status < 300:
            raise NotTaken(f"http_{status}")

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = str(parts.hostname)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.certificates)
            return http.client.HTTPSConnection(host, parts.port, timeout=SECONDS, context=context)
        return http.client.HTTPConnection(host, parts.port, timeout=SECONDS)

    def _prepare(self, connection: http.client.HTTPConnection, notice: Notice, body: bytes) -> None:
        parts = urlsplit(self.url)
        path = parts.path or "/"
        connection.putrequest("POST", f"{path}?{parts.query}" if parts.query else path)
        for name, value in self._headers(notice, body).items():
            connection.putheader(name, value)

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        at = str(int(time.time()))
        return {
            "Content-Length": str(len(body)),
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": notice.event_id,
            "X-Padis-Timestamp": at,
            "X-Padis-Signature": signature_of(self.secret, at, body),
        }


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """Sign what a webhook is sent: HMAC-SHA-256 of the timestamp, a dot and the body."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
