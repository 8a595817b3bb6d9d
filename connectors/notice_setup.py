"""Which channels an installation has: from its environment, or from Airflow's Connections."""

import logging
import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from connectors.notice_channel import Channel, LogChannel, UnusableChannel
from connectors.notice_mail import MailChannel
from connectors.notice_webhook import WebhookChannel
from connectors.settings import Settings
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)
ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def channels_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[Channel]:
    """List the channels of an installation: the log always, mail and webhook where they are configured.

    One whose address cannot be used takes nothing and holds up no other; a warning says so, without
    repeating the address.
    """
    certificates = environment.get("PADIS_NOTICE_CA") or None
    channels: list[Channel] = [LogChannel(settings.logs / "notices.jsonl")]
    if mail := environment.get("PADIS_NOTICE_MAIL"):
        channels.append(_or_unusable("mail", lambda: _mail_of(mail, certificates)))
    if webhook := environment.get("PADIS_NOTICE_WEBHOOK"):
        secret = environment.get("PADIS_NOTICE_SECRET", "")
        channels.append(_or_unusable("webhook", lambda: _webhook_of(webhook, secret, certificates)))
    return channels


def _or_unusable(code: str, channel: Callable[[], Channel]) -> Channel:
    try:
        return channel()
    except Refusal as refusal:
        LOG.warning("%s", refusal)
        return UnusableChannel(code)


def _mail_of(url: str, certificates: str | None) -> MailChannel:
    try:
        parts, asked = urlsplit(url), parse_qs(urlsplit(url).query)
        security = {"smtps": "tls", "smtp": "starttls", "smtp+plain": "plain"}[parts.scheme]
        host, (sender,) = str(parts.hostname), asked["from"]
        recipients = tuple(each for given in asked["to"] for each in given.split(",") if each)
        if not all(map(ADDRESS.fullmatch, (sender, *recipients))):
            raise ValueError
        if not (parts.hostname and recipients) or (security == "plain" and host not in LOOPBACK):
            raise ValueError
        return MailChannel(
            host=host,
            port=parts.port or {"tls": 465, "starttls": 587, "plain": 25}[security],
            sender=sender,
            recipients=recipients,
            security=security,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            certificates=certificates,
        )
    except (KeyError, ValueError):
        raise _unusable("PADIS_NOTICE_MAIL", "smtp://USER:PASSWORD@HOST:587/?from=A@B&to=C@D,E@F") from None


def _webhook_of(url: str, secret: str, certificates: str | None) -> WebhookChannel:
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        is_written = url.isascii() and url.isprintable() and " " not in url
        is_usable = is_written and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_safe = is_usable = False
    if not (is_safe and is_usable and secret):
        raise _unusable("PADIS_NOTICE_WEBHOOK", "https://HOST/PATH, and a secret in PADIS_NOTICE_SECRET")
    return WebhookChannel(url, secret, certificates)


def _unusable(name: str, expected: str) -> Refusal:
    return Refusal(
        "notice_channel_unusable",
        found=f"an address in {name} that cannot be used",
        expected=expected,
        to_do=f"correct {name}, or leave it out; plain connections go to this machine only",
    )
