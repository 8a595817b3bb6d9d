"""Telling people: once per event and channel, over real servers that refuse, break off and are not there."""

import email
import email.policy
import ipaddress
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.notice import note_events, notices_where, tell_notices
from connectors.notice_channel import Channel, LogChannel
from connectors.notice_setup import channels_of
from connectors.notice_webhook import signature_of
from connectors.registry import registry_session
from connectors.settings import PROJECT, Settings
from schemas.notice import Event, Notice
from schemas.registry import NOTICE
from tests.support.notice_servers import MailServer, WebServer, mail_server, web_server

DAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 2, 6, 0, tzinfo=UTC)
OVERDUE = Event("drop_overdue", "mch", DAY, ["due:2026-06-02T06:00"])


@pytest.fixture(autouse=True)
def nothing_told(settings: Settings) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.delete(NOTICE))
    (settings.logs / "notices.jsonl").unlink(missing_ok=True)


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def only(settings: Settings, code: str, **environment: str) -> list[Channel]:
    return [each for each in channels_of(settings, environment) if each.code == code]


def by_mail(settings: Settings, server: MailServer) -> list[Channel]:
    url = f"smtp+plain://127.0.0.1:{server.port}/?from=padis@example.cn&to=a@example.cn,b@example.cn"
    return only(settings, "mail", PADIS_NOTICE_MAIL=url)


def by_web(settings: Settings, server: WebServer) -> list[Channel]:
    url = f"http://127.0.0.1:{server.port}/padis?of=city"
    return only(settings, "webhook", PADIS_NOTICE_WEBHOOK=url, PADIS_NOTICE_SECRET="agreed")


def tell(settings: Settings, channels: list[Channel], *events: Event, now: datetime = NOW) -> dict[str, int]:
    with registry_session(settings) as connection:
        note_events(connection, events or [OVERDUE], [each.code for each in channels], now)
    return dict(tell_notices(settings, channels, now))


def on_record(settings: Settings) -> list[tuple[str, str, int]]:
    with registry_session(settings) as connection:
        rows = notices_where(connection)
    return sorted((row["channel_code"], row["state"], row["attempts"]) for row in rows)


def test_each_event_is_told_once_by_each_channel(
    settings: Settings, mail: MailServer, web: WebServer
) -> None:
    log = only(settings, "log")
    channels = [*log, *by_mail(settings, mail), *by_web(settings, web)]
    assert tell(settings, channels) == {"sent": 3}
    assert tell(settings, channels, now=NOW + timedelta(days=1)) == {}
    assert (len(mail.taken), len(web.taken)) == (1, 1)
    lines = (settings.logs / "notices.jsonl").read_text().splitlines()
    assert [json.loads(line)["event_id"] for line in lines] == [
        "drop_overdue:mch:2026-06-01:due:2026-06-02T06:00"
    ]


def test_a_mail_says_what_happened_in_both_languages(settings: Settings, mail: MailServer) -> None:
    tell(settings, by_mail(settings, mail))
    read = email.message_from_bytes(mail.taken[0], policy=email.policy.default)
    assert read["Subject"] == "[PADIS] 投递逾期 · a partner's drop is overdue: mch 2026-06-01"
    assert (read["From"], read["To"]) == ("padis@example.cn", "a@example.cn, b@example.cn")
    text = read.get_content()
    assert "对象 · subject: mch" in text
    assert "due:2026-06-02T06:00" in text


def test_a_webhook_is_signed_over_its_time_and_body(settings: Settings, web: WebServer) -> None:
    tell(settings, by_web(settings, web))
    headers, body = web.taken[0]
    assert headers["X-Padis-Signature"] == signature_of("agreed", headers["X-Padis-Timestamp"], body)
    assert headers["X-Padis-Signature"] != signature_of("other", headers["X-Padis-Timestamp"], body)
    assert (
        headers["Idempotency-Key"]
        == json.loads(body)["event_id"]
        == "drop_overdue:mch:2026-06-01:due:2026-06-02T06:00"
    )


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("way", ["breaks", "refuses"])
def test_a_mail_that_was_not_taken_is_tried_again(
    settings: Settings, mail: MailServer, verb: str, way: str
) -> None:
    setattr(mail, way, verb)
    assert tell(settings, by_mail(settings, mail)) == {"failed": 1}
    setattr(mail, way, None)
    assert tell(settings, by_mail(settings, mail)) == {"sent": 1}
    assert on_record(settings) == [("mail", "sent", 2)]
    assert len(mail.taken) == 1


@pytest.mark.parametrize(("moment", "taken"), [("before taking", 0), ("after taking", 1)])
def test_a_mail_whose_answer_never_came_is_uncertain_and_not_sent_twice(
    settings: Settings, mail: MailServer, moment: str, taken: int
) -> None:
    mail.breaks = moment
    assert tell(settings, by_mail(settings, mail)) == {"uncertain": 1}
    mail.breaks = None
    assert tell(settings, by_mail(settings, mail)) == {}
    assert len(mail.taken) == taken


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(204, "sent"), (302, "failed"), (403, "failed"), (503, "failed"), (502, "uncertain"), (0, "uncertain")],
)
def test_a_webhook_s_answer_decides(settings: Settings, web: WebServer, status: int, outcome: str) -> None:
    web.status = status
    assert tell(settings, by_web(settings, web)) == {outcome: 1}
    web.status = 200
    assert tell(settings, by_web(settings, web)) == ({"sent": 1} if outcome == "failed" else {})
    assert len(web.taken) == (2 if outcome == "failed" else 1)


def test_a_server_that_is_not_there_is_tried_again_and_holds_up_no_other_channel(settings: Settings) -> None:
    nobody = only(
        settings, "webhook", PADIS_NOTICE_WEBHOOK="http://127.0.0.1:9/", PADIS_NOTICE_SECRET="agreed"
    )
    assert tell(settings, [*nobody, *only(settings, "log")]) == {"failed": 1, "sent": 1}
    assert on_record(settings) == [("log", "sent", 1), ("webhook", "failed", 1)]


@dataclass(frozen=True)
class Defective:
    """A channel with a defect: it fails as no channel should, and its words hold what nobody may read."""

    code: str = "mail"

    def tell(self, notice: Notice) -> None:
        raise KeyError("smtp://padis:secret@mail.example.cn")


def test_a_channel_with_a_defect_holds_up_no_other_and_its_notice_is_tried_again(
    settings: Settings, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    assert tell(settings, [Defective(), *only(settings, "log")]) == {"failed": 1, "sent": 1}
    with registry_session(settings) as connection:
        (row,) = notices_where(connection, NOTICE.c.state == "failed")
    assert row["message"] == "unexpected"
    assert "KeyError in channel mail at tests/" in caplog.text
    assert "secret" not in caplog.text

    assert tell(settings, by_mail(settings, mail)) == {"sent": 1}
    assert on_record(settings) == [("log", "sent", 1), ("mail", "sent", 2)]


def test_a_webhook_with_a_certificate_that_nobody_vouches_for_is_sent_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path)
    with web_server(str(certificate)) as web:
        of = {"PADIS_NOTICE_WEBHOOK": f"https://127.0.0.1:{web.port}/", "PADIS_NOTICE_SECRET": "agreed"}
        assert tell(settings, only(settings, "webhook", **of)) == {"failed": 1}
        assert web.taken == []
        known = only(settings, "webhook", **of, PADIS_NOTICE_CA=str(certificate))
        assert tell(settings, known) == {"sent": 1}


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    begun = datetime.now(UTC) - timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=9))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from connectors.notice import tell_notices
from connectors.notice_channel import LogChannel
from connectors.settings import Settings

class Killed(LogChannel):
    def tell(self, notice):
        os.kill(os.getpid(), signal.SIGKILL)

settings = Settings(var=Path(sys.argv[1]))
tell_notices(settings, [Killed(settings.logs / "notices.jsonl")], datetime.now(UTC))
"""


def test_one_who_is_killed_while_telling_leaves_it_uncertain_and_the_rest_is_told(settings: Settings) -> None:
    log = LogChannel(settings.logs / "notices.jsonl")
    later = Event("step_overdue", "gate_population", DAY)
    with registry_session(settings) as connection:
        note_events(connection, [OVERDUE, later], ["log"], NOW)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(settings.var)], cwd=PROJECT, env=environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert dict(tell_notices(settings, [log], NOW)) == {"sent": 1}
    assert on_record(settings) == [("log", "sent", 1), ("log", "uncertain", 1)]
    assert len(log.path.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "environment",
    [
        {"PADIS_NOTICE_MAIL": "smtp+plain://mail.example.cn/?from=a@b.cn&to=c@d.cn"},
        {"PADIS_NOTICE_MAIL": "smtp://mail.example.cn/?from=a@b.cn"},
        {"PADIS_NOTICE_MAIL": "http://mail.example.cn/"},
        {"PADIS_NOTICE_WEBHOOK": "http://hooks.example.cn/", "PADIS_NOTICE_SECRET": "agreed"},
        {"PADIS_NOTICE_WEBHOOK": "https://hooks.example.cn/"},
        {"PADIS_NOTICE_WEBHOOK": "https://hooks.example.cn/a b", "PADIS_NOTICE_SECRET": "agreed"},
        {"PADIS_NOTICE_WEBHOOK": "https://hooks.example.cn/通知", "PADIS_NOTICE_SECRET": "agreed"},
    ],
)
def test_an_address_that_cannot_be_used_fails_alone_and_is_not_repeated(
    settings: Settings, environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert tell(settings, channels_of(settings, environment)) == {"failed": 1, "sent": 1}
    with registry_session(settings) as connection:
        (row,) = notices_where(connection, NOTICE.c.state == "failed")
    assert row["message"] == "notice_channel_unusable"
    assert "notice_channel_unusable" in caplog.text
    assert "example.cn" not in caplog.text


def test_a_file_of_certificates_that_is_missing_is_found_out_before_anything_is_sent(
    settings: Settings, mail: MailServer
) -> None:
    web = {"PADIS_NOTICE_WEBHOOK": "https://127.0.0.1:9/", "PADIS_NOTICE_SECRET": "agreed"}
    post = {"PADIS_NOTICE_MAIL": f"smtp://127.0.0.1:{mail.port}/?from=padis@example.cn&to=a@example.cn"}
    channels = channels_of(settings, {**web, **post, "PADIS_NOTICE_CA": "/missing.pem"})
    for attempts in (1, 2):
        tell(settings, channels)
        assert on_record(settings)[1:] == [("mail", "failed", attempts), ("webhook", "failed", attempts)]


def test_a_password_that_cannot_be_written_is_found_out_before_anything_is_sent(
    settings: Settings, mail: MailServer
) -> None:
    mail.greets_with_login = True
    url = f"smtp+plain://padis:密@127.0.0.1:{mail.port}/?from=padis@example.cn&to=a@example.cn"
    assert tell(settings, only(settings, "mail", PADIS_NOTICE_MAIL=url)) == {"failed": 1}
    with registry_session(settings) as connection:
        (row,) = notices_where(connection)
    assert row["message"] == "UnicodeEncodeError"
    assert mail.taken == []


def test_an_event_holds_ids_and_codes_only() -> None:
    for subject, details in (("王桂兰", []), ("mch", ["张三"]), ("two\nlines", []), ("", [])):
        with pytest.raises(ValueError, match="plain ids"):
            Event("drop_overdue", subject, DAY, details)
