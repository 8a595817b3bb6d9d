"""Everyone is judged part by part: as at once, and never by the decision of somebody else."""

from datetime import date
from pathlib import Path

import pytest

from connectors.lake_room import StagedRows, rows_of
from connectors.settings import Settings
from etl.subsidy.judge import EVERY_PROGRAMME, judge_everyone
from schemas.refusal import Refusal
from tests.support.families import as_tables, child, man, marriage, woman

DAY = date(2026, 6, 1)
SPOILT = (
    "SELECT * FROM facts WHERE person_id > '11010100000000000003'",
    "SELECT * FROM facts ORDER BY person_id DESC",
)


def judge(folder: Path, policy_names: tuple[str, ...] = EVERY_PROGRAMME) -> dict[str, StagedRows]:
    folder.mkdir()
    # In no order: those who come first are by number among the last.
    numbers = [f"110101{(n * 7 + 3) % 11:014d}" for n in range(11)]
    persons = [
        woman(person_id=number) if n % 2 else man(person_id=number) for n, number in enumerate(numbers)
    ]
    couples = [(numbers[n], numbers[n + 1]) for n in range(0, 10, 2)]
    weddings = [
        marriage(marriage_id=n, husband_person_id=husband, wife_person_id=wife)
        for n, (husband, wife) in enumerate(couples)
    ]
    children = [
        child(relation_id=n, mother_person_id=wife, father_person_id=husband)
        for n, (husband, wife) in enumerate(couples)
    ]
    sources = as_tables(persons, children, weddings)
    return judge_everyone(Settings(var=folder), folder, sources, DAY, names=policy_names)


# Of eleven persons every second one is asked where to cut, every fifth (fewer than ranges), or none.
@pytest.mark.parametrize("one_in", [2, 5, 997])
def test_part_by_part_everyone_is_judged_as_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_in: int
) -> None:
    at_once = judge(tmp_path / "at-once")
    monkeypatch.setattr("etl.subsidy.facts.PERSONS_PER_RANGE", 3)
    monkeypatch.setattr("etl.subsidy.facts.ONE_IN", one_in)
    monkeypatch.setattr("connectors.lake_room.ROWS_PER_GROUP", 2)
    monkeypatch.setattr("connectors.lake_room.GROUPS_PER_PART", 2)
    by_part = judge(tmp_path / "by-part")
    assert {name: each.digest for name, each in by_part.items()} == {
        name: each.digest for name, each in at_once.items()
    }
    for each in by_part.values():
        persons = rows_of(each).column("person_id").to_pylist()
        assert persons == sorted(persons)
        assert len(persons) == 11


def test_a_query_that_loses_or_swaps_persons_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(query: str) -> None:
        monkeypatch.setattr("etl.subsidy.judge.compile_programme", lambda *_: (query, {}))

    asked("SELECT * FROM facts")
    judge(tmp_path / "whole", ("special_assistance",))
    for number, query in enumerate(SPOILT):
        asked(query)
        with pytest.raises(Refusal, match="rows_vanished"):
            judge(tmp_path / str(number), ("special_assistance",))


def test_the_decision_of_somebody_else_is_laid_beside_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "SELECT person_id || '0' AS person_id, 'eligible' AS decision_code FROM facts"
    monkeypatch.setattr("etl.subsidy.judge.compile_programme", lambda *_: (query, {}))
    with pytest.raises(Refusal, match="of others than these 11 persons"):
        judge(tmp_path / "others", ("special_assistance", "reward_assistance"))
