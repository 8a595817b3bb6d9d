"""Sealing bytes that rest in the registry, and keyed digests for joins outside the personal zones."""

import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.secret import write_secret
from connectors.settings import Settings
from schemas.refusal import Refusal

SEALING_KEY = "sealing.key"
DIGEST_KEY = "digest.key"

KEY_BYTES = 32
NONCE_BYTES = 12
# Says how the bytes were sealed, so that a later way (SM4) can stand beside this one.
HEADER = b"PADIS\x01"


def make_keys(settings: Settings) -> None:
    """Make the keys of this installation where they are missing; an existing key is never replaced."""
    for name in (SEALING_KEY, DIGEST_KEY):
        write_secret(settings.keys / name, secrets.token_hex(KEY_BYTES))


def seal(settings: Settings, content: bytes, context: bytes) -> bytes:
    """Encrypt content with AES-256-GCM; it opens only with the same key and the same context.

    `context` names what the bytes belong to (a batch id, say): sealed bytes moved to another row
    do not open there. Sealing twice gives different bytes, since every nonce is random.
    """
    make_keys(settings)
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_key(settings, SEALING_KEY)).encrypt(nonce, content, HEADER + context)
    return HEADER + nonce + sealed


def unseal(settings: Settings, sealed: bytes, context: bytes) -> bytes:
    """Decrypt what `seal` made in the same context.

    Raises:
        Refusal: the bytes were changed, belong to another context or key, or the key is missing.
    """
    key = _key(settings, SEALING_KEY)
    nonce, content = sealed[len(HEADER) :][:NONCE_BYTES], sealed[len(HEADER) + NONCE_BYTES :]
    try:
        if not sealed.startswith(HEADER) or len(nonce) < NONCE_BYTES:
            raise InvalidTag
        return AESGCM(key).decrypt(nonce, content, HEADER + context)
    except InvalidTag:
        raise Refusal(
            "unsealing_failed",
            found=f"{len(sealed)} sealed bytes that do not open with keys/{SEALING_KEY} in this context",
            expected="bytes sealed by this installation for the same context, unchanged",
            to_do="restore the key or the row from backup; do not build the content anew",
        ) from None


def keyed_digest(settings: Settings, value: str) -> str:
    """Compute the HMAC-SHA256 of a value as 64 hex characters, for joins outside the personal zones.

    Without the key nobody can try out all ID numbers until one fits.
    """
    return keyed_digests(settings, [value])[0]


def keyed_digests(settings: Settings, values: Iterable[str]) -> list[str]:
    """Compute the keyed digest of each value; the key is read once."""
    make_keys(settings)
    key = _key(settings, DIGEST_KEY)
    return [hmac.digest(key, value.encode("utf-8"), "sha256").hex() for value in values]


def _key(settings: Settings, name: str) -> bytes:
    path: Path = settings.keys / name
    try:
        key = bytes.fromhex(settings.secret(name))
    except (OSError, ValueError) as error:
        raise _key_refusal(path, type(error).__name__) from None
    if len(key) != KEY_BYTES:
        raise _key_refusal(path, f"{len(key)} bytes")
    return key


def _key_refusal(path: Path, what: str) -> Refusal:
    return Refusal(
        "key_unusable",
        found=f"keys/{path.name}: {what}",
        expected=f"{KEY_BYTES} bytes in hex, readable by us alone",
        to_do="restore var/keys from backup; `padis init` makes missing keys, but opens nothing old",
    )
