"""The programmes decided by hand: one person at a time, in plain Python, slow and obvious.

Written from the rules and not from the SQL, so that a mistake has to be made twice to go unnoticed.
A clause is True, False or None (nobody can tell).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tests.support.families import Row

Answer = bool | None


@dataclass(frozen=True)
class City:
    """All rows of a city on one day."""

    persons: Sequence[Row]
    children: Sequence[Row]
    marriages: Sequence[Row]
    day: date
    complications: Sequence[Row] = ()

    def person(self, person_id: str) -> Row | None:
        for row in self.persons:
            if row["person_id"] == person_id:
                return row
        return None

    def children_of(self, person_id: str) -> list[Row]:
        return [
            row for row in self.children if person_id in (row["mother_person_id"], row["father_person_id"])
        ]

    def spouse_id_of(self, person_id: str) -> str | None:
        best: Row | None = None
        for row in self.marriages:
            if person_id not in (row["husband_person_id"], row["wife_person_id"]):
                continue
            if row["event_date"] > self.day or (row["end_date"] is not None and row["end_date"] <= self.day):
                continue
            if best is None or (row["event_date"], row["marriage_id"]) > (
                best["event_date"],
                best["marriage_id"],
            ):
                best = row
        if best is None:
            return None
        is_husband = best["husband_person_id"] == person_id
        return best["wife_person_id"] if is_husband else best["husband_person_id"]  # type: ignore[no-any-return]


def has_reached(years: int, born: date | None, day: date) -> Answer:
    """Tell whether someone has had the birthday; a leap birthday falls on 1 March in common years."""
    if born is None:
        return None
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:
        birthday = date(born.year + years, 3, 1)
    return day >= birthday


def both(*answers: Answer) -> Answer:
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def in_beijing(person: Row) -> Answer:
    code = person["hukou_division_code"]
    return None if code is None else code.startswith("11")


def is_alive(person: Row) -> Answer:
    return None if person["life_status_code"] is None else person["life_status_code"] == "1"


def born_from_1933(person: Row) -> Answer:
    return None if person["birth_date"] is None else person["birth_date"] >= date(1933, 1, 1)


def is_said_to_be_unmarried(person: Row) -> bool:
    return person["marital_status_code"] in ("10", "30", "40")


def is_of_age_for_t(city: City, person: Row) -> Answer:
    if person["sex_code"] == "2":
        return has_reached(49, person["birth_date"], city.day)
    spouse_id = city.spouse_id_of(person["person_id"])
    if spouse_id is not None:
        wife = city.person(spouse_id)
        return has_reached(49, wife["birth_date"], city.day) if wife else None
    if is_said_to_be_unmarried(person):
        return has_reached(49, person["birth_date"], city.day)
    return None


def child_condition(children: list[Row]) -> tuple[Answer, str | None]:
    if len(children) != 1:
        return False, None
    only = children[0]
    if not only["is_alive"]:
        proven = only["death_date"] is not None and only["death_proof_code"] is not None
        return (True, "death") if proven else (None, None)
    if only["disability_level_code"] in ("1", "2", "3"):
        certified = only["disability_certificate_number"] is not None
        return (True, "disability") if certified else (None, None)
    return False, None


def special_assistance(city: City, person: Row) -> tuple[Answer, str | None]:
    children = city.children_of(person["person_id"])
    condition, category = child_condition(children)
    answer = both(
        is_alive(person),
        in_beijing(person),
        born_from_1933(person),
        is_of_age_for_t(city, person),
        len(children) == 1,
        condition,
        True if person["only_child_certificate_number"] is not None else None,
    )
    return answer, category if answer else None


def is_rural(person: Row | None) -> Answer:
    if person is None:
        return None
    nature = person["hukou_nature_before_reform_code"]
    if nature is None:
        nature = person["hukou_nature_code"]
    return {"2": True, "1": False, "9": False}.get(nature)


def couple_is_rural(city: City, person: Row) -> Answer:
    spouse_id = city.spouse_id_of(person["person_id"])
    if spouse_id is not None:
        return both(is_rural(person), is_rural(city.person(spouse_id)))
    if is_said_to_be_unmarried(person):
        return is_rural(person)
    return both(is_rural(person), None)


def births_were_lawful(children: list[Row]) -> Answer:
    examined = [
        row["policy_attribute_code"]
        for row in children
        if row["adopted_date"] is None and 1973 <= row["child_birth_date"].year <= 2001
    ]
    if "2" in examined:
        return False
    return None if None in examined else True


def living_children(children: list[Row]) -> tuple[Answer, str | None]:
    living = [row for row in children if row["is_alive"]]
    if not children:
        return False, None
    if not living:
        return True, "no_living_child"
    if len(living) == 1:
        return True, "one_child"
    if len(living) == 2 and [row["child_sex_code"] for row in living] == ["2", "2"]:
        return True, "two_girls"
    if len(living) == 2 and all(row["child_sex_code"] in ("2", None) for row in living):
        return None, None
    return False, None


def reward_assistance(city: City, person: Row) -> tuple[Answer, str | None]:
    children = city.children_of(person["person_id"])
    in_t, _ = special_assistance(city, person)
    fits, category = living_children(children)
    answer = both(
        is_alive(person),
        in_beijing(person),
        born_from_1933(person),
        has_reached(60, person["birth_date"], city.day),
        couple_is_rural(city, person),
        births_were_lawful(children),
        fits,
        None if in_t is None else not in_t,
    )
    return answer, category if answer else None


def has_certificate(person: Row) -> Answer:
    return True if person["only_child_certificate_number"] is not None else None


def surgical_complication(city: City, person: Row) -> tuple[Answer, str | None]:
    newest: Row | None = None
    for row in city.complications:
        if row["person_id"] != person["person_id"]:
            continue
        certified = row["certified_date"] or date.min
        if certified <= city.day and (newest is None or certified > (newest["certified_date"] or date.min)):
            newest = row
    answer: Answer = False
    if newest is not None and newest["level_code"] in ("1", "2", "3"):
        is_certified = newest["certified_date"] is not None and newest["certifier_name"] is not None
        answer = both(is_alive(person), in_beijing(person), True if is_certified else None)
    return answer, f"complication_{newest['level_code']}" if newest and answer else None


def are_twins(children: list[Row]) -> bool:
    if len(children) != 2 or any(row["adopted_date"] is not None for row in children):
        return False
    first, second = sorted(row["child_birth_date"] for row in children)
    return all(row["plural_count"] == 2 for row in children) and (second - first).days <= 1


def single_child_reward(city: City, person: Row) -> tuple[Answer, str | None]:
    children = city.children_of(person["person_id"])
    minors = [
        row for row in children if row["is_alive"] and not has_reached(18, row["child_birth_date"], city.day)
    ]
    answer = both(
        is_alive(person),
        in_beijing(person),
        has_certificate(person),
        len(children) == 1 or are_twins(children),
        len(minors) > 0,
    )
    return answer, "parent" if answer else None


def has_reached_55_or_60(person: Row, day: date) -> Answer:
    return has_reached(55 if person["sex_code"] == "2" else 60, person["birth_date"], day)


def single_child_bonus(city: City, person: Row) -> tuple[Answer, str | None]:
    answer = both(
        is_alive(person),
        in_beijing(person),
        has_certificate(person),
        len(city.children_of(person["person_id"])) == 1,
        has_reached_55_or_60(person, city.day),
    )
    return answer, "parent" if answer else None


def single_child_help(city: City, person: Row) -> tuple[Answer, str | None]:
    children = city.children_of(person["person_id"])
    harmed: Answer = False
    if len(children) == 1 and not (children[0]["is_alive"] and children[0]["disability_level_code"] is None):
        # Whether it was an accident is on no record.
        harmed = None
    answer = both(
        is_alive(person),
        in_beijing(person),
        has_certificate(person),
        len(children) == 1,
        has_reached_55_or_60(person, city.day),
        harmed,
    )
    return answer, None


BY_HAND = (
    special_assistance,
    reward_assistance,
    surgical_complication,
    single_child_reward,
    single_child_bonus,
    single_child_help,
)


def decide_by_hand(city: City) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Decide everyone: (programme, person) -> (decision, category)."""
    words = {True: "eligible", False: "ineligible", None: "unknown"}
    decided = {}
    for person in city.persons:
        for programme in BY_HAND:
            answer, category = programme(city, person)
            decided[programme.__name__, person["person_id"]] = (words[answer], category)
    return decided
