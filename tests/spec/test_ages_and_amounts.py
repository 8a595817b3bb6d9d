"""Days on which an age is reached or an amount changes: the day itself, and the day before."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.policy import POLICY, load_parameter
from schemas.programme_file import load_programme
from schemas.refusal import Refusal
from tests.support.families import child, dead_child, decide, disabled_child, man, marriage, woman

# A mother whose only child died, born as shown: is she of age for special assistance (49) on the day?
LEAP_BIRTHDAYS = [
    # born, day, read as 1 March, read as 28 February
    (date(1976, 2, 29), date(2025, 2, 27), False, False),
    (date(1976, 2, 29), date(2025, 2, 28), False, True),
    (date(1976, 2, 29), date(2025, 3, 1), True, True),
    (date(1976, 2, 28), date(2025, 2, 27), False, False),
    (date(1976, 2, 28), date(2025, 2, 28), True, True),
    (date(1976, 3, 1), date(2025, 2, 28), False, False),
    (date(1976, 3, 1), date(2025, 3, 1), True, True),
    (date(1975, 2, 28), date(2024, 2, 28), True, True),
    (date(1975, 3, 1), date(2024, 2, 29), False, False),
    (date(1975, 3, 1), date(2024, 3, 1), True, True),
]
# The same for reward assistance (60), where a leap birthday always falls into a leap year.
LEAP_SIXTIETHS = [
    (date(1964, 2, 29), date(2024, 2, 28), False),
    (date(1964, 2, 29), date(2024, 2, 29), True),
    (date(1964, 3, 1), date(2024, 2, 29), False),
    (date(1964, 3, 1), date(2024, 3, 1), True),
]


@pytest.fixture(scope="module")
def read_as_28_february(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("policy") / "policy"
    shutil.copytree(POLICY, copy)
    choice = copy / "age" / "leap_birthday.yaml"
    text = choice.read_text(encoding="utf-8")
    choice.write_text(text.replace('value: "03-01"', 'value: "02-28"'), encoding="utf-8")
    return copy


def is_of_age_for_t(born: date, day: date, policy: Path = POLICY) -> bool:
    decisions = decide([woman(birth_date=born)], [dead_child()], [], day, policy)
    return decisions["special_assistance", "W"]["clause_age_49"] is True


@pytest.mark.parametrize(("born", "day", "read_as_march", "read_as_february"), LEAP_BIRTHDAYS)
def test_49_is_reached_on_the_birthday(
    born: date, day: date, read_as_march: bool, read_as_february: bool, read_as_28_february: Path
) -> None:
    assert is_of_age_for_t(born, day) is read_as_march
    assert is_of_age_for_t(born, day, read_as_28_february) is read_as_february


@pytest.mark.parametrize(("born", "day", "is_of_age"), LEAP_SIXTIETHS)
def test_60_is_reached_on_the_birthday(born: date, day: date, is_of_age: bool) -> None:
    decisions = decide([woman(birth_date=born)], [child()], [], day)
    assert decisions["reward_assistance", "W"]["clause_age_60"] is is_of_age


# Fen per person, from the day shown; as in docs/policy.md.
AMOUNTS = [
    ("reward_assistance", "one_child", date(2005, 1, 1), 60_000),
    ("reward_assistance", "two_girls", date(2008, 1, 1), 120_000),
    ("reward_assistance", "no_living_child", date(2014, 1, 1), 144_000),
    ("special_assistance", "death", date(2008, 1, 1), 20_000),
    ("special_assistance", "death", date(2014, 1, 1), 50_000),
    ("special_assistance", "disability", date(2008, 1, 1), 16_000),
    ("special_assistance", "disability", date(2014, 1, 1), 40_000),
]


@pytest.mark.parametrize(("programme_name", "category_code", "day", "amount_fen"), AMOUNTS)
def test_an_amount_changes_on_its_day_and_not_before(
    programme_name: str, category_code: str, day: date, amount_fen: int
) -> None:
    programme = load_programme(programme_name)
    (category,) = (category for category in programme.categories if category.code == category_code)
    assert programme.amount_on(category, day).value == amount_fen
    assert programme.amount_on(category, day).jurisdiction == "110000"
    try:
        before = programme.amount_on(category, day - timedelta(days=1))
    except Refusal as refusal:
        assert refusal.code == "policy_value_missing"  # noqa: PT017 - before the first rate there is none
    else:
        assert before.value != amount_fen or before.jurisdiction == "000000"


@pytest.mark.parametrize(
    ("children", "programme", "who", "day", "amount_fen", "unit"),
    [
        ([dead_child()], "special_assistance", "W", date(2013, 12, 31), 20_000, "month"),
        ([dead_child()], "special_assistance", "W", date(2014, 1, 1), 50_000, "month"),
        ([disabled_child()], "special_assistance", "M", date(2026, 6, 1), 40_000, "month"),
        ([child()], "reward_assistance", "M", date(2026, 6, 1), 144_000, "year"),
    ],
)
def test_the_decision_carries_the_amount_of_its_day(
    children: list[dict[str, object]], programme: str, who: str, day: date, amount_fen: int, unit: str
) -> None:
    decision = decide([woman(), man()], children, [marriage()], day)[programme, who]
    assert (decision["amount_fen"], decision["amount_unit"]) == (amount_fen, unit)


def test_without_a_beijing_rate_the_national_rate_holds(tmp_path: Path) -> None:
    copy = tmp_path / "policy"
    shutil.copytree(POLICY, copy)
    rates = copy / "special_assistance" / "monthly_amount_death.yaml"
    rates.write_text(
        rates.read_text(encoding="utf-8")
        .replace("2008-01-01:", "2030-01-01:")
        .replace("2014-01-01:", "2031-01-01:")
    )
    decision = decide([woman()], [dead_child()], [], date(2026, 6, 1), copy)["special_assistance", "W"]
    assert decision["amount_fen"] == 59_000


# Every row of J and T of the reference list of rates, in yuan: whose, from when, kind, amount.
RATES = [
    ("reward_assistance/national_annual_amount", "2004-01-01", None, 600),
    ("reward_assistance/national_annual_amount", "2009-01-01", None, 720),
    ("reward_assistance/national_annual_amount", "2012-01-01", None, 960),
    ("reward_assistance/annual_amount", "2005-01-01", None, 600),
    ("reward_assistance/annual_amount", "2008-01-01", None, 1200),
    ("reward_assistance/annual_amount", "2014-01-01", None, 1440),
    ("special_assistance/national_monthly_amount_death", "2008-01-01", None, 100),
    ("special_assistance/national_monthly_amount_disability", "2008-01-01", None, 80),
    ("special_assistance/national_monthly_amount_death", "2012-01-01", None, 135),
    ("special_assistance/national_monthly_amount_disability", "2012-01-01", None, 110),
    ("special_assistance/national_monthly_amount_death", "2014-01-01", "urban", 340),
    ("special_assistance/national_monthly_amount_death", "2014-01-01", "rural", 170),
    ("special_assistance/national_monthly_amount_disability", "2014-01-01", "urban", 270),
    ("special_assistance/national_monthly_amount_disability", "2014-01-01", "rural", 150),
    ("special_assistance/national_monthly_amount_death", "2016-01-01", "rural", 340),
    ("special_assistance/national_monthly_amount_disability", "2016-01-01", "rural", 270),
    ("special_assistance/national_monthly_amount_death", "2018-01-01", None, 450),
    ("special_assistance/national_monthly_amount_disability", "2018-01-01", None, 350),
    ("special_assistance/national_monthly_amount_death", "2022-07-01", None, 590),
    ("special_assistance/national_monthly_amount_disability", "2022-07-01", None, 460),
    ("special_assistance/national_monthly_amount_complication_1", "2018-01-01", None, 400),
    ("special_assistance/national_monthly_amount_complication_2", "2018-01-01", None, 300),
    ("special_assistance/national_monthly_amount_complication_3", "2018-01-01", None, 200),
    ("special_assistance/national_monthly_amount_complication_1", "2022-07-01", None, 520),
    ("special_assistance/national_monthly_amount_complication_2", "2022-07-01", None, 390),
    ("special_assistance/national_monthly_amount_complication_3", "2022-07-01", None, 260),
    ("special_assistance/monthly_amount_death", "2008-01-01", None, 200),
    ("special_assistance/monthly_amount_disability", "2008-01-01", None, 160),
    ("special_assistance/monthly_amount_death", "2014-01-01", None, 500),
    ("special_assistance/monthly_amount_disability", "2014-01-01", None, 400),
]


@pytest.mark.parametrize(("name", "day", "kind", "yuan"), RATES)
def test_every_rate_found_is_on_record(name: str, day: str, kind: str | None, yuan: int) -> None:
    entry = load_parameter(name).entry_on(date.fromisoformat(day), kind)
    assert (entry.value, str(entry.valid_from)) == (yuan * 100, day)


def test_the_urban_rate_of_2014_went_on_in_2016() -> None:
    for category, yuan in (("death", 340), ("disability", 270)):
        rates = load_parameter(f"special_assistance/national_monthly_amount_{category}")
        assert rates.on(date(2017, 12, 31), "urban") == yuan * 100


@pytest.mark.parametrize(("category", "yuan"), [("disability", 740), ("death", 900)])
def test_a_rate_without_a_start_date_is_listed_and_never_computed_with(category: str, yuan: int) -> None:
    rates = load_parameter(f"special_assistance/monthly_amount_{category}")
    assert [entry.value for entry in rates.undated] == [yuan * 100]
    assert all(rates.on(date(year, 12, 31)) != yuan * 100 for year in range(2008, 2040))
