"""Webhook: a signed POST, whose answer decides whether it was taken."""

import hashlib
import hmac
import http.client
import json
import ssl
import time
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
        parts = urlsplit(self.url)
        connection = self._connection()
        try:
            try:
                connection.connect()
            except (OSError, http.client.HTTPException) as error:
                raise NotTaken(type(error).__name__) from None
            try:
                path = parts.path or "/"
                target = f"{path}?{parts.query}" if parts.query else path
                connection.request("POST", target, body, self._headers(notice, body))
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                raise BrokeOff(type(error).__name__) from None
        finally:
            connection.close()
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

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        at = str(int(time.time()))
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": notice.event_id,
            "X-Padis-Timestamp": at,
            "X-Padis-Signature": signature_of(self.secret, at, body),
        }


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """Sign what a webhook is sent: HMAC-SHA-256 of the timestamp, a dot and the body."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
