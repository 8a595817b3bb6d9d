"""The levels on which a letter is answered: the platform about its file, the addressee about every item.

The platform has no word about a letter as a whole, so that level is missing. An item that a later round
replaced, or took back, needs no last word any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.submission.level import LEFT_US, Level
from schemas.policy import load_parameter
from schemas.registry import SHARED_ANSWER, SHARED_ITEM
from schemas.sharing import FINAL

LETTER_LEVELS = ("transfer", "file", "record")


@dataclass(frozen=True)
class Counts:
    """Items of a letter of which something was said, of which the last word was, and replaced without it."""

    told: int = 0
    answered: int = 0
    replaced: int = 0


def letter_levels(
    connection: Connection,
    letters: Sequence[sa.RowMapping],
    answers: Mapping[str, Mapping[str, tuple[str, str | None]]],
) -> list[Level]:
    """Tell the levels of letters; `answers` are outcome and cause by letter and level (transfer, file)."""
    counts = _counts(connection)
    return [
        level
        for letter in letters
        for level in levels_of_letter(
            letter, answers.get(letter["batch_id"], {}), counts.get(letter["batch_id"], Counts())
        )
    ]


def levels_of_letter(
    letter: sa.RowMapping | Mapping[str, Any], answers: Mapping[str, tuple[str, str | None]], items: Counts
) -> list[Level]:
    """Tell the levels of one letter."""
    day = letter["business_date"]
    level = partial(Level, letter["batch_id"], day)
    if letter["state"] not in LEFT_US:
        return [level(name, "void") for name in LETTER_LEVELS]
    transfer, _ = answers.get("transfer", (None, None))
    file, cause = answers.get("file", (None, None))
    is_refused = file == "failed"
    is_read = file is not None or items.told > 0
    is_answered = items.answered >= letter["record_count"]
    # Nobody answers about the items of a letter that cannot be read.
    is_void = is_refused or items.answered + items.replaced >= letter["record_count"]
    platform = timedelta(hours=load_parameter("sharing/letter_receipt_hours").on(day))
    addressee = timedelta(days=load_parameter("sharing/item_answer_days").on(day))
    return [
        level("transfer", _met(is_read or transfer is not None), said=transfer, patience=platform),
        level("file", _met(is_read), said=file, has_failed=is_refused, cause_code=cause, patience=platform),
        level(
            "record",
            "void" if is_void and not is_answered else _met(is_answered),
            answered=items.answered,
            expected=letter["record_count"],
            patience=addressee,
        ),
    ]


def _met(is_there: bool) -> str:
    return "met" if is_there else "waiting"


def _counts(connection: Connection) -> dict[str, Counts]:
    """Count the items of each letter by what is known of them."""
    later, word = SHARED_ITEM.alias(), SHARED_ANSWER
    of_item = sa.select(word.c.item_id).where(word.c.item_id == SHARED_ITEM.c.item_id)
    is_answered = of_item.where(word.c.state_code.in_(FINAL)).exists()
    is_replaced = (
        sa.select(later.c.item_id)
        .where(later.c.subject_id == SHARED_ITEM.c.subject_id, later.c.round > SHARED_ITEM.c.round)
        .exists()
    )
    counted = sa.select(
        SHARED_ITEM.c.batch_id,
        sa.func.count().filter(of_item.exists()).label("told"),
        sa.func.count().filter(is_answered).label("answered"),
        sa.func.count().filter(is_replaced, ~is_answered).label("replaced"),
    ).group_by(SHARED_ITEM.c.batch_id)
    return {row.batch_id: Counts(*row[1:]) for row in connection.execute(counted)}
