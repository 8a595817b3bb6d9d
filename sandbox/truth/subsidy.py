"""Who is entitled to T and J: the rules once more, one person at a time, for comparison.

Deliberately plain and slow, and without a word of the pipeline's code: where both agree, both are
probably right. Answers are True, False or None for what cannot be known.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

Answer = bool | None

BORN_FROM = date(1933, 1, 1)
LAWFUL_FROM, LAWFUL_TO = date(1973, 1, 1), date(2001, 12, 31)
ELIGIBLE, UNKNOWN, INELIGIBLE = "eligible", "unknown", "ineligible"


class Person(NamedTuple):
    """A person as delivered."""

    person_id: str
    sex: str
    birth_date: date
    life_status: str
    hukou_division: str
    hukou_nature: str | None
    hukou_nature_before_reform: str | None
    marital_status: str | None
    only_child_cert_no: str | None


class Child(NamedTuple):
    """A child as delivered."""

    relation_id: int
    mother_person_id: str | None
    father_person_id: str | None
    child_birth_date: date
    child_sex: str
    adopted_date: date | None
    policy_attr: str | None
    disability_level: str | None
    disability_cert_no: str | None
    alive: bool
    death_date: date | None
    death_proof_by: str | None


class Marriage(NamedTuple):
    """A marriage as delivered."""

    marriage_id: int
    husband_person_id: str
    wife_person_id: str
    event_date: date
    end_date: date | None


class Spouse(NamedTuple):
    """What is known of a spouse: there is one, there is none, or nobody can say (None)."""

    exists: Answer
    person: Person | None = None


class Decision(NamedTuple):
    """What somebody is entitled to; the category only where they are."""

    programme_code: str
    person_id: str
    decision_code: str
    category_code: str | None


def decide_everyone(
    persons: Iterable[Person], children: Iterable[Child], marriages: Iterable[Marriage], on: date
) -> list[Decision]:
    """Decide T and J for everybody on a day; only the eligible and the unknown are listed."""
    everybody = {person.person_id: person for person in persons}
    children_of: dict[str, list[Child]] = {}
    for child in children:
        for parent in {child.mother_person_id, child.father_person_id} - {None}:
            children_of.setdefault(str(parent), []).append(child)
    partner_of = partners(marriages, on)
    decisions = []
    for person_id, own_children in children_of.items():
        # Without a child nobody is entitled to either.
        if person_id in everybody:
            person = everybody[person_id]
            spouse = spouse_of(person, partner_of, everybody)
            decisions += decide(person, spouse, own_children, on)
    return sorted(decision for decision in decisions if decision.decision_code != INELIGIBLE)


def decide(person: Person, spouse: Spouse, children: list[Child], on: date) -> list[Decision]:
    """Decide T and J for one person."""
    answers = clauses(person, spouse, children, on)
    in_t, in_j = (all_of(*answers[programme].values()) for programme in ("T", "J"))
    return [
        Decision("T", person.person_id, in_words(in_t), category("T", children) if in_t else None),
        Decision("J", person.person_id, in_words(in_j), category("J", children) if in_j else None),
    ]


def clauses(person: Person, spouse: Spouse, children: list[Child], on: date) -> dict[str, dict[str, Answer]]:
    """Answer every clause of T and J for one person, by the ids that the documents' clauses have."""
    of_both: dict[str, Answer] = {
        "alive": person.life_status == "1",
        "beijing_hukou": person.hukou_division.startswith("11"),
        "born_from_1933": person.birth_date >= BORN_FROM,
    }
    of_t = of_both | {
        "age_49": wife_has_reached(49, person, spouse, on),
        "one_child": len(children) == 1,
        "child_condition": has_lost_or_disabled_child(children),
        "only_child_certificate": True if person.only_child_cert_no else None,
    }
    in_t = all_of(*of_t.values())
    of_j = of_both | {
        "age_60": has_reached(60, person.birth_date, on),
        "rural_hukou": both_are_rural(person, spouse),
        "lawful_births": all_births_were_lawful(children),
        "children_now": has_one_child_or_two_girls_or_none_left(children),
        "not_in_t": None if in_t is None else not in_t,
    }
    return {"T": of_t, "J": of_j}


def category(programme_code: str, children: list[Child]) -> str:
    """Tell in which category somebody is who is entitled."""
    if programme_code == "T":
        return "disability" if children[0].alive else "death"
    living = sum(child.alive for child in children)
    return {0: "no_living_child", 1: "one_child"}.get(living, "two_girls")


def all_of(*answers: Answer) -> Answer:
    """Say no if anything says no; otherwise unknown if anything is unknown."""
    if False in answers:
        return False
    return None if None in answers else True


def in_words(answer: Answer) -> str:
    """Write an answer as a decision."""
    return {True: ELIGIBLE, False: INELIGIBLE, None: UNKNOWN}[answer]


def has_reached(years: int, birth: date, on: date) -> bool:
    """Tell whether a birthday has come; born on 29 February, on 1 March of common years."""
    try:
        birthday = birth.replace(year=birth.year + years)
    except ValueError:
        birthday = date(birth.year + years, 3, 1)
    return on >= birthday


def partners(marriages: Iterable[Marriage], on: date) -> dict[str, str]:
    """Tell who is whose spouse on a day: of several, by the latest marriage, then the highest number."""
    partner_of: dict[str, str] = {}
    for marriage in sorted(marriages, key=lambda each: (each.event_date, each.marriage_id)):
        if marriage.event_date <= on and (marriage.end_date is None or marriage.end_date > on):
            partner_of[marriage.husband_person_id] = marriage.wife_person_id
            partner_of[marriage.wife_person_id] = marriage.husband_person_id
    return partner_of


def spouse_of(person: Person, partner_of: dict[str, str], everybody: dict[str, Person]) -> Spouse:
    """Tell what is known of somebody's spouse."""
    if person.person_id in partner_of:
        return Spouse(True, everybody.get(partner_of[person.person_id]))
    if person.marital_status in ("10", "30", "40"):
        return Spouse(False)
    return Spouse(None)


def wife_has_reached(years: int, person: Person, spouse: Spouse, on: date) -> Answer:
    """Tell whether the wife has reached an age; a man without a wife is asked for his own."""
    if person.sex == "2" or spouse.exists is False:
        return has_reached(years, person.birth_date, on)
    if spouse.exists and spouse.person is not None:
        return has_reached(years, spouse.person.birth_date, on)
    return None


def has_lost_or_disabled_child(children: list[Child]) -> Answer:
    """Tell whether the only child has died or is disabled at level 1, 2 or 3, and the proof is there."""
    if len(children) != 1:
        return False
    (child,) = children
    if not child.alive:
        return True if child.death_date and child.death_proof_by else None
    if child.disability_level in ("1", "2", "3"):
        return True if child.disability_cert_no else None
    return False


def is_rural(person: Person) -> Answer:
    """Tell whether the hukou was rural before the reform; what it is now, where that is not on record."""
    nature = person.hukou_nature_before_reform or person.hukou_nature
    return None if nature is None else nature == "2"


def both_are_rural(person: Person, spouse: Spouse) -> Answer:
    """Tell whether somebody and the spouse, if there is one, are of rural hukou."""
    if spouse.exists is False:
        return is_rural(person)
    return all_of(is_rural(person), is_rural(spouse.person) if spouse.person else None)


def all_births_were_lawful(children: list[Child]) -> Answer:
    """Tell whether no own child was born outside policy from 1973 to 2001."""
    answers: list[Answer] = []
    for child in children:
        if child.adopted_date is None and LAWFUL_FROM <= child.child_birth_date <= LAWFUL_TO:
            answers.append(None if child.policy_attr is None else child.policy_attr != "2")
    return all_of(*answers)


def has_one_child_or_two_girls_or_none_left(children: list[Child]) -> bool:
    """Tell whether there were children, and now there is one, or two girls, or none."""
    living = [child for child in children if child.alive]
    two_girls = len(living) == 2 and all(child.child_sex == "2" for child in living)
    return bool(children) and (len(living) <= 1 or two_girls)
