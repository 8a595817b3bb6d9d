"""What people have said of pairs (裁定): whether a birth and a child are one; it stands until changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.engine import Relation, run_sql, sql_text
from connectors.settings import Settings
from etl.births.model import LinkageModel
from quality.domain_functions import parse_sql
from schemas.registry import PAIR_VERDICT

VERDICTS = pa.schema(
    [
        ("first_record_id", pa.string()),
        ("relation_id", pa.int64()),
        ("business_date", pa.date32()),
        ("record_ids", pa.list_(pa.string())),
        ("verdict_code", pa.string()),
        ("evidence_sha256", pa.string()),
        ("rule_version", pa.string()),
        ("decided_at", pa.timestamp("us", tz="UTC")),
    ]
)
REVIEW_KIND = "birth_link_review"
PAIR = pa.schema([("mch_record_id", pa.string()), ("relation_id", pa.int64())])
# How links came about before people were asked: what a word was given beside.
EXACT_RULES = (
    "births/certificate_key",
    "births/mother_document_key",
    "births/mother_document_form_key",
    "births/exact_pass",
)


@dataclass(frozen=True)
class Standing:
    """Words as they stand on the births and children of a night (sql/births/standing_verdict.sql).

    `same` are the pairs that a person has linked, `apart` those that nothing else may bring together.
    """

    verdicts: pa.Table
    same: pa.Table
    apart: pa.Table


def verdicts_before(connection: Connection, business_date: date) -> pa.Table:
    """Read the newest word about each pair that was given before a business date."""
    chosen = (
        sa.select(*(PAIR_VERDICT.c[name] for name in VERDICTS.names))
        .ext(postgresql.distinct_on(PAIR_VERDICT.c.first_record_id, PAIR_VERDICT.c.relation_id))
        .where(PAIR_VERDICT.c.business_date < business_date)
        .order_by(
            PAIR_VERDICT.c.first_record_id, PAIR_VERDICT.c.relation_id, PAIR_VERDICT.c.business_date.desc()
        )
    )
    rows = [dict(row) for row in connection.execute(chosen).mappings()]
    return pa.Table.from_pylist(rows, schema=VERDICTS)


def standing_verdicts(
    settings: Settings, verdicts: pa.Table, births: pa.Table, children: pa.Table
) -> Standing:
    """Find the birth and the child that each word is about; the newest of contradicting ones stands."""
    given: dict[str, Relation] = {
        "pair_verdict": verdicts,
        "folded_birth": births,
        "population_child": children,
    }
    standing = run_sql(settings, "births/standing_verdict", given)
    is_same = pc.and_(pc.equal(standing["verdict_code"], "same"), pc.invert(standing["is_contradicted"]))
    pairs = standing.select(PAIR.names)
    return Standing(standing, pairs.filter(is_same), pairs.filter(pc.invert(is_same)))


def pair_evidence(
    settings: Settings,
    staging: Mapping[str, Relation],
    births: pa.Table,
    children: pa.Table,
    pairs: pa.Table,
) -> pa.Table:
    """Digest what both sides say of each pair (sql/births/pair_evidence.sql)."""
    given: dict[str, Relation] = {
        **{name: staging[name] for name in ("mch_birth", "family_child", "population_person")},
        "folded_birth": births,
        "population_child": children,
        "pair": pairs.select(PAIR.names),
    }
    return run_sql(settings, "births/pair_evidence", given)


def rule_version(model: LinkageModel | None) -> str:
    """Name the rules that link without a person: the model, and a digest of the exact passes."""
    return f"{model.name if model else 'exact'}/{_digest_of_passes()}"


@lru_cache(maxsize=1)
def _digest_of_passes() -> str:
    # Of what the passes do: how they are laid out and commented is no other rule.
    said = "\n".join(parse_sql(sql_text(name)).sql(dialect="duckdb", comments=False) for name in EXACT_RULES)
    return sha256(said.encode()).hexdigest()[:16]


def pair_id(first_record_id: str, relation_id: int) -> str:
    """Tell the name that a pair has for good, linked or not (`match_id` of sql/births/both_sides.sql)."""
    return sha256(f"birth:{first_record_id}:{relation_id}".encode()).hexdigest()[:32]


def decided_among(verdicts: pa.Table) -> set[str]:
    """Name the tasks that asked for words that are on record."""
    pairs = zip(*(verdicts[name].to_pylist() for name in ("first_record_id", "relation_id")), strict=True)
    return {sha256(f"{REVIEW_KIND}:{pair_id(*pair)}".encode()).hexdigest()[:32] for pair in pairs}
