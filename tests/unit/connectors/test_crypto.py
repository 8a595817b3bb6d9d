"""Sealed bytes open only here, only unchanged, only in their own context."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.crypto import keyed_digest, make_keys, seal, unseal
from connectors.secret import write_secret
from connectors.settings import Settings
from schemas.refusal import Refusal


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", "中文".encode() * 1000])
def test_what_was_sealed_opens_in_the_same_context(settings: Settings, content: bytes) -> None:
    assert unseal(settings, seal(settings, content, b"batch 1"), b"batch 1") == content


def test_sealed_bytes_do_not_show_the_content_and_differ_each_time(settings: Settings) -> None:
    first, second = (seal(settings, b"personal value", b"batch 1") for _ in range(2))
    assert first != second
    assert b"personal" not in first + second


def test_sealed_bytes_moved_to_another_batch_do_not_open(settings: Settings) -> None:
    with pytest.raises(Refusal, match="unsealing_failed"):
        unseal(settings, seal(settings, b"content", b"batch 1"), b"batch 2")


def test_any_changed_byte_is_noticed(settings: Settings) -> None:
    sealed = seal(settings, b"content", b"batch 1")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Refusal, match="unsealing_failed"):
            unseal(settings, bytes(changed), b"batch 1")
    for length in range(len(sealed)):
        with pytest.raises(Refusal, match="unsealing_failed"):
            unseal(settings, sealed[:length], b"batch 1")


def test_another_installation_cannot_open_it(settings: Settings, tmp_path: Path) -> None:
    other = Settings(var=tmp_path / "other")
    make_keys(other)
    with pytest.raises(Refusal, match="unsealing_failed"):
        unseal(other, seal(settings, b"content", b""), b"")


def test_a_lost_key_is_reported_and_not_made_anew_to_open_old_bytes(settings: Settings) -> None:
    sealed = seal(settings, b"content", b"")
    (settings.keys / "sealing.key").unlink()
    with pytest.raises(Refusal, match="key_unusable"):
        unseal(settings, sealed, b"")


def test_a_key_of_wrong_length_is_refused(settings: Settings) -> None:
    write_secret(settings.keys / "sealing.key", "00ff")
    with pytest.raises(Refusal, match=r"key_unusable.*2 bytes"):
        seal(settings, b"content", b"")


def test_keys_are_ours_alone_and_kept(settings: Settings) -> None:
    make_keys(settings)
    before = {path.name: path.read_bytes() for path in settings.keys.iterdir()}
    make_keys(settings)
    assert {path.name: path.read_bytes() for path in settings.keys.iterdir()} == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in settings.keys.iterdir()} == {0o600}


def test_first_runs_at_once_agree_on_one_key(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: keyed_digest(settings, "same"), range(32)))
    assert len(digests) == 1


def test_a_keyed_digest_joins_within_one_installation_only(settings: Settings, tmp_path: Path) -> None:
    assert keyed_digest(settings, "a") == keyed_digest(settings, "a") != keyed_digest(settings, "b")
    assert keyed_digest(settings, "a") != keyed_digest(Settings(var=tmp_path / "other"), "a")
