"""Births reconciled by hand: slow, obvious Python without SQL, to hold the fast version against."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

Row = Mapping[str, Any]


def fold(records: Sequence[Row]) -> list[list[Row]]:
    """Put the records of one birth together, the one that speaks for it first."""
    valid = [record for record in records if record["status_code"] != "2"]
    chains = [_latest_first(chain) for chain in _chains(valid)]
    births: list[list[Row]] = []
    same: dict[tuple[Any, ...], list[list[Row]]] = defaultdict(list)
    for chain in chains:
        head = chain[0]
        if head["mother_id_number"] is None or head["plural_order"] is None:
            births.append(chain)
        else:
            same[_key(head, head["mother_id_number"], "born_at")].append(chain)
    for group in same.values():
        deliveries = {chain[0]["delivery_id"] for chain in group}
        if len(deliveries) == len(group):
            births.append(_latest_first([record for chain in group for record in chain]))
        else:
            births.extend(group)
    return births


# What a person said, the newest last: a record of the birth, the child, same or different.
Word = tuple[str, int, str]


def link(
    births: Sequence[Sequence[Row]],
    children: Sequence[Row],
    documents: Mapping[str, str],
    words: Sequence[Word] = (),
) -> set[Any]:
    """Tell (head record, relation, pass) of each pair; `documents` gives each person's number."""
    left = [birth for birth in births if birth[0]["outcome_code"] == "1"]
    pool = [child for child in children if child["adopted_date"] is None]
    said = _said(births, pool, words)
    living = {birth[0]["record_id"] for birth in left}
    pairs = {
        (head, relation, "person")
        for (head, relation), code in said.items()
        if code == "same" and head in living
    }
    left = [birth for birth in left if birth[0]["record_id"] not in {head for head, _, _ in pairs}]
    pool = [child for child in pool if child["relation_id"] not in {relation for _, relation, _ in pairs}]
    for pass_name in ("certificate", "mother_document"):
        found = []
        for birth in left:
            for child in pool:
                is_told = (birth[0]["record_id"], child["relation_id"]) in said
                if not is_told and _is_candidate(pass_name, birth, child, documents):
                    found.append((birth, child))
        for birth, child in found:
            alone = [b for b, c in found if c is child] == [birth] and [
                c for b, c in found if b is birth
            ] == [child]
            if alone:
                pairs.add((birth[0]["record_id"], child["relation_id"], pass_name))
        taken = {(record, relation) for record, relation, _ in pairs}
        left = [birth for birth in left if birth[0]["record_id"] not in {record for record, _ in taken}]
        pool = [child for child in pool if child["relation_id"] not in {relation for _, relation in taken}]
    return pairs


def _said(
    births: Sequence[Sequence[Row]], children: Sequence[Row], words: Sequence[Word]
) -> dict[tuple[str, int], str]:
    """Tell what stands of each pair: same, different, or contradicted by a newer word."""
    head_of = {record["record_id"]: birth[0]["record_id"] for birth in births for record in birth}
    known = {child["relation_id"] for child in children}
    newest = {
        (head_of[record], relation): (turn, code)
        for turn, (record, relation, code) in enumerate(words)
        if record in head_of and relation in known
    }
    said, taken = {}, set()
    for (head, relation), (_, code) in sorted(newest.items(), key=lambda each: each[1], reverse=True):
        said[head, relation] = code
        if code == "same":
            if {head, relation} & taken:
                said[head, relation] = "contradicted"
            taken |= {head, relation}
    return said


def classes(
    records: Sequence[Row],
    children: Sequence[Row],
    persons: Sequence[Row],
    today: date,
    words: Sequence[Word] = (),
) -> set[tuple[Any, ...]]:
    """Tell (class, head record, relation, conflict fields) of every finding."""
    births = fold(records)
    documents = {person["person_id"]: person["id_number"] for person in persons}
    pairs = link(births, children, documents, words)
    heads = {birth[0]["record_id"]: birth for birth in births if birth[0]["outcome_code"] == "1"}
    relations = {child["relation_id"]: child for child in children if child["adopted_date"] is None}
    found: set[tuple[Any, ...]] = set()
    for record_id, relation_id, _ in pairs:
        fields = _differences(heads.pop(record_id), relations.pop(relation_id))
        found.add(("conflict" if fields else "linked", record_id, relation_id, fields))
    found |= {("only_mch", record_id, None, ()) for record_id in heads}
    for relation_id, child in relations.items():
        if date(today.year, 1, 1) <= child["child_birth_date"] <= today:
            found.add(("only_population", None, relation_id, ()))
    return found


def _chains(valid: Sequence[Row]) -> list[list[Row]]:
    previous: dict[str, str] = {}
    for record in valid:
        own, older = record["birth_certificate_number"], record["previous_certificate_number"]
        if own and older and own != older:
            previous[own] = min(older, previous.get(own, older))
    chains: dict[str, list[Row]] = defaultdict(list)
    for record in valid:
        number = record["birth_certificate_number"] or record["previous_certificate_number"]
        name = f"record {record['record_id']}"
        if number and not _is_contested(record["birth_certificate_number"], valid):
            name = f"number {_first_number(number, previous)}"
        chains[name].append(record)
    apart: list[list[Row]] = []
    for chain in chains.values():
        days = {record["born_at"].date() for record in chain}
        mothers = {record["mother_id_number"] or record["record_id"] for record in chain}
        if len(days) > 1 and len(mothers) > 1:
            apart.extend([record] for record in chain)
        else:
            apart.append(chain)
    return apart


def _first_number(number: str, previous: Mapping[str, str]) -> str:
    walked = [number]
    while walked[-1] in previous:
        walked.append(previous[walked[-1]])
        if len(set(walked)) < len(walked):
            return number
    return walked[-1]


def _is_contested(number: str | None, valid: Iterable[Row]) -> bool:
    holders = [record for record in valid if number and record["birth_certificate_number"] == number]
    return any(
        len({value for value in values if value is not None}) > 1
        for values in (
            [record["born_at"].date() for record in holders],
            [record["child_sex_code"] for record in holders],
            [record["plural_order"] or 1 for record in holders],
            [record["mother_id_number"] for record in holders],
        )
    )


def _latest_first(records: Sequence[Row]) -> list[Row]:
    by_record = sorted(records, key=lambda record: record["record_id"], reverse=True)
    by_report = sorted(by_record, key=lambda record: record["reported_at"], reverse=True)
    by_issue = sorted(by_report, key=lambda record: record["issue_date"], reverse=True)
    return sorted(by_issue, key=lambda record: record["status_code"] == "3")


def _key(row: Row, mother: str | None, birth: str) -> tuple[Any, ...]:
    day = row[birth].date() if birth == "born_at" else row[birth]
    return mother, day, row["child_sex_code"], row["plural_order"] or 1


def _is_candidate(pass_name: str, birth: Sequence[Row], child: Row, documents: Mapping[str, str]) -> bool:
    if pass_name == "certificate":
        numbers = {
            record[column]
            for record in birth
            for column in ("birth_certificate_number", "previous_certificate_number")
        }
        return child["birth_certificate_number"] is not None and child["birth_certificate_number"] in numbers
    mother = next((record["mother_id_number"] for record in birth if record["mother_id_number"]), None)
    if mother is None or documents.get(child["mother_person_id"]) is None:
        return False
    child_key = _key(child, documents[child["mother_person_id"]], "child_birth_date")
    return _key(birth[0], mother, "born_at") == child_key


def _is_of_another_chain(birth: Sequence[Row], number: str | None) -> bool:
    own = {record["birth_certificate_number"] for record in birth} - {None}
    replaced = {record["previous_certificate_number"] for record in birth}
    return number is not None and bool(own) and number not in own | replaced


def _differences(birth: Sequence[Row], child: Row) -> tuple[str, ...]:
    head = birth[0]
    fields = []
    if head["born_at"].date() != child["child_birth_date"]:
        fields.append("birth_date")
    sexes = {head["child_sex_code"], child["child_sex_code"]}
    if sexes == {"1", "2"}:
        fields.append("sex")
    if None not in (head["parity"], child["parity"]) and head["parity"] != child["parity"]:
        fields.append("parity")
    if _is_of_another_chain(birth, child["birth_certificate_number"]):
        fields.append("certificate")
    return tuple(fields)
