"""SM3, SM4 and SM2 give what the standards print, and open or hold for nothing else."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from connectors import exchange_crypto
from connectors.exchange_crypto import (
    decrypt_sm4,
    encrypt_sm4,
    is_signed_by,
    read_sm4_keys,
    sign_sm2,
    sm3_digest,
)
from schemas.refusal import Refusal
from tests.support.agreed import make_sm2_pair, point_of
from tests.support.slow_sm2 import der_of, does_signature_hold

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
SIGNER = b"1234567812345678"


@pytest.mark.parametrize(
    ("content", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_digests_as_gb_t_32905_prints_them(
    monkeypatch: pytest.MonkeyPatch, content: bytes, digest: str
) -> None:
    assert sm3_digest(content) == digest
    monkeypatch.setattr(exchange_crypto.hashlib, "algorithms_available", set())
    assert sm3_digest(content) == digest


def test_sm4_encrypts_a_block_as_gb_t_32907_prints_it() -> None:
    encryptor = Cipher(SM4(KEY), ECB()).encryptor()  # noqa: S305 - the standard prints one block
    assert encryptor.update(KEY).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_encrypts_as_rfc_8998_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    nonce = bytes.fromhex("00001234567800000000abcd")
    monkeypatch.setattr(exchange_crypto.os, "urandom", lambda _: nonce)
    content = b"".join(bytes([byte] * 8) for byte in bytes.fromhex("aabbccddeeffeeaa"))
    context = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    encrypted = encrypt_sm4(KEY, content, context)
    assert encrypted.removeprefix(nonce).hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert decrypt_sm4([KEY], encrypted, context) == content
    assert decrypt_sm4([bytes(16), KEY], encrypted, context) == content, "an earlier key"


@pytest.mark.parametrize("length", [0, 5, 27, 28, 40])
def test_what_was_changed_cut_or_moved_does_not_open(length: int) -> None:
    encrypted = encrypt_sm4(KEY, b"0123456789abcdef", b"here")
    spoilt = [
        ([KEY], encrypted[:length], b"here"),
        ([KEY], encrypted, b"there"),
        ([bytes(16)], encrypted, b"here"),
        ([KEY], encrypted[:20] + bytes([encrypted[20] ^ 1]) + encrypted[21:], b"here"),
    ]
    for arguments in spoilt:
        with pytest.raises(Refusal, match="decryption_failed"):
            decrypt_sm4(*arguments)


# GB/T 32918.5, annex A.2: a public key and the signature of `message digest`.
PUBLIC = (
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
SIGNATURE = der_of(
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)
PRINTED = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAECfnfMR5UIaFQ3X0WHkvFxnIXn60Y
M/wHa7CP81bzUCDM6kkM4md1pS3G6nGMwapgCu0F+/NeCEpmMvYHLamtEw==
-----END PUBLIC KEY-----
"""


def test_the_signature_that_gb_t_32918_prints_holds_for_its_message_only(tmp_path: Path) -> None:
    public = tmp_path / "public.pem"
    public.write_text(PRINTED, encoding="ascii")
    assert point_of(PRINTED.encode()) == PUBLIC
    assert is_signed_by(public, b"message digest", SIGNATURE)
    assert does_signature_hold(PUBLIC, SIGNER, b"message digest", SIGNATURE)
    assert not is_signed_by(public, b"message digesT", SIGNATURE)
    assert not does_signature_hold(PUBLIC, SIGNER, b"message digesT", SIGNATURE)


def test_our_signatures_hold_by_the_slow_reference_and_for_one_key_only(tmp_path: Path) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    public.write_bytes(make_sm2_pair(private))
    other = point_of(make_sm2_pair(tmp_path / "other.pem"))
    for content in (b"", b"padisPackage", bytes(range(256)) * 5000):
        signature = sign_sm2(private, content)
        assert is_signed_by(public, content, signature)
        assert does_signature_hold(point_of(public.read_bytes()), SIGNER, content, signature)
        assert not does_signature_hold(other, SIGNER, content, signature)
        assert not is_signed_by(public, content + b" ", signature)


@pytest.mark.parametrize("signature", [b"", b"no signature", SIGNATURE[:-1], SIGNATURE + b"\x00"])
def test_what_is_no_signature_does_not_hold(tmp_path: Path, signature: bytes) -> None:
    public = tmp_path / "public.pem"
    public.write_text(PRINTED, encoding="ascii")
    assert not is_signed_by(public, b"message digest", signature)


def test_a_key_that_cannot_be_used_is_named_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("0123", "zz" * 16, KEY.hex() * 2, f"{KEY.hex()}\n0123"):
        (tmp_path / "bad.sm4").write_text(text, encoding="ascii")
        with pytest.raises(Refusal, match="exchange_key_unusable") as refused:
            read_sm4_keys(tmp_path / "bad.sm4")
        assert text not in str(refused.value)
    for name in ("missing.sm2.pem", "bad.sm4"):
        with pytest.raises(Refusal, match="exchange_key_unusable"):
            sign_sm2(tmp_path / name, b"content")
    make_sm2_pair(tmp_path / "good.pem")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match="openssl_missing"):
        sign_sm2(tmp_path / "good.pem", b"content")
