"""How a person says whether a birth and a child are one: asked by a task, of a link, or on second thought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.deadline import require_aware
from connectors.lake import DatasetVersion, version_on
from connectors.registry import lock_key, newest_on_record, registry_session, state_on
from connectors.settings import Settings
from etl.births.fold import folded_births, population_children
from etl.births.model import model_on
from etl.births.verdicts import PAIR, pair_evidence, pair_id, rule_version, verdicts_before
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, LINK_REVIEW, PAIR_VERDICT
from schemas.word import word_of

INPUTS = ("mch_birth", "family_child", "population_person")
SAME, DIFFERENT = "same", "different"


@dataclass(frozen=True)
class _Pair:
    """A birth, by one of its records, and a child."""

    record_id: str
    relation_id: int


def unlink_birth(settings: Settings, match_id: str, user: str, reason: str, now: datetime) -> dict[str, Any]:
    """Say that the birth and the child of a link are two children; they come apart with the next night.

    Raises:
        Refusal: the newest night does not link them, or there is no user or no fit reason.
    """
    with registry_session(settings) as connection:
        on = newest_on_record(connection, BIRTH_MATCH, {})
        is_linked = on is not None and connection.scalar(
            sa.select(sa.true()).where(
                BIRTH_MATCH.c.match_id == match_id,
                BIRTH_MATCH.c.mch_record_id.is_not(None),
                BIRTH_MATCH.c.relation_id.is_not(None),
                state_on(BIRTH_MATCH, on),
            )
        )
    if not is_linked:
        raise Refusal(
            "birth_not_linked",
            found=f"no link of that number in the newest night ({len(match_id)} characters)",
            expected="a birth that both sides know: linked or conflict",
            to_do="find it with `padis births list --class linked`",
        )
    return decide_pair(settings, match_id, DIFFERENT, user, reason, now)


def decide_pair(
    settings: Settings, match_id: str, verdict_code: str, user: str, reason: str, now: datetime
) -> dict[str, Any]:
    """Put on record what a person says of a pair: whether the birth and the child are one.

    The word counts from the next night on and stands until a person says otherwise; where what it rests on
    changes, it is asked for again. Who says it again before the next night replaces it.

    Args:
        settings: of this installation.
        match_id: of a pair that is or was linked, asked about or decided; the pair has it for good.
        verdict_code: `same` or `different`.
        user: who decides.
        reason: why; no personal value.
        now: the instant.

    Raises:
        Refusal: no such pair, it is in the data no more, another word says that the birth or the child is
            one with somebody else, or there is no user or no fit reason.
    """
    settings.refuse_in_shadow("deciding a pair")
    word = word_of(user, reason)
    with registry_session(settings) as connection:
        business_date = newest_on_record(connection, BIRTH_MATCH, {})
        pair = None if business_date is None else _pair_named(connection, match_id)
        if business_date is None or pair is None:
            raise _refused_pair(match_id, "a pair that is or was linked, asked about or decided")
        versions = {name: version_on(connection, f"staging.{name}", business_date) for name in INPUTS}
    row = _evident(settings, versions, pair, business_date, match_id) | {
        "business_date": business_date,
        "verdict_code": verdict_code,
        "rule_version": rule_version(model_on(business_date)),
        "decided_by": word.user,
        "reason": word.reason,
        "decided_at": require_aware(now),
    }
    with registry_session(settings) as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("births", "word")})
        if verdict_code == SAME:
            _check_free(connection, row)
        statement = postgresql.insert(PAIR_VERDICT).values(row)
        keys = ["first_record_id", "relation_id", "business_date"]
        replaced = {name: statement.excluded[name] for name in row if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced))
    pair_now = pair_id(row["first_record_id"], row["relation_id"])
    return {"pair": pair_now, "verdict": verdict_code, "counts_after": str(business_date)}


def _pair_named(connection: Connection, match_id: str) -> _Pair | None:
    """Find the pair in what was linked, what was asked about, and what was decided; the newest first."""
    for table in (BIRTH_MATCH, LINK_REVIEW):
        chosen = sa.select(table.c.mch_record_id, table.c.relation_id).where(
            table.c.match_id == match_id, table.c.mch_record_id.is_not(None), table.c.relation_id.is_not(None)
        )
        found = connection.execute(chosen.order_by(table.c.recorded_from.desc())).first()
        if found is not None:
            return _Pair(found.mch_record_id, found.relation_id)
    decided = connection.execute(
        sa.select(PAIR_VERDICT.c.first_record_id, PAIR_VERDICT.c.relation_id).distinct()
    )
    named = (_Pair(*row) for row in decided if pair_id(*row) == match_id)
    return next(named, None)


def _evident(
    settings: Settings,
    versions: Mapping[str, DatasetVersion],
    pair: _Pair,
    business_date: date,
    match_id: str,
) -> dict[str, Any]:
    """Find the pair in what is known now: all records of its birth, and the digest of what both sides say."""
    births = folded_births(settings, versions, business_date).births
    children = population_children(settings, versions)
    birth = next((row for row in births.to_pylist() if pair.record_id in _records_of(row)), None)
    if birth is None or pair.relation_id not in set(children["relation_id"].to_pylist()):
        raise _refused_pair(match_id, "a pair of which both sides are still in the data")
    pairs = pa.Table.from_pylist(
        [{"mch_record_id": birth["mch_record_id"], "relation_id": pair.relation_id}], schema=PAIR
    )
    evidence = pair_evidence(settings, versions, births, children, pairs)
    return {
        "first_record_id": birth["first_record_id"],
        "relation_id": pair.relation_id,
        "record_ids": _records_of(birth),
        "evidence_sha256": evidence["evidence_sha256"][0].as_py(),
    }


def _records_of(birth: Mapping[str, Any]) -> Sequence[str]:
    return [birth["mch_record_id"], *birth["folded_record_ids"]]


def _check_free(connection: Connection, row: Mapping[str, Any]) -> None:
    """Refuse to make a child one with two births, or a birth with two children."""
    records = set(row["record_ids"])
    for said in verdicts_before(connection, date.max).to_pylist():
        is_this_birth = bool(records.intersection(said["record_ids"]))
        is_this_child = said["relation_id"] == row["relation_id"]
        if said["verdict_code"] == SAME and is_this_birth != is_this_child:
            raise Refusal(
                "verdict_contradicts",
                found="a word on record that makes the birth, or the child, one with somebody else",
                expected="one child for a birth, and one birth for a child",
                to_do="say `different` of that pair first: "
                + pair_id(said["first_record_id"], said["relation_id"]),
            )


def _refused_pair(match_id: str, expected: str) -> Refusal:
    return Refusal(
        "pair_unknown",
        found=f"no such pair ({len(match_id)} characters)",
        expected=expected,
        to_do="find it with `padis births show`",
    )
