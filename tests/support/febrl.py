"""Our linkage for persons as FEBRL has them: other comparisons, the same engine.

Training, scoring, probabilities among rivals, bands and the choice one to one are those of the births
(etl/births); what is compared, and which values bring a pair together, is declared here. Compared are FEBRL's
own columns and exchanges; keys were widened once, after a look at a pair of FEBRL 4 that met nobody.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.births.comparisons import ELSE, Comparison, Level
from etl.births.estimate import CertainPairs, estimate_levels
from etl.births.linkage import one_to_one, rated_pairs
from etl.births.model import LinkageModel, compared_as, scoring_query

NOWHERE = Settings(var=Path("nowhere"))
# What FEBRL's rows hold, as text.
RECEIVED = (
    "rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode",
    "state", "date_of_birth", "soc_sec_id",
)  # fmt: skip


def _alike(column: str, least: float, label: str) -> Level:
    return Level(label, f"JARO_WINKLER_SIMILARITY({column}_l, {column}_r) >= {least}")


def _alike_to(column: str, other: str) -> Level:
    condition = " OR ".join(
        f"JARO_WINKLER_SIMILARITY({one}_l, {two}_r) >= 0.9" for one, two in ((column, other), (other, column))
    )
    return Level("exchanged", condition)


def _name(column: str, other: str) -> Comparison:
    # FEBRL exchanges given name and surname now and then, as it does both lines of an address.
    return Comparison(
        column,
        column.replace("_", " "),
        f"{column}_l IS NULL OR {column}_r IS NULL",
        (
            Level("equal", f"{column}_l = {column}_r", shares=column),
            Level("exchanged", f"{column}_l = {other}_r OR {other}_l = {column}_r"),
            _alike(column, 0.9, "a slip"),
            _alike(column, 0.75, "alike"),
            ELSE,
        ),
    )


def _digits(column: str) -> Comparison:
    return Comparison(
        column,
        column.replace("_", " "),
        f"{column}_l IS NULL OR {column}_r IS NULL",
        (
            Level("equal", f"{column}_l = {column}_r"),
            Level("a slip", f"DAMERAU_LEVENSHTEIN({column}_l, {column}_r) <= 1"),
            Level("two slips", f"DAMERAU_LEVENSHTEIN({column}_l, {column}_r) = 2"),
            ELSE,
        ),
    )


def _words(column: str, other: str | None = None) -> Comparison:
    exchanged = (_alike_to(column, other),) if other else ()
    return Comparison(
        column,
        column,
        f"{column}_l IS NULL OR {column}_r IS NULL",
        (
            Level("equal", f"{column}_l = {column}_r"),
            *exchanged,
            _alike(column, 0.9, "a slip"),
            _alike(column, 0.75, "alike"),
            ELSE,
        ),
    )


COMPARISONS = (
    _name("given_name", "surname"),
    _name("surname", "given_name"),
    _digits("date_of_birth"),
    _digits("street_number"),
    _words("address_1", "address_2"),
    _words("address_2", "address_1"),
    _words("suburb"),
    _digits("postcode"),
    _words("state"),
    _digits("soc_sec_id"),
)
SIDE = """
    SELECT
        {side_id} AS side_id, rec_id, given_name, surname,
        CAST(TRY_STRPTIME(date_of_birth, '%Y%m%d') AS DATE) AS birth_date, date_of_birth,
        street_number, address_1, address_2, suburb, postcode, state, soc_sec_id
    FROM (SELECT {received} FROM person)
    ORDER BY side_id
"""
PAIRS_PER_KEY, PAIRS_OF_STRANGERS = 400, 5_000_000
KEYS = (
    "soc_sec_id",
    "given_name || surname",
    "given_name || date_of_birth",
    "surname || date_of_birth",
    "LEAST(given_name, surname) || GREATEST(given_name, surname)",
    "date_of_birth || postcode",
    "street_number || address_1",
    "address_2 || suburb",
    "street_number || postcode",
    "surname || street_number",
    "given_name || street_number",
    "surname || postcode",
    "given_name || postcode",
    "SUBSTR(surname, 1, 3) || SUBSTR(date_of_birth, 1, 6)",
)
SHARE = """
    SELECT {column} AS name, CAST(COUNT(*) AS DOUBLE) / SUM(COUNT(*)) OVER () AS share
    FROM (SELECT * FROM one UNION ALL SELECT * FROM other)
    WHERE {column} IS NOT NULL
    GROUP BY {column}
"""
COMPARED = tuple(comparison.name for comparison in COMPARISONS)


@dataclass(frozen=True)
class FebrlLinks:
    """The model that was trained on both sides, and their links by `rec_id`."""

    model: LinkageModel
    rated: pa.Table
    automatic: list[tuple[str, str]]
    review: list[tuple[str, str]]


def link_febrl(
    here: pa.Table, there: pa.Table, day: date, pairs_of_strangers: int = PAIRS_OF_STRANGERS
) -> FebrlLinks:
    """Train on two files of persons and link them, at the thresholds of births in force on a day."""
    one, other = _side(here, "rec_id"), _side(there, "CAST(ROW_NUMBER() OVER (ORDER BY rec_id) AS VARCHAR)")
    sides = {"one": one, "other": other}
    by_number, by_person = (
        _certain(sides, "soc_sec_id"),
        _certain(sides, "given_name || '/' || surname || '/' || date_of_birth"),
    )
    certain = CertainPairs(by_number, {"soc_sec_id": by_person})
    levels, _ = estimate_levels((one, other), COMPARISONS, certain, pairs_of_strangers)
    prior = by_number.num_rows / (one.num_rows * other.num_rows)
    model = LinkageModel("febrl", prior, compared_as(levels), {}, {}, "")
    scored = run_sql(NOWHERE, scoring_query(model), {"candidate_pair": _pairs(sides)})
    rated = rated_pairs(NOWHERE, scored, day)
    nothing = pa.schema(
        [("mch_record_id", pa.string()), ("relation_id", pa.int64()), ("pass_name", pa.string())]
    ).empty_table()
    links = one_to_one(NOWHERE, nothing, rated, one.num_rows, day).to_pylist()
    names = dict(zip(map(int, other["side_id"].to_pylist()), other["rec_id"].to_pylist(), strict=True))

    def of_band(band: str) -> list[tuple[str, str]]:
        return [
            (link["mch_record_id"], names[link["relation_id"]]) for link in links if link["band_code"] == band
        ]

    return FebrlLinks(model, rated, of_band("automatic"), of_band("review"))


def _side(persons: pa.Table, side_id: str) -> pa.Table:
    received = ", ".join(f"NULLIF(TRIM({column}), '') AS {column}" for column in RECEIVED)
    return run_sql(NOWHERE, SIDE.format(side_id=side_id, received=received), {"person": persons})


def _certain(sides: dict[str, Any], key: str) -> pa.Table:
    """Pair what one key makes certain: it stands once on either side."""
    once = {
        side: f"SELECT {key} AS key, MIN(side_id) AS side_id FROM {side} WHERE {key} IS NOT NULL "  # noqa: S608
        "GROUP BY 1 HAVING COUNT(*) = 1"
        for side in sides
    }
    query = f"""
        WITH one_once AS ({once["one"]}), other_once AS ({once["other"]})
        SELECT one_once.side_id AS one_id, other_once.side_id AS other_id
        FROM one_once JOIN other_once USING (key) ORDER BY 1
    """  # noqa: S608 - keys are declared above
    return run_sql(NOWHERE, query, sides)


def _pairs(sides: dict[str, Any]) -> pa.Table:
    keys = {
        side: " UNION ALL ".join(
            f"SELECT side_id, {number} AS block, {key} AS key FROM {side} WHERE {key} IS NOT NULL"  # noqa: S608
            for number, key in enumerate(KEYS)
        )
        for side in ("one", "other")
    }
    columns = ", ".join(f"one.{column} AS {column}_l, other.{column} AS {column}_r" for column in COMPARED)
    query = f"""
        WITH one_key AS ({keys["one"]}), other_key AS ({keys["other"]}),
        met_key AS (
            SELECT block, key
            FROM (SELECT block, key, COUNT(*) AS ones FROM one_key GROUP BY block, key)
            JOIN (SELECT block, key, COUNT(*) AS others FROM other_key GROUP BY ALL) USING (block, key)
            WHERE ones * others <= {PAIRS_PER_KEY}
        ),
        met AS (
            SELECT DISTINCT one_key.side_id AS one_id, other_key.side_id AS other_id
            FROM met_key JOIN one_key USING (block, key) JOIN other_key USING (block, key)
        ),
        given AS ({SHARE.format(column="given_name")}), family AS ({SHARE.format(column="surname")})
        SELECT
            one_id AS mch_record_id, CAST(other_id AS BIGINT) AS relation_id, TRUE AS is_told_apart,
            {columns},
            given.share AS given_name_share, family.share AS surname_share
        FROM met
        JOIN one ON one.side_id = one_id
        JOIN other ON other.side_id = other_id
        LEFT JOIN given ON given.name = one.given_name
        LEFT JOIN family ON family.name = one.surname
    """  # noqa: S608 - keys and columns are declared above
    return run_sql(NOWHERE, query, sides)
