"""Senders that are wrong: three as many write them first, and ours with one fault at a time.

Each is put in place for one process, of a sender's own.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from paramiko import SFTPClient

import etl.submission.attempt as attempt
import etl.submission.send as send
import etl.submission.uncertain as uncertain
from connectors import sftp
from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner, SftpSession, open_sftp
from etl.submission.archive import sidecar_of
from etl.submission.outbox import batches_where, open_batch, sealed_batch
from schemas.refusal import Refusal
from schemas.registry import BATCH

Patch = Callable[[], None]


def _released(settings: Settings) -> Iterator[tuple[sa.RowMapping, bytes]]:
    with registry_session(settings) as connection:
        released = batches_where(connection, BATCH.c.state == "approved")
        batches = [sealed_batch(connection, batch["batch_id"]) for batch in released]
    for batch in batches:
        yield batch, open_batch(settings, batch)


def _set_state(settings: Settings, batch_id: str, state: str) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(state=state))


def _upload(partner: SftpPartner, batch: sa.RowMapping, content: bytes) -> None:
    name, number = batch["file_name"], time.time_ns()
    with open_sftp(partner) as session:
        session.put_atomically("/inbox", f"{name}.sha256", sidecar_of(name, batch["sha256"]), number)
        session.put_atomically("/inbox", name, content, number)


def upload_then_remember(settings: Settings, partner: SftpPartner) -> None:
    """Upload, then put on record that it was sent."""
    for batch, content in _released(settings):
        _upload(partner, batch, content)
        _set_state(settings, batch["batch_id"], "sent")


def remember_then_upload(settings: Settings, partner: SftpPartner) -> None:
    """Put on record that it was sent, then upload."""
    for batch, content in _released(settings):
        _set_state(settings, batch["batch_id"], "sent")
        _upload(partner, batch, content)


def upload_under_its_name(settings: Settings, partner: SftpPartner) -> None:
    """Write straight under the name by which the receiver takes the file."""
    sftp._part_of = lambda target, attempt: target
    for batch, content in _released(settings):
        with open_sftp(partner) as session:
            sidecar = sidecar_of(batch["file_name"], batch["sha256"])
            session._write_part(session._at(f"/inbox/{batch['file_name']}.sha256"), sidecar)
            session._write_part(session._at(f"/inbox/{batch['file_name']}"), content)
        _set_state(settings, batch["batch_id"], "sent")


NAIVE: Mapping[str, Callable[[Settings, SftpPartner], None]] = {
    "uploads, then remembers": upload_then_remember,
    "remembers, then uploads": remember_then_upload,
    "uploads under the name": upload_under_its_name,
}


def _drop_the_lock() -> None:
    send.hold_lock = lambda *args, **kwargs: nullcontext()


def _overwrite() -> None:
    SFTPClient.rename = SFTPClient.posix_rename


def _mark_before_send() -> None:
    begin = send.begin_attempt

    def begin_as_sent(settings: Settings, batch_id: str, epoch: int, **how: bool) -> Any:
        begun = begin(settings, batch_id, epoch, **how)
        _set_state(settings, batch_id, "sent")
        return begun

    send.begin_attempt, send.mark_sending = begin_as_sent, lambda *args: None


def _retry_in_two_layers() -> None:
    once = send._try_once

    def twice(
        settings: Settings, profile: Any, session: SftpSession, batch_id: str, instant: datetime
    ) -> bool:
        if once(settings, profile, session, batch_id, instant):
            return True
        _set_state(settings, batch_id, "approved")
        time.sleep(0.3)
        with open_sftp(session._partner) as again:
            return once(settings, profile, again, batch_id, instant)

    send._try_once = twice


def _claim_after_the_rename() -> None:
    put = SftpSession.put_atomically

    def put_and_claim(self: SftpSession, *args: Any, before_rename: Patch | None = None) -> Any:
        outcome = put(self, *args)
        if before_rename is not None:
            before_rename()
        return outcome

    SftpSession.put_atomically = put_and_claim


def _claim_for_anybody() -> None:
    send.mark_sending = lambda settings, tried: _set_state(settings, tried.batch_id, "sending")
    attempt._is_latest = lambda tried: sa.true()


def _withdraw_nothing() -> None:
    SftpSession.withdraw_part = lambda self, *args: False


def _believe_it_is_withdrawn() -> None:
    SftpSession.withdraw_part = lambda self, *args: True


def _write_under_the_name() -> None:
    sftp._part_of = lambda target, attempt: target


def _trust_a_name() -> None:
    holds = SftpSession._holds

    def holds_anything(self: SftpSession, path: str, content: bytes) -> bool:
        try:
            return holds(self, path, content)
        except Refusal as refusal:
            return refusal.code == "remote_content_differs"

    SftpSession._holds = holds_anything


def _read_nothing_back() -> None:
    holds = SftpSession._holds
    SftpSession._holds = lambda self, path, content: ".part-" in path or holds(self, path, content)


def _drop_the_digest_file() -> None:
    send._put_sidecar = lambda *args: None


def _send_the_digest_file_last() -> None:
    put_sidecar, put = send._put_sidecar, SftpSession.put_atomically
    left: list[tuple[Any, ...]] = []

    def put_both(self: SftpSession, *args: Any, **kwargs: Any) -> Any:
        outcome = put(self, *args, **kwargs)
        while left:
            time.sleep(0.3)
            put_sidecar(*left.pop())
        return outcome

    send._put_sidecar, SftpSession.put_atomically = lambda *args: left.append(args), put_both


def _build_anew() -> None:
    unseal = send.open_batch
    # The archive's end has room for a comment; here it tells the time of building.
    send.open_batch = lambda settings, batch: (
        unseal(settings, batch)[:-2] + b"\x08\x00" + time.time_ns().to_bytes(8, "big")
    )


def _take_uncertain_for_failed() -> None:
    finish = send.finish_attempt

    def finish_as_failed(settings: Settings, tried: Any, outcome: str, message: str | None = None) -> None:
        is_uncertain = outcome == "uncertain"
        finish(settings, tried, "failed" if is_uncertain else outcome, message)
        time.sleep(0.3 * is_uncertain)

    send.finish_attempt = finish_as_failed


def _be_deaf_to_receipts() -> None:
    uncertain._is_answered = uncertain._has_receipt = lambda *args: False


def _take_a_name_for_evidence() -> None:
    look = uncertain._state_in_inbox
    uncertain._state_in_inbox = lambda *args: "same" if look(*args) == "other" else look(*args)


def _take_a_refused_rename_for_success() -> None:
    rename = SFTPClient.rename

    def rename_anyhow(self: SFTPClient, *names: str) -> None:
        with suppress(OSError):
            rename(self, *names)

    SFTPClient.rename = rename_anyhow


def _release_by_itself() -> None:
    days = send._days_with_open_batches

    def release_all(settings: Settings, *asked: Any) -> Any:
        with registry_session(settings) as connection:
            connection.execute(sa.update(BATCH).where(BATCH.c.state == "built").values(state="approved"))
        return days(settings, *asked)

    send._days_with_open_batches = release_all


def _forget_to_ask_for_receipts() -> None:
    send.settle_if_answered = lambda *args: False


FAULTS: Mapping[str, Patch] = {
    "no lock": _drop_the_lock,
    "a rename that replaces": _overwrite,
    "marked before it is sent": _mark_before_send,
    "retries in two layers": _retry_in_two_layers,
    "claimed after the rename": _claim_after_the_rename,
    "claimed for anybody": _claim_for_anybody,
    "nothing is withdrawn": _withdraw_nothing,
    "withdrawn by belief": _believe_it_is_withdrawn,
    "written under the name": _write_under_the_name,
    "a name is trusted": _trust_a_name,
    "nothing is read back": _read_nothing_back,
    "no digest file": _drop_the_digest_file,
    "the digest file last": _send_the_digest_file_last,
    "built anew": _build_anew,
    "uncertain is failed": _take_uncertain_for_failed,
    "deaf to receipts": _be_deaf_to_receipts,
    "a name is evidence": _take_a_name_for_evidence,
    "a refused rename is success": _take_a_refused_rename_for_success,
    "released by itself": _release_by_itself,
    "receipts not asked for": _forget_to_ask_for_receipts,
}
