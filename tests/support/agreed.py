"""A receiver that wants XML, encrypted and signed: its profile, and keys agreed with the gateway."""

import base64
import subprocess
from pathlib import Path

import pytest

import schemas.padis_profile_file
from connectors.secret import write_secret
from connectors.settings import Settings
from sandbox.partners.agreement import PASSWORD, SIGNER, SM4_KEY
from sandbox.partners.keys import partner_root

PROFILES = Path(__file__).resolve().parent.parent / "data" / "padis"
KEY = "0123456789abcdeffedcba9876543210"
PASSWORD_AGREED = "pw-2026&<1>"


def take_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the folder of receiver profiles be that of the tests: another file, no other code."""
    monkeypatch.setattr(schemas.padis_profile_file, "PROFILES", PROFILES)


def agree(settings: Settings) -> Path:
    """Bring the agreed keys to both sides; give the folder in which the receiver keeps its own."""
    theirs = partner_root(settings, "padis") / "agreement"
    theirs.mkdir(parents=True)
    pair = make_sm2_pair(settings.keys / "exchange_national.sm2.pem")
    (theirs / SIGNER).write_bytes(pair)
    write_secret(settings.keys / "exchange_national.sm4", KEY)
    (theirs / SM4_KEY).write_text(KEY, encoding="ascii")
    (settings.keys / "exchange_national.password").write_text(PASSWORD_AGREED, encoding="ascii")
    (theirs / PASSWORD).write_text(PASSWORD_AGREED, encoding="ascii")
    return theirs


def make_sm2_pair(private: Path) -> bytes:
    """Make a private key in a file, and give the public one in PEM."""
    make = [
        "openssl",
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:sm2",
        "-out",
        str(private),
    ]
    subprocess.run(make, check=True, capture_output=True)
    show = ["openssl", "pkey", "-in", str(private), "-pubout"]
    return subprocess.run(show, check=True, capture_output=True).stdout


def point_of(public_pem: bytes) -> tuple[int, int]:
    """Read the point of a public key: the last 64 bytes of its DER."""
    body = b"".join(public_pem.strip().splitlines()[1:-1])
    point = base64.b64decode(body)[-64:]
    return int.from_bytes(point[:32]), int.from_bytes(point[32:])
