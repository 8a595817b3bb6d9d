"""Read programmes from `policy/`, and refuse whatever does not fit together.

`policy/<programme>/programme.yaml` lists the clauses, `policy/facts.yaml` what a clause may ask about
a person, `policy/documents.yaml` what a person is asked for when a clause cannot be decided.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from schemas.policy import (
    POLICY,
    Parameter,
    check_abutting,
    check_confidence,
    load_parameter,
    read_reference,
)
from schemas.predicate import Vocabulary, parse_predicate
from schemas.programme import UNITS, Category, Clause, Fact, Facts, Programme
from schemas.strict_yaml import check_keys, read_yaml, refuse_file

FACT_TYPES = ("boolean", "integer", "text", "date")
RESTS_ON = ("person", "spouse", "child", "marriage", "complication", "decision")
CHANGES = ("freely", "upwards", "downwards", "never")


@lru_cache(maxsize=16)
def load_facts(folder: Path = POLICY) -> Facts:
    """Read the declared facts."""
    path = folder / "facts.yaml"
    content = check_keys(path, "the file", read_yaml(path), ("facts",), ("parameters", "consistent"))
    facts = {name: _fact(path, name, entry) for name, entry in content["facts"].items()}
    parameters = _parameters(content.get("parameters"), folder)
    undeclared = {name for fact in facts.values() for name in fact.parameters} - set(parameters)
    if undeclared:
        raise refuse_file(
            path,
            "parameter_undeclared",
            ", ".join(sorted(undeclared)),
            "parameters of the file",
            "declare them",
        )
    vocabulary = Vocabulary(path, frozenset(facts), frozenset())
    consistent = tuple(
        parse_predicate(vocabulary, f"consistent {number}", text)
        for number, text in enumerate(content.get("consistent") or (), start=1)
    )
    return Facts(facts, parameters, consistent, path)


def _fact(path: Path, name: str, entry: object) -> Fact:
    fact = check_keys(
        path,
        f"fact {name}",
        entry,
        ("type", "description", "rests_on", "changes"),
        ("from", "parameters", "values"),
    )
    for key, told, known in (
        ("type", {fact["type"]}, FACT_TYPES),
        ("rests_on", set(fact["rests_on"]), RESTS_ON),
        ("changes", {fact["changes"]}, CHANGES),
    ):
        if not told <= set(known):
            raise refuse_file(path, f"fact_{key}_unknown", f"{key} of {name}", ", ".join(known), "choose one")
    if (fact["type"] == "text") != bool(fact.get("values")):
        raise refuse_file(
            path,
            "fact_values_missing",
            f"values of {name}",
            "values of a text, and of nothing else",
            "list them",
        )
    return Fact(
        name,
        fact["type"],
        fact["description"],
        fact.get("from"),
        tuple(fact["rests_on"]),
        fact["changes"],
        tuple(fact.get("parameters") or ()),
        fact.get("values") or {},
    )


@lru_cache(maxsize=16)
def load_documents(folder: Path = POLICY) -> Mapping[str, str]:
    """Read the codes of documents with their names."""
    return {str(code): str(name) for code, name in read_yaml(folder / "documents.yaml").items()}


def programme_names(folder: Path = POLICY) -> tuple[str, ...]:
    """List the programmes of a policy folder."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/programme.yaml")))


@lru_cache(maxsize=64)
def load_programme(name: str, folder: Path = POLICY) -> Programme:
    """Read the programme `name`, such as `special_assistance`.

    Raises:
        Refusal: an unknown or missing key, a clause without a citation or written twice, periods
            that overlap or leave a gap, a fact, parameter or document that is not declared, or an
            amount in another unit.
    """
    path = folder / name / "programme.yaml"
    content = check_keys(
        path,
        "the programme",
        read_yaml(path),
        ("code", "name", "amount_unit", "clauses", "categories"),
        ("scope", "parameters", "awaits"),
    )
    facts = load_facts(folder)
    parameters = _parameters(content.get("parameters"), folder)
    vocabulary = Vocabulary(path, frozenset(facts.facts), frozenset(parameters))
    clauses = tuple(_clause(vocabulary, entry, load_documents(folder)) for entry in content["clauses"])
    _check_periods(path, clauses)
    codes = [str(entry.get("code")) for entry in content["categories"] if isinstance(entry, dict)]
    if len(set(codes)) < len(codes):
        raise refuse_file(path, "category_repeated", ", ".join(codes), "each category once", "rename one")
    if content["amount_unit"] not in UNITS:
        raise refuse_file(path, "amount_unit_unknown", "amount_unit", ", ".join(UNITS), "choose one")
    unit = UNITS[content["amount_unit"]]
    return Programme(
        name=name,
        code=content["code"],
        title=content["name"],
        scope=content.get("scope"),
        awaits=content.get("awaits"),
        amount_unit=content["amount_unit"],
        clauses=clauses,
        categories=tuple(_category(vocabulary, entry, unit, folder) for entry in content["categories"]),
        parameters=parameters,
        facts=facts,
        path=path,
    )


def _parameters(names: Mapping[str, str] | None, folder: Path) -> Mapping[str, Parameter]:
    return {name: load_parameter(parameter, folder) for name, parameter in (names or {}).items()}


def _clause(vocabulary: Vocabulary, entry: object, documents: Mapping[str, str]) -> Clause:
    path = vocabulary.path
    where = f"clause {entry.get('id')}" if isinstance(entry, dict) else "a clause"
    content = check_keys(
        path,
        where,
        entry,
        ("id", "wording", "document", "effective_from", "known_since", "confidence", "holds"),
        ("announced", "effective_to", "missing_document", "note"),
    )
    document = check_keys(
        path, f"document of {where}", content["document"], ("number", "title"), ("article", "href")
    )
    reference = read_reference(path, where, {key: document[key] for key in document if key != "number"})
    check_confidence(path, where, content["confidence"], reference)
    missing = content.get("missing_document") or {}
    undeclared = sorted(set(missing) - set(documents))
    if undeclared:
        raise refuse_file(
            path,
            "document_undeclared",
            f"{where} asks for {', '.join(undeclared)}",
            "documents of documents.yaml",
            "declare the document or correct the code",
        )
    return Clause(
        clause_id=content["id"],
        wording=content["wording"],
        document_number=document["number"],
        document=reference,
        confidence=content["confidence"],
        holds=parse_predicate(vocabulary, where, content["holds"]),
        missing_documents={
            code: parse_predicate(vocabulary, f"{code} of {where}", when) for code, when in missing.items()
        },
        note=content.get("note"),
        **_periods(path, where, content),
    )


def _periods(path: Path, where: str, content: Mapping[str, Any]) -> dict[str, Any]:
    periods = {
        key: content.get(key) for key in ("announced", "effective_from", "effective_to", "known_since")
    }
    unreadable = [key for key, day in periods.items() if day is not None and type(day) is not date]
    if unreadable:
        raise refuse_file(
            path,
            "policy_date_unreadable",
            f"{', '.join(unreadable)} of {where}",
            "a date YYYY-MM-DD",
            "correct it",
        )
    if periods["announced"] is not None and periods["known_since"] < periods["announced"]:
        raise refuse_file(
            path, "policy_known_before_announced", f"{where} known before it was announced",
            "known_since on or after announced", "correct one of the dates",
        )  # fmt: skip
    return periods


def _check_periods(path: Path, clauses: tuple[Clause, ...]) -> None:
    """Let versions of one clause follow each other without overlap or gap."""
    for clause_id in {clause.clause_id for clause in clauses}:
        versions = sorted(
            (clause for clause in clauses if clause.clause_id == clause_id), key=lambda c: c.effective_from
        )
        for earlier, later in pairwise(versions):
            if earlier.effective_to is None or earlier.effective_from == later.effective_from:
                raise refuse_file(
                    path,
                    "clause_repeated",
                    f"clause {clause_id} twice on {later.effective_from}",
                    "one version of a clause at a time",
                    "rename one, or end the earlier one with effective_to",
                )
        for clause, following in zip(versions, [*versions[1:], None], strict=True):
            successor = following.effective_from if following else None
            check_abutting(path, f"clause {clause_id}", clause.effective_from, clause.effective_to, successor)


def _category(vocabulary: Vocabulary, entry: object, unit: str, folder: Path) -> Category:
    content = check_keys(vocabulary.path, "a category", entry, ("code", "name", "when", "amounts"))
    where = f"category {content['code']}"
    amounts = tuple(_amount(vocabulary.path, amount, unit, folder) for amount in content["amounts"])
    return Category(
        content["code"], content["name"], parse_predicate(vocabulary, where, content["when"]), amounts
    )


def _amount(path: Path, name: str, unit: str, folder: Path) -> Parameter:
    amount = load_parameter(name, folder)
    if amount.unit != unit:
        raise refuse_file(
            path, "amount_unit_differs", f"{name} in {amount.unit}", f"whole {unit}", "correct the unit"
        )
    return amount
