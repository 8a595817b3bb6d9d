"""Predicted refusals on record: made with the first release of a batch, scored when it is answered."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.submission.outbox import batches_where
from etl.submission.prediction import Named, Outlook, Prediction, predict_batch
from etl.submission.receipt_file import ACCEPTED, REJECTED
from schemas.padis_prediction import prediction_rules_on
from schemas.padis_profile_file import profile_on
from schemas.registry import BATCH, PREDICTED_CODE, PREDICTED_RECORD, PREDICTION, RECORD


@dataclass(frozen=True)
class Score:
    """What was expected under one code, and what came: of `actual` refusals `hit` were of named records.

    `named` are records that were named with the code; a hit was refused with it.
    """

    rejection_code: str
    expected: Fraction
    actual: int
    named: int
    hit: int

    @property
    def precision(self) -> Fraction | None:
        """Tell how many of those that were named were refused; None where none was named."""
        return Fraction(self.hit, self.named) if self.named else None

    @property
    def recall(self) -> Fraction | None:
        """Tell how many of those that were refused were named; None where none was refused."""
        return Fraction(self.hit, self.actual) if self.actual else None


@dataclass(frozen=True)
class Outcome:
    """A predicted batch and its records by answer.

    `state` is scored once every record is answered, unanswered if the receiver is through with the batch and
    left records without an answer, as where it refused the file; else waiting.
    """

    batch_id: str
    prediction: Prediction
    refused: int
    accepted: int
    state: str
    scores: tuple[Score, ...]


def put_prediction(connection: Connection, batch: sa.RowMapping) -> None:
    """Put on record what is expected of a batch that was just released, in the same transaction.

    The first release counts: of two predictions somebody could choose one.
    """
    is_there = sa.exists().where(PREDICTION.c.batch_id == batch["batch_id"])
    if connection.scalar(sa.select(is_there)):
        return
    prediction = predict_batch(connection, batch)
    rules = prediction_rules_on(batch["receiver"], batch["business_date"])
    if prediction is None or rules is None:
        return
    of_batch = {"batch_id": batch["batch_id"]}
    head = {
        **of_batch,
        "predicted_at": sa.func.now(),
        "rules_from": rules.valid_from,
        "record_count": prediction.record_count,
        "answered": prediction.answered,
    }
    connection.execute(sa.insert(PREDICTION).values(head))
    codes = [of_batch | _as_row(outlook) for outlook in prediction.outlooks]
    if codes:
        connection.execute(sa.insert(PREDICTED_CODE), codes)
    named = [of_batch | vars(each) for each in prediction.named]
    if named:
        connection.execute(sa.insert(PREDICTED_RECORD), named)


def _as_row(outlook: Outlook) -> dict[str, object]:
    row = dict(vars(outlook))
    return row | {"group_text": row.pop("group")}


def prediction_of(connection: Connection, batch: sa.RowMapping) -> Prediction | None:
    """Give what was put on record about a batch; before its release, what is expected now."""
    known = outcomes(connection, batch["batch_id"])
    return known[0].prediction if known else predict_batch(connection, batch)


def outcomes(connection: Connection, batch_id: str | None = None) -> list[Outcome]:
    """Hold predictions against the answers: of one batch, or of all that have one, by batch id."""
    is_chosen = sa.true() if batch_id is None else PREDICTION.c.batch_id == batch_id
    heads = connection.execute(sa.select(PREDICTION).where(is_chosen)).mappings().all()
    chosen = [head["batch_id"] for head in heads]
    batches = {
        batch["batch_id"]: batch
        for batch in batches_where(connection, BATCH.c.batch_id.in_(chosen), receiver=None)
    }
    predictions = _predictions(connection, heads)
    refusals, accepted = _answers(connection, chosen)
    return [
        _outcome(batch, predictions[name], refusals.get(name, {}), accepted.get(name, 0))
        for name, batch in sorted(batches.items())
    ]


def _predictions(connection: Connection, heads: Sequence[sa.RowMapping]) -> dict[str, Prediction]:
    outlooks: dict[str, list[Outlook]] = {head["batch_id"]: [] for head in heads}
    named: dict[str, list[Named]] = {head["batch_id"]: [] for head in heads}
    codes = sa.select(PREDICTED_CODE).where(PREDICTED_CODE.c.batch_id.in_(outlooks))
    in_order = (PREDICTED_CODE.c.rejection_code, PREDICTED_CODE.c.rule_id, PREDICTED_CODE.c.group_text)
    for row in connection.execute(codes.order_by(*in_order)):
        outlooks[row.batch_id].append(
            Outlook(
                row.rejection_code, row.rule_id, row.group_text, row.refused, row.answered, row.record_count
            )
        )
    records = sa.select(PREDICTED_RECORD).where(PREDICTED_RECORD.c.batch_id.in_(named))
    for row in connection.execute(records.order_by(PREDICTED_RECORD.c.record_id)):
        named[row.batch_id].append(Named(row.record_id, row.rejection_code, row.rule_id))
    return {
        head["batch_id"]: Prediction(
            head["record_count"],
            head["answered"],
            tuple(outlooks[head["batch_id"]]),
            tuple(named[head["batch_id"]]),
        )
        for head in heads
    }


def _answers(
    connection: Connection, batch_ids: Sequence[str]
) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """Give the codes of refused records, by batch and record, and how many were accepted, by batch."""
    is_theirs = RECORD.c.batch_id.in_(batch_ids)
    refused = sa.select(RECORD.c.batch_id, RECORD.c.record_id, RECORD.c.rejection_code).where(
        is_theirs, RECORD.c.receiver_state_code == REJECTED
    )
    refusals: dict[str, dict[str, str]] = {}
    for row in connection.execute(refused):
        refusals.setdefault(row.batch_id, {})[row.record_id] = row.rejection_code
    accepted = (
        sa.select(RECORD.c.batch_id, sa.func.count().label("records"))
        .where(is_theirs, RECORD.c.receiver_state_code == ACCEPTED)
        .group_by(RECORD.c.batch_id)
    )
    return refusals, {row.batch_id: row.records for row in connection.execute(accepted)}


def _outcome(
    batch: sa.RowMapping, prediction: Prediction, refusals: dict[str, str], accepted: int
) -> Outcome:
    final = profile_on(batch["receiver"], batch["business_date"]).receipts.final_states
    is_answered = len(refusals) + accepted == batch["record_count"]
    state = "scored" if is_answered else "unanswered" if batch["receiver_state_code"] in final else "waiting"
    return Outcome(
        batch["batch_id"],
        prediction,
        len(refusals),
        accepted,
        state,
        tuple(score(prediction, refusals)),
    )


def score(prediction: Prediction, refusals: dict[str, str]) -> list[Score]:
    """Hold a prediction against the codes with which records were refused, code by code."""
    expected, actual = prediction.expected, Counter(refusals.values())
    named = Counter(each.rejection_code for each in prediction.named)
    hit = Counter(
        each.rejection_code
        for each in prediction.named
        if refusals.get(each.record_id) == each.rejection_code
    )
    return [
        Score(code, expected.get(code, Fraction(0)), actual[code], named[code], hit[code])
        for code in sorted({*expected, *actual, *named})
    ]


def add_up(outcomes_: Iterable[Outcome]) -> list[Score]:
    """Add up the scores of batches of which every record is answered, code by code."""
    sums: dict[str, Score] = {}
    for outcome in outcomes_:
        for each in outcome.scores if outcome.state == "scored" else ():
            before = sums.get(each.rejection_code, Score(each.rejection_code, Fraction(0), 0, 0, 0))
            sums[each.rejection_code] = Score(
                each.rejection_code,
                before.expected + each.expected,
                before.actual + each.actual,
                before.named + each.named,
                before.hit + each.hit,
            )
    return [sums[code] for code in sorted(sums)]
