"""Later nights against a rebuild from nothing: increments with everything that a source does, one outcome.

Rows deleted at the source end the decisions and tasks that rested on them, and say why.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import pytest
import sqlalchemy as sa

from connectors.lake import read_dataset, table_path, version_on
from connectors.lake_layer import held_by
from connectors.postgres import POPULATION_READER
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from connectors.ssh import SftpPartner
from etl.night import POPULATION_DATASETS, STEPS, Night, run_night
from etl.subsidy.tasks import subject_of
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from schemas.drop_source import drop_source
from schemas.registry import BIRTH_MATCH, CASE, CASE_REVIEW, DECISION, TASK, TASK_CLOSING
from tests.support.installation import running_installation
from tests.support.known import at_source, facts_on, known_on
from tests.support.partners import running_partners
from tests.support.population_source import run_in_population

# Great Expectations 1.24 warns of its own use of others while it is imported and run.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
FIRST, SECOND, THIRD = (date(2026, 6, day) for day in (1, 2, 3))
DROPS = tuple(name for dataset in ("mch_birth", "beneficiary_case") for name in drop_source(dataset).steps)
INSIDE = ("reconcile_births", "import_cases", "take_over_cases", "decide_subsidies", "review_cases")
NIGHT = ("pull_population", "conform_population", "gate_population", *DROPS, *INSIDE)
DATASETS = (*POPULATION_DATASETS, "mch_birth")
HISTORY = ("recorded_from", "recorded_to")
# A child of whose birth no hospital knows: so small a city has none by itself.
UNMATCHED = """
INSERT INTO family_child (relation_id, mother_person_id, child_name, child_birth_date, child_sex,
    parity_child, plural, plural_order, blood_relation, policy_attr, alive, source_updated_at)
SELECT 999999, max(person_id), '王安', '2026-05-20', '1', 1, '1', 1, '1', '1', true, '2026-05-31 10:00'
FROM population_person WHERE sex = '2'
"""
# The way back differs: a row lies in the extract that brought it.
LINEAGE = ("landing_id", "landing_row")


@dataclass(frozen=True)
class NightWith(Night):
    """A night whose partners are those of another installation."""

    partners: Mapping[str, SftpPartner] | None = None

    def partner(self, name: str) -> SftpPartner:
        return (self.partners or {})[name]


@dataclass(frozen=True)
class Gone:
    """What was deleted at the source before the second night."""

    undecided: str
    eligible: str
    in_payment: str
    case_number: str
    linked_child: int
    unmatched_child: int


def run_steps(night: Night, names: tuple[str, ...] = NIGHT) -> None:
    chosen = [step for step in STEPS if step.name in names]
    failed = [outcome for _, outcome in run_night(night, steps=chosen) if isinstance(outcome, Exception)]
    assert failed == []


@pytest.fixture(scope="module")
def partners(settings: Settings) -> Iterator[Mapping[str, SftpPartner]]:
    create_city(settings, persons=1_500, seed=11, business_date=FIRST)
    run_in_population(settings, UNMATCHED)
    with running_partners(settings) as served:
        yield served


@pytest.fixture(scope="module")
def gone(settings: Settings, partners: Mapping[str, SftpPartner]) -> Gone:
    """Three nights; before the second rows are deleted, before the third a number is used again."""
    run_steps(NightWith(settings, FIRST, partners=partners))
    chosen = _chosen(settings)
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    advance_city(settings)
    with engine.begin() as late:
        # Stamped now, committed when the second night is over.
        late.execute(
            sa.text(
                "UPDATE population_person SET phone = '13800000000', source_updated_at = '2026-06-02 10:00' "
                "WHERE person_id = (SELECT max(person_id) FROM population_person)"
            )
        )
        persons = (chosen.undecided, chosen.eligible, chosen.in_payment)
        children = (chosen.linked_child, chosen.unmatched_child)
        run_in_population(
            settings,
            sa.delete(sa.table("population_person")).where(sa.column("person_id").in_(persons)),
            sa.delete(sa.table("family_child")).where(sa.column("relation_id").in_(children)),
            # No new stamp, but that of a row in the overlap.
            "UPDATE marriage SET cert_no = NULL WHERE source_updated_at >= '2026-06-02'",
        )
        run_steps(NightWith(settings, SECOND, partners=partners))
    advance_city(settings)
    run_in_population(
        settings,
        sa.text(
            "UPDATE family_child SET relation_id = :again WHERE relation_id = "
            "(SELECT min(relation_id) FROM family_child)"
        ).bindparams(again=chosen.linked_child),
        "UPDATE marriage SET source_updated_at = NULL, proof = '1' WHERE marriage_id % 97 = 0",
    )
    run_steps(NightWith(settings, THIRD, partners=partners))
    return chosen


def _chosen(settings: Settings) -> Gone:
    """Choose whom to delete: somebody of each kind on whom something rests."""
    with registry_session(settings) as connection:
        decided = connection.execute(sa.select(DECISION).where(state_on(DECISION, FIRST))).mappings().all()
        in_payment = connection.execute(
            sa.select(CASE_REVIEW.c.case_number, CASE.c.person_id)
            .join(CASE, CASE.c.case_number == CASE_REVIEW.c.case_number)
            .where(CASE_REVIEW.c.finding_code == "continue")
            .order_by(CASE.c.case_number)
        ).all()
        births = connection.execute(sa.select(BIRTH_MATCH).where(state_on(BIRTH_MATCH, FIRST))).mappings()
        children = {row["class_code"]: row["relation_id"] for row in births if row["relation_id"]}
    cases = {row.person_id for row in in_payment}

    def one(code: str) -> str:
        found = sorted(r["person_id"] for r in decided if r["decision_code"] == code)
        return next(person for person in found if person not in cases)

    return Gone(
        undecided=one("unknown"),
        eligible=one("eligible"),
        in_payment=in_payment[0].person_id,
        case_number=in_payment[0].case_number,
        linked_child=children["linked"],
        unmatched_child=children["only_population"],
    )


@pytest.fixture(scope="module")
def rebuilt(settings: Settings, partners: Mapping[str, SftpPartner], gone: Gone) -> Iterator[Settings]:
    """An installation that never saw the days before, on the source as it is now."""
    url = settings.database_url("population", user=POPULATION_READER)
    with running_installation() as fresh:
        other = replace(fresh, population_server_url=url.render_as_string(hide_password=False))
        for day in (FIRST, SECOND):
            run_steps(NightWith(other, day, partners=partners), DROPS)
        run_steps(NightWith(other, THIRD, partners=partners))
        yield other


def test_the_later_nights_were_increments_and_know_what_is_there(settings: Settings, gone: Gone) -> None:
    for dataset in POPULATION_DATASETS:
        facts = [facts_on(settings, dataset, day) for day in (FIRST, SECOND, THIRD)]
        assert [told.kind for told in facts] == ["base", "increment", "increment"]
        assert known_on(settings, dataset, THIRD) == at_source(settings, dataset)
    assert facts_on(settings, "population_person", SECOND).deleted == 3
    assert facts_on(settings, "family_child", SECOND).deleted == 2


@pytest.mark.parametrize("zone", ["staging", "quarantine"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_rows_equal_those_of_a_rebuild(
    settings: Settings, rebuilt: Settings, zone: str, dataset: str
) -> None:
    name = f"{zone}.{dataset}"
    is_partner = dataset not in POPULATION_DATASETS
    assert rows_on(settings, name) == rows_on(rebuilt, name)
    assert rows_on(settings, name) or zone == "quarantine" or is_partner


@pytest.mark.parametrize("programme", ["special_assistance", "reward_assistance"])
def test_decisions_equal_those_of_a_rebuild(settings: Settings, rebuilt: Settings, programme: str) -> None:
    decisions = rows_on(settings, f"decision.{programme}")
    assert decisions == rows_on(rebuilt, f"decision.{programme}")
    assert decisions


@pytest.mark.parametrize("table", [BIRTH_MATCH, DECISION, TASK], ids=lambda table: table.name)
def test_findings_and_tasks_equal_those_of_a_rebuild(
    settings: Settings, rebuilt: Settings, table: sa.Table
) -> None:
    found = findings(settings, table)
    assert found == findings(rebuilt, table)
    assert found


@pytest.mark.parametrize("name", POPULATION_DATASETS)
def test_the_third_night_is_changes_upon_the_first_and_the_rebuild_is_whole(
    settings: Settings, rebuilt: Settings, name: str
) -> None:
    assert (is_changed(settings, name), is_changed(rebuilt, name)) == (True, False)


def is_changed(settings: Settings, name: str) -> bool:
    with registry_session(settings) as connection:
        version = version_on(connection, f"staging.{name}", THIRD)
    return held_by(table_path(settings, version.name), version.version).layer is not None


def rows_on(settings: Settings, name: str) -> Counter[str]:
    """Count the rows of a dataset as the third night has it, without the way back."""
    with registry_session(settings) as connection:
        version = version_on(connection, name, THIRD)
    rows = read_dataset(settings, version)
    rows = rows.drop_columns([column for column in LINEAGE if column in rows.column_names])
    return Counter(map(repr, rows.to_pylist()))


def findings(settings: Settings, table: sa.Table) -> Counter[str]:
    """Count what is known on the third date, without since when; cases are told apart."""
    # A task is due so many days after it was first found, and a case is known as it was imported.
    left_out = {*HISTORY, "due_date"} if table is TASK else set(HISTORY)
    columns = [column for column in table.c if column.name not in left_out]
    statement = sa.select(*columns).where(state_on(table, THIRD))
    if table is TASK:
        statement = statement.where(TASK.c.process_name != "cases")
    with registry_session(settings) as connection:
        return Counter(map(repr, connection.execute(statement).all()))


Found = Callable[[str], list[str]]


@pytest.fixture
def causes(settings: Settings, gone: Gone) -> Found:
    """Tell why the tasks about a subject ended."""

    def of(subject: str) -> list[str]:
        ended = sa.select(TASK_CLOSING.c.cause_code).where(
            TASK_CLOSING.c.task_id.in_(sa.select(TASK.c.task_id).where(TASK.c.subject_id == subject)),
            TASK_CLOSING.c.business_date == SECOND,
        )
        with registry_session(settings) as connection:
            return list(connection.scalars(ended))

    return of


def test_the_task_of_a_person_who_is_gone_ends_with_this_cause(
    settings: Settings, gone: Gone, causes: Found
) -> None:
    told = [cause for programme in ("T", "J") for cause in causes(subject_of(programme, gone.undecided))]
    assert set(told) == {"person_gone"}


def test_nothing_is_decided_of_persons_who_are_gone(settings: Settings, gone: Gone) -> None:
    persons = (gone.undecided, gone.eligible, gone.in_payment)
    of_gone = sa.select(DECISION.c.recorded_to).where(DECISION.c.person_id.in_(persons))
    with registry_session(settings) as connection:
        ends = set(connection.scalars(of_gone))
    assert ends == {SECOND}


def test_a_case_in_payment_whose_person_is_gone_becomes_a_task_and_goes_on(
    settings: Settings, gone: Gone
) -> None:
    of_case = CASE_REVIEW.c.case_number == gone.case_number
    with registry_session(settings) as connection:
        review = connection.execute(sa.select(CASE_REVIEW).where(of_case, state_on(CASE_REVIEW, THIRD))).one()
        case = connection.execute(
            sa.select(CASE).where(CASE.c.case_number == gone.case_number, state_on(CASE, THIRD))
        ).one()
        subject = subject_of(case.programme_code, case.person_id)
        tasks = connection.execute(
            sa.select(TASK).where(TASK.c.subject_id == subject, state_on(TASK, THIRD))
        ).all()
    assert (review.finding_code, review.reason_codes) == ("exception", ["person_unknown"])
    # In payment it stays: whether to end it is for people to say.
    assert case.state_code == "1"
    assert [task.kind_code for task in tasks] == ["case_questioned"]


def test_a_birth_whose_child_is_gone_is_asked_for_again(settings: Settings, gone: Gone) -> None:
    with registry_session(settings) as connection:
        of_child = sa.select(BIRTH_MATCH).where(
            BIRTH_MATCH.c.relation_id == gone.linked_child, state_on(BIRTH_MATCH, FIRST)
        )
        before = connection.execute(of_child).one()
        now = connection.execute(
            sa.select(BIRTH_MATCH).where(
                BIRTH_MATCH.c.mch_record_id == before.mch_record_id, state_on(BIRTH_MATCH, SECOND)
            )
        ).one()
        open_kinds = connection.scalars(
            sa.select(TASK.c.kind_code).where(TASK.c.subject_id == now.match_id, state_on(TASK, SECOND))
        ).all()
    assert (before.class_code, now.class_code) == ("linked", "only_mch")
    assert open_kinds == ["birth_missing_in_population"]


def test_the_task_of_a_child_without_a_birth_ends_when_the_child_is_gone(
    settings: Settings, gone: Gone, causes: Found
) -> None:
    with registry_session(settings) as connection:
        match_id = connection.scalar(
            sa.select(BIRTH_MATCH.c.match_id).where(
                BIRTH_MATCH.c.relation_id == gone.unmatched_child, state_on(BIRTH_MATCH, FIRST)
            )
        )
    assert causes(str(match_id)) == ["no_longer_found"]


def test_every_task_that_ended_says_why(settings: Settings, gone: Gone) -> None:
    goes_on = TASK.alias()
    is_continued = (
        sa.select(goes_on.c.task_id)
        .where(goes_on.c.task_id == TASK.c.task_id, goes_on.c.recorded_from == TASK.c.recorded_to)
        .exists()
    )
    says_why = (
        sa.select(TASK_CLOSING.c.task_id)
        .where(TASK_CLOSING.c.task_id == TASK.c.task_id, TASK_CLOSING.c.business_date == TASK.c.recorded_to)
        .exists()
    )
    ended = sa.select(sa.func.count()).where(TASK.c.recorded_to.is_not(None), ~is_continued)
    with registry_session(settings) as connection:
        assert connection.scalar(ended) > 0
        assert connection.scalar(ended.where(~says_why)) == 0
