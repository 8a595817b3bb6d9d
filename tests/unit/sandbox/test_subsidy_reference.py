"""The plain rules of T and J, case by case."""
# ruff: noqa: E501 - the cases are a table, one a line

from datetime import date

import pytest

from sandbox.truth.subsidy import Child, Marriage, Person, decide_everyone, has_reached

ON = date(2026, 6, 1)
WIFE = Person("W", "2", date(1960, 3, 1), "1", "110111001201", "9", "2", "21", "DS1")
MAN = Person("M", "1", date(1958, 3, 1), "1", "110111001201", "9", "2", "21", "DS1")
MARRIED = Marriage(1, "M", "W", date(1982, 1, 1), None)
SON = Child(1, "W", "M", date(1985, 5, 5), "1", None, "1", None, None, True, None, None)
DEAD = SON._replace(alive=False, death_date=date(2020, 1, 1), death_proof_by="3")
GIRLS = [SON._replace(relation_id=number, child_sex="2") for number in (1, 2)]

CASES = [
    # situation, persons, children, marriages, T and J of the wife
    ("one living child", [WIFE, MAN], [SON], [MARRIED], "-", "eligible one_child"),
    ("two girls", [WIFE, MAN], GIRLS, [MARRIED], "-", "eligible two_girls"),
    ("a girl and a boy", [WIFE, MAN], [GIRLS[0], SON], [MARRIED], "-", "-"),
    ("no child ever", [WIFE, MAN], [], [MARRIED], "-", "-"),
    ("only child died", [WIFE, MAN], [DEAD], [MARRIED], "eligible death", "-"),
    ("death without proof", [WIFE, MAN], [DEAD._replace(death_proof_by=None)], [MARRIED], "unknown", "unknown"),
    (
        "disabled at level 3",
        [WIFE, MAN],
        [SON._replace(disability_level="3", disability_cert_no="1")],
        [MARRIED],
        "eligible disability",
        "-",
    ),
    (
        "disabled at level 4",
        [WIFE, MAN],
        [SON._replace(disability_level="4", disability_cert_no="1")],
        [MARRIED],
        "-",
        "eligible one_child",
    ),
    ("disabled without certificate", [WIFE, MAN], [SON._replace(disability_level="1")], [MARRIED], "unknown", "unknown"),
    ("no only-child certificate", [WIFE._replace(only_child_cert_no=None), MAN], [DEAD], [MARRIED], "unknown", "unknown"),
    ("of two children one died", [WIFE, MAN], [DEAD, GIRLS[1]], [MARRIED], "-", "eligible one_child"),
    ("both of two children died", [WIFE, MAN], [DEAD, DEAD._replace(relation_id=2)], [MARRIED], "-", "eligible no_living_child"),
    ("born in 1932", [WIFE._replace(birth_date=date(1932, 12, 31)), MAN], [SON], [MARRIED], "-", "-"),
    ("not yet sixty", [WIFE._replace(birth_date=date(1966, 6, 2)), MAN], [SON], [MARRIED], "-", "-"),
    ("sixty today", [WIFE._replace(birth_date=date(1966, 6, 1)), MAN], [SON], [MARRIED], "-", "eligible one_child"),
    ("hukou of the husband was urban", [WIFE, MAN._replace(hukou_nature_before_reform="1")], [SON], [MARRIED], "-", "-"),
    ("hukou of the husband unknown", [WIFE, MAN._replace(hukou_nature_before_reform=None, hukou_nature=None)], [SON], [MARRIED], "-", "unknown"),
    ("husband not in the register", [WIFE], [SON], [MARRIED], "-", "unknown"),
    ("married, but to nobody on record", [WIFE, MAN], [SON], [], "-", "unknown"),
    ("widowed", [WIFE._replace(marital_status="30")], [SON], [], "-", "eligible one_child"),
    ("divorced last year", [WIFE._replace(marital_status="40"), MAN._replace(hukou_nature_before_reform="1")], [SON], [MARRIED._replace(end_date=date(2025, 1, 1))], "-", "eligible one_child"),
    ("a birth outside policy", [WIFE, MAN], [SON._replace(policy_attr="2")], [MARRIED], "-", "-"),
    ("policy of a birth unknown", [WIFE, MAN], [SON._replace(policy_attr=None)], [MARRIED], "-", "unknown"),
    ("adopted outside policy", [WIFE, MAN], [SON._replace(policy_attr="2", adopted_date=date(1990, 1, 1))], [MARRIED], "-", "eligible one_child"),
    ("unlawful, but before 1973", [WIFE, MAN], [SON._replace(policy_attr="2", child_birth_date=date(1972, 12, 31))], [MARRIED], "-", "eligible one_child"),
    ("hukou elsewhere", [WIFE._replace(hukou_division="130102000000"), MAN], [DEAD], [MARRIED], "-", "-"),
    ("dead", [WIFE._replace(life_status="2"), MAN], [DEAD], [MARRIED], "-", "-"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("persons", "children", "marriages", "t", "j"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_decisions_of_the_wife(persons, children, marriages, t, j):
    found = {
        d.programme_code: d for d in decide_everyone(persons, children, marriages, ON) if d.person_id == "W"
    }
    written = {code: " ".join(filter(None, (d.decision_code, d.category_code))) for code, d in found.items()}
    assert (written.get("T", "-"), written.get("J", "-")) == (t, j)


@pytest.mark.parametrize(
    ("situation", "wife_born", "man_born", "status", "marriages", "expected"),
    [
        ("the wife is 49 today", date(1977, 6, 1), date(1980, 1, 1), "21", [MARRIED], "eligible"),
        ("the wife is 49 tomorrow", date(1977, 6, 2), date(1950, 1, 1), "21", [MARRIED], "-"),
        ("a widower is asked for his own age", date(1977, 6, 2), date(1950, 1, 1), "30", [], "eligible"),
        ("a young widower", date(1960, 1, 1), date(1980, 1, 1), "30", [], "-"),
        ("nobody knows his wife", date(1960, 1, 1), date(1950, 1, 1), "90", [], "unknown"),
    ],
)  # fmt: skip
def test_the_age_that_counts_for_a_man_is_his_wifes(
    situation, wife_born, man_born, status, marriages, expected
):
    persons = [WIFE._replace(birth_date=wife_born), MAN._replace(birth_date=man_born, marital_status=status)]
    child = DEAD._replace(child_birth_date=date(2000, 1, 1))
    found = [
        d
        for d in decide_everyone(persons, [child], marriages, ON)
        if d.person_id == "M" and d.programme_code == "T"
    ]
    assert (found[0].decision_code if found else "-") == expected


def test_of_two_marriages_in_force_the_later_counts():
    other = WIFE._replace(person_id="V", hukou_nature_before_reform="1")
    marriages = [MARRIED, Marriage(2, "M", "V", date(2001, 1, 1), None)]
    found = decide_everyone([WIFE, MAN, other], [SON], marriages, ON)
    assert not [d for d in found if d.person_id == "M" and d.programme_code == "J"]


@pytest.mark.parametrize(
    ("on", "reached"),
    [(date(2025, 2, 28), False), (date(2025, 3, 1), True), (date(2024, 2, 29), True)],
)
def test_born_on_29_february_one_is_of_age_on_1_march_of_common_years(on, reached):
    assert has_reached(on.year - 1976, date(1976, 2, 29), on) is reached
