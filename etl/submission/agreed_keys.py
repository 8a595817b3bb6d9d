"""Keys that are agreed with a receiver: files of var/keys by its name, brought by hand, never made here."""

from pathlib import Path

from connectors.exchange_crypto import read_sm4_keys, sign_sm2
from connectors.settings import Settings
from schemas.refusal import Refusal


def sm4_keys(settings: Settings, receiver: str) -> tuple[bytes, ...]:
    """Read the key that encrypts contents, and earlier ones: `exchange_<receiver>.sm4`.

    Raises:
        Refusal: there is none, or it is no key.
    """
    return read_sm4_keys(_path(settings, receiver, "sm4"))


def signature_of(settings: Settings, receiver: str, content: bytes) -> bytes:
    """Sign a file with our key: `exchange_<receiver>.sm2.pem`.

    Raises:
        Refusal: the key cannot be used, or this machine has no OpenSSL.
    """
    return sign_sm2(_path(settings, receiver, "sm2.pem"), content)


def password(settings: Settings, receiver: str) -> str:
    """Read the password of the envelope: `exchange_<receiver>.password`.

    Raises:
        Refusal: there is none.
    """
    path = _path(settings, receiver, "password")
    try:
        return settings.secret(path.name)
    except (OSError, ValueError) as error:
        raise Refusal(
            "exchange_key_unusable",
            found=f"keys/{path.name}: {type(error).__name__}",
            expected="the password that was agreed with the receiver",
            to_do="put it there, readable by us alone",
        ) from None


def _path(settings: Settings, receiver: str, kind: str) -> Path:
    return settings.keys / f"exchange_{receiver}.{kind}"
