"""Predicted refusals: from answers on record, sealed with the release, scored by what came."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.prediction_record import Outcome, add_up, outcomes
from etl.submission.preview import preview_batches
from schemas.registry import BATCH, PREDICTION, RECORD
from tests.support.submission import TODAY, People, publish_people

J_BATCH = "J_110000_2026_A_0002"
FORMER, NOW = TODAY, TODAY + timedelta(days=1)
E305, E410 = "E305", "E410"


def records_of(settings: Settings, batch_id: str, district: str) -> list[str]:
    is_there = sa.and_(RECORD.c.batch_id == batch_id, RECORD.c.member_name.contains(district))
    with registry_session(settings) as connection:
        return list(
            connection.scalars(sa.select(RECORD.c.record_id).where(is_there).order_by(RECORD.c.record_id))
        )


def answer(settings: Settings, record_ids: Sequence[str], code: str | None = None) -> None:
    said = {"receiver_state_code": "31" if code else "30", "rejection_code": code}
    with registry_session(settings) as connection:
        connection.execute(sa.update(RECORD).where(RECORD.c.record_id.in_(record_ids)).values(said))


def outcome_of(settings: Settings, batch_id: str) -> Outcome:
    with registry_session(settings) as connection:
        (found,) = outcomes(connection, batch_id)
    return found


@pytest.fixture(scope="module")
def people() -> People:
    people = People()
    people.add_many("J", 80)
    return people


@pytest.fixture(scope="module")
def predicted(settings: Settings, people: People) -> Settings:
    """Of 40 records in each of two districts, 30 were refused in one and 4 in the other; ten more are due."""
    publish_people(settings, people, FORMER)
    build_batches(settings, FORMER)
    approve_batches(settings, FORMER, "li", True)
    former = "J_110000_2026_A_0001"
    bad, good = (records_of(settings, former, district) for district in ("110101", "110105"))
    assert (len(bad), len(good)) == (40, 40)
    answer(settings, bad[:30], E305)
    answer(settings, good[:4], E410)
    answer(settings, bad[30:] + good[4:])
    more = People(list(people.persons), list(people.children), [], list(people.decisions))
    more.add_many("J", 10)
    publish_people(settings, more, NOW)
    build_batches(settings, NOW)
    return settings


def test_a_first_batch_is_not_predicted_and_says_so(predicted: Settings) -> None:
    first = outcome_of(predicted, "J_110000_2026_A_0001")
    assert (first.prediction.outlooks, first.prediction.answered, first.state) == ((), 0, "scored")
    # What nobody expected counts against the prediction.
    assert [(each.rejection_code, each.recall) for each in first.scores] == [(E305, 0), (E410, 0)]


def test_the_preview_tells_counts_and_no_person(predicted: Settings) -> None:
    preview = preview_batches(predicted, NOW)
    assert "预计退回 · likely to be refused: 4.3 / 10, 点名 · named 5, 历史答复 · past answers 80" in preview
    assert "| E305 户籍地区划无效 | 3.8 | 5 | J A 东城区 first 30/40 |" in preview
    assert "| E410 年龄不符合 | 0.5 | 0 | J A 朝阳区 first 4/40 |" in preview
    with registry_session(predicted) as connection:
        named = list(connection.scalars(sa.select(RECORD.c.record_id)))
        persons = list(connection.scalars(sa.select(RECORD.c.person_id)))
    assert not [each for each in (*named, *persons) if each in preview]


def test_the_release_seals_it_and_the_answers_score_it(predicted: Settings) -> None:
    assert approve_batches(predicted, NOW, "li", True, [J_BATCH])["approved"] == 1
    sealed = outcome_of(predicted, J_BATCH)
    assert (sealed.state, sealed.prediction.answered) == ("waiting", 80)
    assert sealed.prediction.expected == {E305: Fraction(15, 4), E410: Fraction(1, 2)}
    named = [each.record_id for each in sealed.prediction.named]
    bad = records_of(predicted, J_BATCH, "110101")
    good = records_of(predicted, J_BATCH, "110105")
    assert named == sorted(bad)
    answer(predicted, [*bad[:3], good[0]], E305)
    answer(predicted, bad[3:] + good[1:])
    scored = outcome_of(predicted, J_BATCH)
    # What is known since changes nothing of what was said then.
    assert (scored.state, scored.prediction) == ("scored", sealed.prediction)
    found = {each.rejection_code: each for each in scored.scores}
    assert (found[E305].actual, found[E305].named, found[E305].hit) == (4, 5, 3)
    assert (found[E305].precision, found[E305].recall) == (Fraction(3, 5), Fraction(3, 4))
    assert (found[E410].precision, found[E410].recall) == (None, None)
    with registry_session(predicted) as connection:
        sums = {each.rejection_code: each for each in add_up(outcomes(connection))}
    assert (sums[E305].actual, sums[E305].hit) == (34, 3)


def test_the_same_content_that_was_refused_is_named(predicted: Settings) -> None:
    """Next year the same line of the same person comes again; of one the name was corrected."""
    next_year = date(2027, 6, 1)
    again = People()
    again.add_many("J", 40)
    is_refused = sa.and_(RECORD.c.period == "2026", RECORD.c.rejection_code.is_not(None))
    with registry_session(predicted) as connection:
        refused = set(connection.scalars(sa.select(RECORD.c.person_id).where(is_refused)))
    refused &= {person["person_id"] for person in again.persons}
    place = next(n for n, person in enumerate(again.persons) if person["person_id"] in refused)
    again.persons[place] = again.persons[place] | {"name": "李秀英"}
    publish_people(predicted, again, next_year)
    build_batches(predicted, next_year)
    with registry_session(predicted) as connection:
        of_year = sa.and_(BATCH.c.period == "2027", BATCH.c.subsystem_code == "J")
        batch_id = connection.scalars(sa.select(BATCH.c.batch_id).where(of_year)).one()
    approve_batches(predicted, next_year, "li", True, [batch_id])
    named = outcome_of(predicted, batch_id).prediction.named
    same_again = {each.record_id for each in named if each.rule_id == "same_again"}
    with registry_session(predicted) as connection:
        is_named = RECORD.c.record_id.in_(same_again)
        persons_named = set(connection.scalars(sa.select(RECORD.c.person_id).where(is_named)))
    assert 1 < len(refused) < 40
    assert persons_named == refused - {again.persons[place]["person_id"]}


FORGED = {
    "exchange.prediction": "INSERT INTO exchange.prediction VALUES (:batch, now(), '2026-01-01', 0, 0)",
    "exchange.predicted_code": """
        INSERT INTO exchange.predicted_code VALUES (:batch, 'E101', 'r', 'g', 1, 1, 1)
    """,
    "exchange.predicted_record": """
        INSERT INTO exchange.predicted_record
        SELECT min(record_id), :batch, 'E101', 'r' FROM exchange.record WHERE batch_id = :batch
    """,
}


@pytest.mark.parametrize("table", ["exchange.predicted_code", "exchange.predicted_record"])
def test_nothing_is_added_to_a_prediction_afterwards(predicted: Settings, table: str) -> None:
    assert "prediction_closed" in forged(predicted, FORGED[table])


@pytest.mark.parametrize("table", list(FORGED))
@pytest.mark.parametrize("words", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_a_prediction_is_never_rewritten(predicted: Settings, table: str, words: str) -> None:
    assert "exchange_record_kept" in forged(predicted, words.format(table))


def test_nobody_predicts_what_was_tried_or_is_not_released(predicted: Settings) -> None:
    with registry_session(predicted) as connection:
        unpredicted = connection.scalars(
            sa.select(BATCH.c.batch_id).where(BATCH.c.batch_id.not_in(sa.select(PREDICTION.c.batch_id)))
        ).all()
        assert unpredicted == []
        connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == J_BATCH).values(state="built"))
    assert "prediction_late" in forged(predicted, FORGED["exchange.prediction"])


def forged(settings: Settings, text: str) -> str:
    with pytest.raises(sa.exc.IntegrityError) as caught, registry_session(settings) as connection:
        connection.execute(sa.text(text), {"batch": J_BATCH} if ":batch" in text else {})
    return str(caught.value.orig)
