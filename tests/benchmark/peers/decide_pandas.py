"""Special assistance in pandas: the same seven clauses on nullable booleans, which have three values."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TRUE, UNKNOWN = True, pd.NA


def _case(
    index: "pd.Index[Any]", *branches: tuple["pd.Series[Any]", Any], otherwise: Any = UNKNOWN
) -> "pd.Series[Any]":
    """Take the first branch that is true."""
    chosen = pd.Series(otherwise, index=index, dtype="boolean")
    for condition, value in reversed(branches):
        chosen = chosen.mask(condition.fillna(False).astype(bool), value)
    return chosen


def run(inputs: dict[str, Any]) -> Path:
    facts = pd.read_parquet(inputs["facts"], dtype_backend="numpy_nullable")
    index = facts.index
    is_woman_or_single = (facts["sex_code"] == "2") | (facts["spouse_state_code"] == "none")
    dead = ~facts["is_only_child_alive"]
    is_proven = facts["has_only_child_death_date"] & facts["has_only_child_death_proof"]
    certified = _case(index, (facts["has_only_child_disability_certificate"], TRUE))
    clauses = {
        "alive": facts["is_alive"],
        "beijing_hukou": facts["hukou_division_code"].str.startswith("11"),
        "born_from_1933": pd.to_datetime(facts["birth_date"]) >= pd.Timestamp(date(1933, 1, 1)),
        "age_49": _case(
            index,
            (is_woman_or_single, facts["age_years"] >= 49),
            (facts["spouse_state_code"] == "known", facts["spouse_age_years"] >= 49),
        ),
        "one_child": facts["children_count"] == 1,
        "child_condition": _case(
            index,
            (facts["children_count"] != 1, False),
            (dead, _case(index, (is_proven, TRUE))),
            (facts["only_child_disability_level"].between(1, 3), certified),
            otherwise=False,
        ),
        "only_child_certificate": _case(index, (facts["has_only_child_certificate"], TRUE)),
    }
    decided = pd.DataFrame({f"clause_{name}": clause.astype("boolean") for name, clause in clauses.items()})
    is_false = ~decided.fillna(True).all(axis=1)
    is_unknown = decided.isna().any(axis=1) & ~is_false
    decision = np.select([is_false, is_unknown], ["ineligible", "unknown"], "eligible")
    eligible = decision == "eligible"
    category = pd.Series(np.where(eligible, np.where(dead.fillna(False), "death", "disability"), None), index)
    missing = _missing(facts, decided, is_unknown)
    decided.insert(0, "person_id", facts["person_id"])
    decided["decision_code"], decided["category_code"] = decision, category
    decided["amount_fen"] = category.map({"death": 50000, "disability": 40000}).astype("Int64")
    decided["amount_unit"] = np.where(eligible, "month", None)
    decided["hukou_division_code"], decided["missing_document_codes"] = facts["hukou_division_code"], missing
    file = Path(inputs["folder"]) / "decision.parquet"
    decided.to_parquet(file, index=False)
    return file


def _missing(facts: pd.DataFrame, decided: pd.DataFrame, is_unknown: "pd.Series[bool]") -> "pd.Series[Any]":
    """Name the documents of the few whose decision is unknown."""
    some, clauses = facts[is_unknown], decided[is_unknown]
    age_open, woman = clauses["clause_age_49"].isna(), some["sex_code"] == "2"
    single = some["spouse_state_code"] == "none"
    child_open = clauses["clause_child_condition"].isna()
    documents = {
        "birth_date_proof": clauses["clause_born_from_1933"].isna()
        | (age_open & (woman | single) & some["age_years"].isna()),
        "death_proof": child_open & ~some["is_only_child_alive"],
        "disability_certificate": child_open & some["is_only_child_alive"],
        "hukou_booklet": clauses["clause_beijing_hukou"].isna(),
        "life_certificate": clauses["clause_alive"].isna(),
        "marriage_certificate": age_open & ~woman & (some["spouse_state_code"] == "unknown"),
        "only_child_certificate": clauses["clause_only_child_certificate"].isna()
        & ~some["has_only_child_certificate"],
        "spouse_birth_date_proof": age_open
        & ~woman
        & (some["spouse_state_code"] == "known")
        & some["spouse_age_years"].isna(),
    }
    flags = np.column_stack([mask.fillna(False).to_numpy(bool) for mask in documents.values()])
    names = np.array(list(documents))
    missing = pd.Series([[]] * len(facts), facts.index, dtype=object)
    missing[is_unknown] = [list(names[row]) for row in flags]
    return missing


def answer(file: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    counted = pd.read_parquet(file, columns=["decision_code"])["decision_code"].value_counts().to_dict()
    return {"eligible": 0, "ineligible": 0, "unknown": 0} | counted
