"""A past decision is made again byte for byte, whatever rows and whichever policy came after it."""

import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import yaml
from typer.testing import CliRunner

from connectors.lake import DatasetVersion, table_path
from connectors.lake_layer import held_by
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.cli import app
from etl.subsidy.decide import decide_subsidies
from etl.subsidy.explain import explain_decision
from etl.subsidy.explanation_page import render_page
from etl.subsidy.replay import replay_decisions
from schemas.policy import POLICY
from schemas.refusal import Refusal
from schemas.registry import DECISION_RUN, POLICY_FILE
from tests.integration.etl.subsidy.test_decide import publish
from tests.support.families import as_tables, child, dead_child, man, marriage, woman

JUNE, JULY, AUGUST, SEPTEMBER = (date(2026, month, 15) for month in range(6, 10))
DAYS = (JUNE, JULY, AUGUST, SEPTEMBER)
# Of whom is known what, as of which day and known at which one: printed pages take their time.
SHOWN = {(JULY, JULY), (JULY, AUGUST), (AUGUST, AUGUST)}
RAISED, WAS = "¥600.00", "¥500.00"


def city(day: date) -> Mapping[str, pa.Table]:
    """A bereaved couple, a rural couple, and a mother of 48.

    In July the rural father's hukou is corrected; in August a death of May becomes known; in September a
    woman is born into the records who was there before.
    """
    death = {"life_status_code": "2", "death_date": date(2026, 5, 20)} if day >= AUGUST else {}
    rural = "1" if day >= JULY else "2"
    persons = [
        woman(person_id="A1", **death),
        man(person_id="A2"),
        woman(person_id="B1"),
        man(person_id="B2", hukou_nature_before_reform_code=rural),
        woman(person_id="N1", birth_date=date(1977, 9, 1), marital_status_code="40"),
        *([woman(person_id="S1")] if day >= SEPTEMBER else []),
    ]
    children = [
        dead_child(mother_person_id="A1", father_person_id="A2"),
        child(relation_id=2, mother_person_id="B1", father_person_id="B2"),
        dead_child(relation_id=3, mother_person_id="N1", father_person_id=None),
    ]
    marriages = [
        marriage(husband_person_id="A2", wife_person_id="A1"),
        marriage(marriage_id=2, husband_person_id="B2", wife_person_id="B1"),
    ]
    return as_tables(persons, children, marriages)


def raised_policy(folder: Path) -> Path:
    """Give the policy with a rate announced in May, in force from 1 July, and entered in August."""
    copy = Path(shutil.copytree(POLICY, folder / "policy")).resolve()
    path = copy / "special_assistance" / "monthly_amount_death.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["values"][date(2026, 7, 1)] = {
        **content["values"][date(2014, 1, 1)],
        "value": 60_000,
        "known_since": date(2026, 8, 3),
    }
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return copy


def seen(settings: Settings, day: date) -> dict[Any, Any]:
    """See all that the newest day tells of itself and of the days before it."""
    told: dict[Any, Any] = {}
    for as_of in (other for other in DAYS if other <= day):
        told[as_of, day, "replayed"] = replay_decisions(settings, as_of, day)
        if (as_of, day) in SHOWN:
            told[as_of, day, "page"] = render_page(explain_decision(settings, as_of, "A2", day), "A2")
    return told


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Mapping[date, Path]:
    """The folder that decides each day: another one from August on."""
    raised = raised_policy(tmp_path_factory.mktemp("raised"))
    return {day: raised if day >= AUGUST else POLICY for day in DAYS}


@pytest.fixture(scope="module")
def decided(settings: Settings, policies: Mapping[date, Path]) -> Mapping[Any, Any]:
    """Decide the days one after the other; keep what each told of itself and of those before it."""
    then: dict[Any, Any] = {}
    for day in DAYS:
        publish(settings, city(day), day)
        decide_subsidies(settings, day, policy=policies[day])
        then |= seen(settings, day)
    return then


def test_every_past_decision_is_made_again_byte_for_byte(
    settings: Settings, decided: Mapping[Any, Any]
) -> None:
    for day in DAYS:
        for replayed in replay_decisions(settings, day):
            assert replayed.is_same, (day, replayed.programme_code)
            assert replayed.differing == 0
            assert replayed.business_date == replayed.known_at == day
            assert len(replayed.inputs) == 3
    policies = {each.policy_version for day in DAYS for each in replay_decisions(settings, day)}
    # Of T there are two, of J one: its amounts did not change.
    assert len(policies) == 3


def test_what_a_later_day_told_of_an_earlier_one_is_told_again(
    settings: Settings, decided: Mapping[Any, Any]
) -> None:
    """Each pair of days, after all later rows and policies: replays and printed pages have the same bytes."""
    now: dict[Any, Any] = {}
    for day in DAYS:
        now |= seen(settings, day)
    assert now == decided


def test_what_became_known_later_changes_the_day_only_as_known_later(decided: Mapping[Any, Any]) -> None:
    # The death of 20 May is known from August on; then the decision about July reads otherwise.
    (special, _), (hindsight, _) = decided[JULY, JULY, "replayed"], decided[JULY, AUGUST, "replayed"]
    assert special.counts["eligible"] == 2
    assert hindsight.counts["eligible"] == 1
    # Of the widower only the amount differs.
    assert hindsight.differing == 2


def test_a_rate_announced_in_may_in_force_in_july_and_entered_in_august_is_paid_from_august(
    settings: Settings, decided: Mapping[Any, Any]
) -> None:
    assert WAS in decided[JULY, JULY, "page"]
    assert RAISED in decided[AUGUST, AUGUST, "page"]
    # By what is known in August July is paid more: that is owed for the past.
    assert RAISED in decided[JULY, AUGUST, "page"]


def test_a_record_that_cites_other_decisions_is_told(settings: Settings, decided: Mapping[Any, Any]) -> None:
    of_june = (DECISION_RUN.c.programme_code == "T", DECISION_RUN.c.business_date == JUNE)
    with registry_session(settings) as connection:
        cited = connection.scalar(sa.select(DECISION_RUN.c.decisions).where(*of_june))
        of_august = sa.select(DECISION_RUN.c.decisions).where(
            DECISION_RUN.c.programme_code == "T", DECISION_RUN.c.business_date == AUGUST
        )
        other = connection.scalar(of_august)
        connection.execute(sa.update(DECISION_RUN).where(*of_june).values(decisions=other))
    try:
        special, _ = replay_decisions(settings, JUNE)
        assert not special.is_same
        assert special.differing
    finally:
        with registry_session(settings) as connection:
            connection.execute(sa.update(DECISION_RUN).where(*of_june).values(decisions=cited))


@pytest.mark.parametrize("dataset", ["decision.special_assistance", "staging.family_child"])
def test_a_version_whose_file_was_touched_is_told(
    settings: Settings, decided: Mapping[Any, Any], dataset: str
) -> None:
    with registry_session(settings) as connection:
        run = connection.execute(sa.select(DECISION_RUN).where(DECISION_RUN.c.business_date == JUNE)).first()
    assert run is not None
    (cited,) = (text for text in (*run.inputs, run.decisions) if text.startswith(dataset))
    version = DatasetVersion.parse(cited)
    (file,) = held_by(table_path(settings, version.name), version.version).files
    kept = file.read_bytes()
    rows = pq.read_table(file)
    first = rows.slice(0, 1)
    pq.write_table(pa.concat_tables([first, first, rows.slice(2)]), file)
    try:
        with pytest.raises(Refusal, match=f"version_tampered.*{dataset}"):
            replay_decisions(settings, JUNE)
    finally:
        file.write_bytes(kept)
    assert all(each.is_same for each in replay_decisions(settings, JUNE))


def test_a_policy_that_was_touched_is_told(settings: Settings, decided: Mapping[Any, Any]) -> None:
    with registry_session(settings) as connection:
        folder = connection.scalar(
            sa.select(DECISION_RUN.c.policy_folder).where(DECISION_RUN.c.business_date == JUNE).limit(1)
        )
        is_file = (
            POLICY_FILE.c.policy_folder == folder,
            POLICY_FILE.c.path == "special_assistance/wife_age.yaml",
        )
        kept = str(connection.scalar(sa.select(POLICY_FILE.c.content).where(*is_file)))
        touched = kept.replace("value: 49", "value: 48")
        assert touched != kept
        connection.execute(sa.update(POLICY_FILE).where(*is_file).values(content=touched))
    try:
        with pytest.raises(Refusal, match="policy_tampered"):
            replay_decisions(settings, JUNE)
        with pytest.raises(Refusal, match="policy_tampered"):
            explain_decision(settings, JUNE, "A1")
    finally:
        with registry_session(settings) as connection:
            connection.execute(sa.update(POLICY_FILE).where(*is_file).values(content=kept))


def test_a_folder_that_did_not_decide_is_refused(
    settings: Settings, decided: Mapping[Any, Any], policies: Mapping[date, Path]
) -> None:
    with pytest.raises(Refusal, match="policy_differs"):
        replay_decisions(settings, JUNE, policy=policies[AUGUST])
    assert all(each.is_same for each in replay_decisions(settings, JUNE, policy=POLICY))


def test_a_day_is_not_known_before_it_comes(settings: Settings, decided: Mapping[Any, Any]) -> None:
    with pytest.raises(Refusal, match="known_before"):
        replay_decisions(settings, JULY, JUNE)


def test_the_command_says_what_it_rests_on_and_whether_it_is_the_same(
    settings: Settings, decided: Mapping[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.commands.subsidy.ready_settings", lambda: nullcontext(settings))
    told = CliRunner().invoke(app, ["subsidy", "replay", "--as-of", str(JUNE)])
    assert told.exit_code == 0, told.output
    assert " ".join(told.output.split()).count("the same bytes as on record") == 2
    assert "staging.population_person@0" in told.output
    later = CliRunner().invoke(app, ["subsidy", "replay", "--as-of", str(JULY), "--known-at", str(AUGUST)])
    assert later.exit_code == 0, later.output
    assert "2 persons are decided otherwise" in " ".join(later.output.split())
