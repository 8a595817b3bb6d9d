"""Births of nights that build upon one another are those of a full run; what a person undid stays undone.

Rows of both sides come, change and go; after each night people undo links, or say that two are one after
all. In the end everything is conformed and reconciled anew, as `--full` does: links, findings, situations,
values that survive, tasks and why they ended must be as the nights left them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.lake import (
    Reconciled,
    adopt_version,
    candidate_on,
    point_dataset,
    publish_dataset,
    read_dataset,
    table_path,
    version_on,
)
from connectors.lake_layer import held_by
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.births.deciding import decide_pair, unlink_birth
from etl.births.reconcile import reconcile_births
from etl.conform.population import conform_population
from schemas.refusal import Refusal
from schemas.registry import (
    BIRTH_MATCH,
    LINK_REVIEW,
    PAIR_VERDICT,
    TASK,
    TASK_CLOSING,
)
from tests.property.test_layer_laws import PERSONS, TABLES, Act, Night, Source, forget, numbered
from tests.support.births import record, staged

FIRST = date(2026, 6, 1)
NOW = datetime(2026, 6, 2, 9, tzinfo=UTC)
WHY = "asked the family and the hospital"
MOTHERS = range(5)
OTHER_VILLAGE = "110105001001"
# What the births of a date are on record as.
FOUND = (BIRTH_MATCH, LINK_REVIEW, TASK, TASK_CLOSING)


class Day(NamedTuple):
    """What happened before a night in the population database and at MCH; then of whom people speak."""

    acts: Sequence[Act] = ()
    reports: Mapping[str, Mapping[str, Any] | None] = {}
    unlinked: Sequence[int] = ()
    joined: Sequence[int] = ()


def certificate(number: int) -> str:
    return f"S11000000{number}"


def mother(number: int, **said: str | None) -> Act:
    return Act("population_person", PERSONS[number], [{"id_number": numbered(number), **said}])


def kid(number: int, **said: str | None) -> Act:
    """Draw the daughter of a mother, known by her certificate."""
    clean = {
        "mother_person_id": PERSONS[number % len(MOTHERS)], "father_person_id": None, "child_name": "李安",
        "child_birth_date": "2026-05-20", "child_sex": "2", "child_id_type": None, "child_id_number": None,
        "birth_cert_no": certificate(number),
    }  # fmt: skip
    return Act("family_child", str(number + 1), [{**clean, **said}])


def gone(table: str, key: str) -> Act:
    return Act(table, key, [])


def report(number: int, **said: Any) -> dict[str, Any]:
    of_mother = {"mother_id_number": numbered(number % len(MOTHERS)), "mother_name": "李秀英"}
    number_of = {"birth_certificate_number": certificate(number)}
    return record(f"m{number}", **{**of_mother, **number_of, **said})


AT_FIRST = Day(
    acts=[*map(mother, MOTHERS), *map(kid, MOTHERS)],
    reports={f"m{number}": report(number) for number in MOTHERS},
)

CHILDREN = st.fixed_dictionaries(
    {},
    optional={
        "mother_person_id": st.sampled_from([*PERSONS[:5], None]),
        "child_birth_date": st.sampled_from(["2026-05-20", "2026-05-21", "2026-05-02"]),
        "child_sex": st.sampled_from(["1", "2"]),
        "birth_cert_no": st.sampled_from([None, *map(certificate, range(6)), "S11"]),
        "child_name": st.sampled_from(["李安", "李宁", "王芳之女"]),
        "alive": st.sampled_from(["true", "false"]),
    },
)
MOTHER_ROWS = st.fixed_dictionaries(
    {},
    optional={
        "id_number": st.sampled_from([None, *map(numbered, MOTHERS)]),
        "residence_division": st.just(OTHER_VILLAGE),
        "name": st.sampled_from(["李秀英", "李秀瑛"]),
    },
)
REPORTS = st.fixed_dictionaries(
    {},
    optional={
        "mother_id_number": st.sampled_from([None, *map(numbered, MOTHERS)]),
        "birth_certificate_number": st.sampled_from([None, *map(certificate, range(7))]),
        "previous_certificate_number": st.sampled_from([None, *map(certificate, MOTHERS)]),
        "issue_kind_code": st.sampled_from(["1", "2"]),
        "child_sex_code": st.sampled_from(["1", "2"]),
        "child_name": st.sampled_from([None, "李安", "李宁"]),
        "status_code": st.sampled_from(["1", "1", "2"]),
        "outcome_code": st.sampled_from(["1", "1", "1", "4"]),
    },
)
ACTS = st.one_of(
    st.builds(lambda number, said: kid(number, **said), st.integers(0, 5), CHILDREN),
    st.builds(lambda number: gone("family_child", str(number + 1)), st.integers(0, 5)),
    st.builds(lambda number, said: mother(number, **said), st.sampled_from(MOTHERS), MOTHER_ROWS),
    st.builds(lambda number: gone("population_person", PERSONS[number]), st.sampled_from(MOTHERS)),
)
NEWS = st.dictionaries(st.integers(0, 6), st.one_of(REPORTS, st.none()), max_size=2).map(
    lambda drawn: {
        f"m{number}": None if said is None else report(number, **said) for number, said in drawn.items()
    }
)
WORDS = st.lists(st.integers(0, 9), max_size=1)
DAYS = st.builds(Day, st.lists(ACTS, max_size=4), NEWS, WORDS, WORDS)


def histories(nights: int) -> st.SearchStrategy[list[Day]]:
    return st.tuples(WORDS, st.lists(DAYS, min_size=nights, max_size=nights)).map(
        lambda drawn: [AT_FIRST._replace(unlinked=drawn[0]), *drawn[1]]
    )


def conform(settings: Settings, day: date, *, is_full: bool = False) -> None:
    """Conform the population of a date, and publish it as the gate would."""
    conform_population(settings, day, is_full=is_full)
    with registry_session(settings) as connection:
        for table in TABLES:
            for zone in ("staging", "quarantine"):
                point_dataset(connection, candidate_on(connection, f"{zone}.{table}", day), day)


def report_births(settings: Settings, day: date, rows: Sequence[Mapping[str, Any]]) -> None:
    """Publish what MCH says on a date."""
    table = staged(records=rows)["mch_birth"]
    counts = Reconciled(table.num_rows, table.num_rows, 0)
    with registry_session(settings) as connection:
        publish_dataset(connection, settings, "staging.mch_birth", table, day, counts=counts, inputs=[])


def linked(settings: Settings, day: date) -> dict[str, tuple[set[str], int]]:
    """Tell the links of a night: the records of the birth, and the child."""
    columns = BIRTH_MATCH.c
    is_link = sa.and_(columns.mch_record_id.is_not(None), columns.relation_id.is_not(None))
    chosen = sa.select(BIRTH_MATCH).where(is_link, state_on(BIRTH_MATCH, day)).order_by(columns.match_id)
    with registry_session(settings) as connection:
        return {
            row.match_id: ({row.mch_record_id, *row.folded_record_ids}, row.relation_id)
            for row in connection.execute(chosen)
        }


def speak(settings: Settings, day: date, told: Day) -> None:
    """Undo links of the night, then say of pairs that are not linked that they are one after all."""
    for number in told.unlinked:
        links = sorted(linked(settings, day))
        if links:
            unlink_birth(settings, links[number % len(links)], "li", WHY, NOW)
    for number in told.joined:
        with registry_session(settings) as connection:
            columns = (BIRTH_MATCH.c.match_id, LINK_REVIEW.c.match_id)
            known = [*connection.scalars(sa.select(columns[0])), *connection.scalars(sa.select(columns[1]))]
        try:
            decide_pair(settings, sorted(set(known))[number % len(set(known))], "same", "wang", WHY, NOW)
        except Refusal:
            continue  # No pair, or one of the two is one with somebody else.


def on_record(settings: Settings, day: date) -> dict[str, list[Any]]:
    """Read all that is known of births: the registry with its history, and the lake's rows of the date."""
    found: dict[str, list[Any]] = {}
    with registry_session(settings) as connection:
        for table in FOUND:
            of_births = [table.c.process_name == "births"] if "process_name" in table.c else []
            rows = connection.execute(sa.select(table).where(*of_births).order_by(*table.primary_key))
            found[table.name] = [tuple(row) for row in rows]
        for name in ("core.birth_match", "core.birth_field"):
            found[name] = read_dataset(settings, version_on(connection, name, day)).to_pylist()
    return found


def live(settings: Settings, history: Sequence[Day]) -> date:
    """Live through a history, each night built upon the one before; tell its last date."""
    forget(settings)
    with registry_session(settings) as connection:
        for table in (*FOUND, PAIR_VERDICT):
            connection.execute(sa.delete(table))
    source, reports = Source(), {}
    for number, told in enumerate(history):
        day = FIRST + timedelta(days=number)
        source.land(Night(told.acts), day, (settings,))
        conform(settings, day)
        reports |= told.reports
        rows = [row for _, row in sorted(reports.items()) if row is not None]
        report_births(settings, day, rows)
        reconcile_births(settings, day)
        speak(settings, day, told)
    return day


def undone(settings: Settings, day: date) -> list[tuple[set[str], int]]:
    """Tell which pairs people had told apart before a date, and joined no child of them since."""
    columns = PAIR_VERDICT.c
    chosen = sa.select(PAIR_VERDICT).where(columns.business_date < day)
    with registry_session(settings) as connection:
        rows = connection.execute(chosen.order_by(columns.business_date)).mappings().all()
    return [
        (set(row["record_ids"]), row["relation_id"])
        for row in rows
        if row["verdict_code"] == "different"
        and not any(
            (later["verdict_code"], later["relation_id"]) == ("same", row["relation_id"])
            and later["business_date"] >= row["business_date"]
            for later in rows
        )
    ]


def assert_apart(settings: Settings, day: date, apart: Sequence[tuple[set[str], int]]) -> None:
    """Look for links of a date that people had undone, under whatever record of the birth."""
    links = linked(settings, day).values()
    assert not [
        child for records, child in links for told, other in apart if child == other and records & told
    ]


class Lived(NamedTuple):
    """What nights left: their last date, all that is known of births, and which pairs people told apart."""

    day: date
    found: Mapping[str, list[Any]]
    apart: Sequence[tuple[set[str], int]]


def lived_through(settings: Settings, history: Sequence[Day]) -> Lived:
    day = live(settings, history)
    return Lived(day, on_record(settings, day), undone(settings, day))


def assert_a_full_run_finds_the_same(settings: Settings, lived: Lived) -> None:
    """Conform and reconcile the last date as a whole, and hold it against what the nights left."""
    assert_apart(settings, lived.day, lived.apart)
    conform(settings, lived.day, is_full=True)
    reconcile_births(settings, lived.day)
    assert_apart(settings, lived.day, lived.apart)
    after = on_record(settings, lived.day)
    for name, rows in lived.found.items():
        assert after[name] == rows, name


def layered(settings: Settings, day: date) -> bool:
    with registry_session(settings) as connection:
        version = version_on(connection, "staging.family_child", day)
    return held_by(table_path(settings, version.name), version.version).layer is not None


REISSUE = report(
    5, mother_id_number=numbered(0), birth_certificate_number=certificate(6), issue_kind_code="2",
    previous_certificate_number=certificate(0), issue_date=date(2026, 6, 1),
)  # fmt: skip
# Each night something that a link or a task rests on: a slip and its end, a child without a certificate, one
# that goes and comes again, a mother with another number, a reissue, a report that is void; and words.
MANY_THINGS = [
    AT_FIRST._replace(unlinked=[0]),
    Day(
        [kid(1, child_birth_date="2026-05-21"), kid(2, birth_cert_no=None), gone("family_child", "4")],
        {"m5": REISSUE},
        unlinked=[1],
    ),
    Day(
        [mother(2, id_number=numbered(5)), kid(3), kid(1, child_birth_date="2026-05-20"), kid(5)],
        {"m4": report(4, status_code="2")},
        joined=[0, 1, 2, 3],
    ),
    Day([kid(4, child_sex="1"), mother(0, residence_division=OTHER_VILLAGE)], {"m4": report(4)}),
]  # fmt: skip


@pytest.fixture(scope="module")
def lived(settings: Settings) -> Lived:
    return lived_through(settings, MANY_THINGS)


def test_many_things_through_nights_are_what_a_full_run_finds(settings: Settings, lived: Lived) -> None:
    assert layered(settings, lived.day)
    assert lived.apart
    assert len({closing[3] for closing in lived.found[TASK_CLOSING.name]}) > 1
    assert_a_full_run_finds_the_same(settings, lived)


def test_a_run_that_forgets_what_people_said_is_caught(settings: Settings, lived: Lived) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.delete(PAIR_VERDICT))
    reconcile_births(settings, lived.day)
    assert on_record(settings, lived.day)[BIRTH_MATCH.name] != lived.found[BIRTH_MATCH.name]
    with pytest.raises(AssertionError):
        assert_apart(settings, lived.day, lived.apart)


def test_a_night_that_misses_what_changed_is_caught(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law can fail: a night that takes over the rows of the night before is found out."""
    as_it_is = conform

    def stale(settings: Settings, day: date, *, is_full: bool = False) -> None:
        as_it_is(settings, day, is_full=is_full)
        if is_full or day == FIRST:
            return
        with registry_session(settings) as connection:
            before = version_on(connection, "staging.family_child", day - timedelta(days=1))
            adopt_version(connection, before, day)

    monkeypatch.setattr(f"{__name__}.conform", stale)
    with pytest.raises(AssertionError):
        assert_a_full_run_finds_the_same(settings, lived_through(settings, MANY_THINGS[:2]))


def check(settings: Settings, examples: int, nights: int) -> None:
    @hypothesis_settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    @given(histories(nights))
    def holds(history: list[Day]) -> None:
        assert_a_full_run_finds_the_same(settings, lived_through(settings, history))

    holds()


def test_births_of_nights_are_those_of_a_full_run(settings: Settings) -> None:
    check(settings, 2, 2)


@pytest.mark.deep
def test_births_of_nights_are_those_of_a_full_run_in_many_histories(settings: Settings) -> None:
    check(settings, 60, 5)
