"""Special assistance in Polars: the same seven clauses in three values, lazily, written as Parquet."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

col, lit, when = pl.col, pl.lit, pl.when
DOCUMENTS = {
    "life_certificate": col("clause_alive").is_null(),
    "hukou_booklet": col("clause_beijing_hukou").is_null(),
    "birth_date_proof": col("clause_born_from_1933").is_null()
    | (
        col("clause_age_49").is_null()
        & ((col("sex_code") == "2") | (col("spouse_state_code") == "none"))
        & col("age_years").is_null()
    ),
    "marriage_certificate": col("clause_age_49").is_null()
    & (col("sex_code") != "2")
    & (col("spouse_state_code") == "unknown"),
    "spouse_birth_date_proof": col("clause_age_49").is_null()
    & (col("sex_code") != "2")
    & (col("spouse_state_code") == "known")
    & col("spouse_age_years").is_null(),
    "death_proof": col("clause_child_condition").is_null() & ~col("is_only_child_alive"),
    "disability_certificate": col("clause_child_condition").is_null() & col("is_only_child_alive"),
    "only_child_certificate": col("clause_only_child_certificate").is_null()
    & ~col("has_only_child_certificate"),
}


def run(inputs: dict[str, Any]) -> Path:
    is_woman_or_single = (col("sex_code") == "2") | (col("spouse_state_code") == "none")
    is_proven_dead = col("has_only_child_death_date") & col("has_only_child_death_proof")
    certified = when(col("has_only_child_disability_certificate")).then(lit(True))
    clauses = {
        "alive": col("is_alive"),
        "beijing_hukou": col("hukou_division_code").str.starts_with("11"),
        "born_from_1933": col("birth_date") >= date(1933, 1, 1),
        "age_49": when(is_woman_or_single)
        .then(col("age_years") >= 49)
        .when(col("spouse_state_code") == "known")
        .then(col("spouse_age_years") >= 49),
        "one_child": col("children_count") == 1,
        "child_condition": when(col("children_count") != 1)
        .then(lit(False))
        .when(~col("is_only_child_alive"))
        .then(when(is_proven_dead).then(lit(True)))
        .when(col("only_child_disability_level").is_between(1, 3))
        .then(certified)
        .otherwise(lit(False)),
        "only_child_certificate": when(col("has_only_child_certificate")).then(lit(True)),
    }
    named = [f"clause_{name}" for name in clauses]
    all_hold = pl.all_horizontal(named)
    decision = when(all_hold).then(lit("eligible")).when(~all_hold).then(lit("ineligible"))
    category = when(col("decision_code") == "eligible").then(
        when(col("is_only_child_alive")).then(lit("disability")).otherwise(lit("death"))
    )
    missing = pl.concat_list(
        when(condition & (col("decision_code") == "unknown")).then(lit(code))
        for code, condition in DOCUMENTS.items()
    ).list.drop_nulls()
    file = Path(inputs["folder"]) / "decision.parquet"
    (
        pl.scan_parquet(inputs["facts"])
        .with_columns(clause.alias(f"clause_{name}") for name, clause in clauses.items())
        .with_columns(decision.otherwise(lit("unknown")).alias("decision_code"))
        .with_columns(category.alias("category_code"), missing.list.sort().alias("missing_document_codes"))
        .with_columns(
            col("category_code").replace_strict({"death": 50000, "disability": 40000}, default=None)
            .alias("amount_fen"),
            when(col("category_code").is_not_null()).then(lit("month")).alias("amount_unit"),
        )
        .select(
            "person_id", "decision_code", "category_code", "amount_fen", "amount_unit",
            "missing_document_codes", "hukou_division_code", *named,
        )
        .sink_parquet(file)
    )  # fmt: skip
    return file


def answer(file: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    counted = pl.read_parquet(file, columns=["decision_code"])["decision_code"].value_counts().rows()
    return {"eligible": 0, "ineligible": 0, "unknown": 0} | dict(counted)
