"""What may be agreed with a receiver to protect a file: SM3 digest, SM4 encryption, SM2 signature.

SM3 and SM4 are those of `cryptography`, SM2 that of the OpenSSL of the machine (docs/decisions/0039). A key
of ours is a file of var/keys that is agreed with the receiver and never made here.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from schemas.refusal import Refusal

SM4_KEY_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16
# The identity that GM/T 0009 gives to whoever signs and has agreed on no other.
SIGNER = "1234567812345678"
LONGEST_RUN = 60


def sm3_digest(content: bytes) -> str:
    """Compute the SM3 digest (GB/T 32905) as 64 hexadecimal digits."""
    if "sm3" in hashlib.algorithms_available:
        return hashlib.new("sm3", content).hexdigest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(content)
    return digest.finalize().hex()


def encrypt_sm4(key: bytes, content: bytes, context: bytes) -> bytes:
    """Encrypt with SM4-GCM (GB/T 32907, RFC 8998): nonce, content, tag; it opens in the same context only."""
    nonce = os.urandom(NONCE_BYTES)
    encryptor = Cipher(SM4(key), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(context)
    return nonce + encryptor.update(content) + encryptor.finalize() + encryptor.tag


def decrypt_sm4(keys: Iterable[bytes], encrypted: bytes, context: bytes) -> bytes:
    """Decrypt what `encrypt_sm4` made in the same context with one of the keys.

    Raises:
        Refusal: the bytes were changed, cut, or belong to another key or context.
    """
    nonce, tag = encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:][-TAG_BYTES:]
    for key in keys if len(encrypted) >= NONCE_BYTES + TAG_BYTES else ():
        decryptor = Cipher(SM4(key), GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(context)
        with suppress(InvalidTag):
            return decryptor.update(encrypted[NONCE_BYTES:-TAG_BYTES]) + decryptor.finalize()
    raise Refusal(
        "decryption_failed",
        found=f"{len(encrypted)} bytes that open with no agreed SM4 key in this place",
        expected="what was encrypted with such a key for this place, unchanged",
        to_do="compare the key with the other side's; nothing of the file was used",
    )


def read_sm4_keys(path: Path) -> tuple[bytes, ...]:
    """Read SM4 keys, 32 hexadecimal digits a line: the one in use, then earlier ones that open old files.

    Raises:
        Refusal: there is none, or a line is no key.
    """
    try:
        keys = tuple(bytes.fromhex(line) for line in path.read_text(encoding="ascii").split())
    except (OSError, ValueError) as error:
        raise _unusable(path, type(error).__name__, "32 hexadecimal digits a line") from None
    if not keys or any(len(key) != SM4_KEY_BYTES for key in keys):
        raise _unusable(path, f"{len(keys)} lines, not all of {SM4_KEY_BYTES} bytes", "32 hexadecimal digits")
    return keys


def sign_sm2(key: Path, content: bytes) -> bytes:
    """Sign with an SM2 private key in a PEM file (GB/T 32918.2 over SM3): r and s as DER (GM/T 0009).

    Signing twice gives two signatures: one is made of a file, and kept.

    Raises:
        Refusal: the key cannot be used, or this machine has no OpenSSL.
    """
    if not key.is_file():
        raise _unusable(key, "no such file", "an SM2 private key in PEM")
    made = _openssl("-sign", str(key), content=content)
    if made.returncode != 0:
        raise _unusable(key, "OpenSSL cannot sign with it", "an SM2 private key in PEM")
    return made.stdout


def is_signed_by(public_key: Path, content: bytes, signature: bytes) -> bool:
    """Tell whether a signature is one of the content, by the holder of a public key in a PEM file.

    Raises:
        Refusal: this machine has no OpenSSL.
    """
    # OpenSSL passes over what follows the DER, so that one signature would have many forms.
    if len(signature) < 2 or len(signature) != 2 + signature[1]:
        return False
    with tempfile.NamedTemporaryFile() as file:
        file.write(signature)
        file.flush()
        checked = _openssl("-verify", str(public_key), "-signature", file.name, content=content)
    return checked.returncode == 0


def _openssl(*arguments: str, content: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run OpenSSL's digest command; keys go by their path, content by its standard input."""
    program = shutil.which("openssl")
    if program is None:
        raise Refusal(
            "openssl_missing",
            found="no openssl on PATH",
            expected="OpenSSL 3, which signs with SM2",
            to_do="apt-get install openssl, or agree with the receiver on files without a signature",
        )
    command = [program, "dgst", "-sm3", "-sigopt", f"distid:{SIGNER}", *arguments]
    return subprocess.run(command, input=content, capture_output=True, timeout=LONGEST_RUN, check=False)


def _unusable(path: Path, found: str, expected: str) -> Refusal:
    return Refusal(
        "exchange_key_unusable",
        found=f"keys/{path.name}: {found}",
        expected=f"{expected}, as agreed with the receiver",
        to_do="put the agreed key there, readable by us alone; it is not made here",
    )
