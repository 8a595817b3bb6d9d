"""Probe the receiver's server: a table for the person who takes up a new receiver."""

from collections.abc import Sequence
from datetime import date

from rich.table import Table
from rich.text import Text

from connectors.settings import Settings
from connectors.sftp import load_partner
from connectors.sftp_probe import Finding, probe_server
from etl.submission.outbox import RECEIVER
from schemas.padis_profile_file import profile_on

VERDICTS = {
    "good": Text("合格 · good", style="green"),
    "bad": Text("不合格 · not as needed", style="bold red"),
}


def probe_receiver(settings: Settings, partner_name: str, day: date, *, writes: bool) -> list[Finding]:
    """Ask the server of a partner what sending rests on, in the folders that the profile of a day names.

    No batch is opened and none is sent; without `writes` nothing is written at all.

    Raises:
        Refusal: there is no such partner, or no profile of the day.
    """
    profile = profile_on(RECEIVER, day)
    partner = load_partner(settings, partner_name)
    return probe_server(partner, [profile.receipts_folder], profile.inbox, writes=writes)


def show_findings(partner_name: str, findings: Sequence[Finding]) -> Table:
    """Lay out what a server was asked, what it did, and whether sending can rest on it."""
    table = Table(title=f"接收方探测 · probe of {partner_name}", title_justify="left")
    for heading in ("问题 · question", "发现 · found", "结论 · verdict"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row(finding.question, Text(finding.found), VERDICTS[finding.verdict])
    return table
