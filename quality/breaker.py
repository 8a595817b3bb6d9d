"""The circuit breaker: too large a share of rejected rows stops a dataset until a person has looked."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.contract import load_contract
from schemas.policy import load_parameter
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION, RULE_RESULT, SHARE_ACCEPTANCE

EXCEEDED = "reject_share_exceeded"
# How many rules the message names; the others are in core.rule_result.
MOST_TOLD = 3


@dataclass(frozen=True)
class RejectShare:
    """What was rejected of a dataset on a date; `digest` is that of the quarantined rows."""

    dataset: str
    business_date: date
    received: int
    quarantined: int
    digest: str

    @property
    def limit_percent(self) -> int:
        """Share in force on the date, beyond which the dataset is not published by itself."""
        return int(load_parameter("quality/reject_share_percent").on(self.business_date, self.dataset))

    @property
    def is_exceeded(self) -> bool:
        """Whether more was rejected than may be, and not just a handful of rows."""
        least = int(load_parameter("quality/reject_rows_least").on(self.business_date, self.dataset))
        is_beyond = self.quarantined * 100 > self.limit_percent * self.received
        return is_beyond and self.quarantined >= least


def reject_share(connection: Connection, dataset: str, business_date: date) -> RejectShare | None:
    """Read what was rejected of what was received for a date, as conformed last; None if it was not."""
    of_date = sa.and_(
        DATASET_VERSION.c.dataset_name == f"quarantine.{dataset}",
        DATASET_VERSION.c.business_date == business_date,
        DATASET_VERSION.c.is_candidate,
    )
    row = connection.execute(sa.select(DATASET_VERSION).where(of_date)).mappings().first()
    if row is None:
        return None
    return RejectShare(dataset, business_date, row["received"], row["quarantined"], row["digest"])


def check_reject_share(connection: Connection, dataset: str, business_date: date) -> None:
    """Let a dataset pass whose reject share is within its limit, or accepted by a person.

    Raises:
        Refusal: `reject_share_exceeded`, with the share, the limit and the rules that rejected most.
    """
    share = reject_share(connection, dataset, business_date)
    if share is None or not share.is_exceeded or _is_accepted(connection, share):
        return
    raise Refusal(
        EXCEEDED,
        found=f"{dataset} of {business_date}: {share.quarantined / share.received:.1%} of {share.received} "
        f"rows rejected, most by {_main_rules(connection, share)}",
        expected=f"at most {share.limit_percent} % (policy/quality/reject_share_percent.yaml)",
        to_do="look at these rules; a fault of the source goes back to it, one of ours is corrected and the "
        "dataset conformed again. If the rest may be published as it is: "
        f"`padis run accept-share {dataset} --date {business_date} --as USER`, then the gate again. "
        "Until then the date stays at its earlier version",
    )


def accept_share(settings: Settings, dataset: str, business_date: date, user: str) -> dict[str, int | str]:
    """Put on record that a person lets these very rows be left out and the rest be published.

    Raises:
        Refusal: the user is not named, or the share needs nobody's word.
    """
    load_contract(dataset)
    if not user.strip():
        raise Refusal(
            "user_missing",
            found="no name",
            expected="the name of the person who answers for it",
            to_do="add --as USER",
        )
    with registry_session(settings) as connection:
        share = reject_share(connection, dataset, business_date)
        if share is None or not share.is_exceeded:
            raise Refusal(
                "share_not_exceeded",
                found=f"{dataset} of {business_date} was not stopped for its rejected rows",
                expected="a dataset with more rejected rows than its limit",
                to_do="run its gate; nobody's word is needed",
            )
        row = {
            **{name: value for name, value in vars(share).items() if name != "dataset"},
            "dataset_name": dataset,
            "accepted_by": user.strip(),
            # An act of a person, not a fact of the data: the clock is read.
            "accepted_at": datetime.now(UTC),
        }
        connection.execute(postgresql.insert(SHARE_ACCEPTANCE).values(row).on_conflict_do_nothing())
    return {"dataset": dataset, "received": share.received, "quarantined": share.quarantined}


def _is_accepted(connection: Connection, share: RejectShare) -> bool:
    """Tell whether a person has accepted exactly these rejected rows; others need a word of their own."""
    found = connection.scalar(
        sa.select(sa.func.count()).where(
            SHARE_ACCEPTANCE.c.dataset_name == share.dataset,
            SHARE_ACCEPTANCE.c.business_date == share.business_date,
            SHARE_ACCEPTANCE.c.digest == share.digest,
        )
    )
    return bool(found)


def _main_rules(connection: Connection, share: RejectShare) -> str:
    rows = connection.execute(
        sa.select(RULE_RESULT.c.rule_id, RULE_RESULT.c.failed)
        .where(
            RULE_RESULT.c.dataset_name == share.dataset,
            RULE_RESULT.c.business_date == share.business_date,
            RULE_RESULT.c.severity == "reject",
            RULE_RESULT.c.failed > 0,
        )
        .order_by(RULE_RESULT.c.failed.desc(), RULE_RESULT.c.rule_id)
        .limit(MOST_TOLD)
    )
    return ", ".join(f"{row.rule_id} ({row.failed})" for row in rows) or "no rule on record"
