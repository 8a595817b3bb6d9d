"""Mail: handed to an SMTP server, whose last answer decides whether it was taken."""

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from connectors.notice_channel import SECONDS, BrokeOff, NotTaken
from schemas.business_date import BEIJING
from schemas.notice import Notice

# What fails before the mail itself is sent: the server, or a name or password that cannot be written.
CERTAINLY_NOT_TAKEN = (OSError, smtplib.SMTPException, ValueError)


@dataclass(frozen=True)
class MailChannel:
    """An SMTP server that takes a mail for all recipients or for none."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    security: str = "starttls"
    username: str = ""
    password: str = ""
    certificates: str | None = None
    code: str = "mail"

    def tell(self, notice: Notice) -> None:
        """Hand the mail over; only the last answer of the server decides."""
        try:
            content = self._mail(notice).as_bytes()
            server = self._connect()
        except CERTAINLY_NOT_TAKEN as error:
            raise NotTaken(type(error).__name__) from None
        try:
            self._announce(server)
            _hand_over(server, content)
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=self.certificates)
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            if self.security == "starttls":
                server.starttls(context=context)
        except CERTAINLY_NOT_TAKEN:
            server.close()
            raise
        return server

    def _announce(self, server: smtplib.SMTP) -> None:
        try:
            if self.username:
                server.login(self.username, self.password)
            commands = [
                f"mail FROM:<{self.sender}>",
                *(f"rcpt TO:<{each}>" for each in self.recipients),
                "data",
            ]
            for command in commands:
                status, _ = server.docmd(command)
                if status not in (250, 251, 354):
                    raise NotTaken(f"smtp_{status}")
        except CERTAINLY_NOT_TAKEN as error:
            raise NotTaken(type(error).__name__) from None

    def _mail(self, notice: Notice) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(self.recipients)
        mail["Subject"] = notice.subject_line
        mail["Date"] = format_datetime(notice.noted_at.astimezone(BEIJING))
        # The same for every attempt, so that a mail server or a reader can tell a repetition.
        mail["Message-ID"] = f"<{hashlib.sha256(notice.event_id.encode()).hexdigest()}@padis-pipeline>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(notice.text)
        return mail


def _hand_over(server: smtplib.SMTP, content: bytes) -> None:
    lines = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines.split(b"\r\n"))
    try:
        server.send(stuffed.rstrip(b"\r\n") + b"\r\n.\r\n")
        status, _ = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise BrokeOff(type(error).__name__) from None
    if status != 250:
        raise NotTaken(f"smtp_{status}")
