"""Special assistance in OpenFisca: facts are inputs, clauses are formulas; it has no unknown.

A clause is two variables, whether it holds and whether that is known: its arrays have two values.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from openfisca_core.entities import build_entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

PERIOD = "2026-06"
DECISIONS = ["ineligible", "eligible", "unknown"]
KEPT = ("person_id", "hukou_division_code")
PERSON = build_entity("person", "persons", "Person", doc="", is_person=True)
BOOLEANS = (
    "is_alive", "is_only_child_alive", "has_only_child_death_date", "has_only_child_death_proof",
    "has_only_child_disability_certificate", "has_only_child_certificate",
)  # fmt: skip
NUMBERS = ("age_years", "spouse_age_years", "children_count", "only_child_disability_level")
FLAGS = ("in_beijing", "born_from_1933_on", "is_woman", "has_no_spouse", "has_spouse")
CLAUSES = (
    "alive",
    "beijing_hukou",
    "born_from_1933",
    "age_49",
    "one_child",
    "child_condition",
    "certificate",
)


def _variable(name: str, kind: type, formula: Any = None) -> type[Variable]:
    body = {
        "value_type": kind, "entity": PERSON, "definition_period": DateUnit.MONTH, "label": name,
    }  # fmt: skip
    return type(name, (Variable,), body | ({"formula": formula} if formula else {}))


def _age(person: Any, period: Any) -> Any:
    own = person("is_woman", period) | person("has_no_spouse", period)
    spouse = person("has_spouse", period) & (person("spouse_age_years", period) >= 49)
    return np.where(own, person("age_years", period) >= 49, spouse)


def _age_known(person: Any, period: Any) -> Any:
    own = person("is_woman", period) | person("has_no_spouse", period)
    spouse = person("has_spouse", period) & person("spouse_age_years_known", period)
    return np.where(own, person("age_years_known", period), spouse)


def _child(person: Any, period: Any) -> Any:
    dead = ~person("is_only_child_alive", period)
    level = person("only_child_disability_level", period)
    proven = person("has_only_child_death_date", period) & person("has_only_child_death_proof", period)
    disabled = (level >= 1) & (level <= 3) & person("has_only_child_disability_certificate", period)
    return (person("children_count", period) == 1) & np.where(dead, proven, disabled)


def _child_known(person: Any, period: Any) -> Any:
    dead = ~person("is_only_child_alive", period)
    level = person("only_child_disability_level", period)
    disabled = (level >= 1) & (level <= 3)
    open_ = np.where(dead, True, disabled) & (person("children_count", period) == 1)
    return ~open_ | person("holds_child_condition", period)


def _known(person: Any, period: Any) -> Any:
    return person("is_alive_known", period)


FORMULAS = {
    "alive": (lambda p, t: p("is_alive", t), _known),
    "beijing_hukou": (lambda p, t: p("in_beijing", t), lambda p, t: p("in_beijing_known", t)),
    "born_from_1933": (lambda p, t: p("born_from_1933_on", t), lambda p, t: p("born_from_1933_on_known", t)),
    "age_49": (_age, _age_known),
    "one_child": (lambda p, t: p("children_count", t) == 1, lambda p, t: p("children_count", t) >= 0),
    "child_condition": (_child, _child_known),
    "certificate": (
        lambda p, t: p("has_only_child_certificate", t),
        lambda p, t: p("has_only_child_certificate", t),
    ),
}


def _decision(person: Any, period: Any) -> Any:
    """Tell 0 for ineligible, 1 for eligible, 2 for unknown."""
    fails = unknown = False
    for clause in CLAUSES:
        holds, known = person(f"holds_{clause}", period), person(f"knows_{clause}", period)
        fails, unknown = fails | (known & ~holds), unknown | ~known
    return np.where(fails, 0, np.where(unknown, 2, 1))


def _amount(person: Any, period: Any) -> Any:
    paid = np.where(person("is_only_child_alive", period), 40000, 50000)
    return np.where(person("decision", period) == 1, paid, 0)


def _system() -> TaxBenefitSystem:
    system = TaxBenefitSystem([PERSON])
    for name in (*BOOLEANS, *FLAGS):
        system.add_variable(_variable(name, bool))
        system.add_variable(_variable(f"{name}_known", bool))
    for name in NUMBERS:
        system.add_variable(_variable(name, int))
        system.add_variable(_variable(f"{name}_known", bool))
    for clause, (holds, knows) in FORMULAS.items():
        system.add_variable(_variable(f"holds_{clause}", bool, holds))
        system.add_variable(_variable(f"knows_{clause}", bool, knows))
    system.add_variable(_variable("decision", int, _decision))
    system.add_variable(_variable("amount", int, _amount))
    return system


def run(inputs: dict[str, Any]) -> Any:
    columns = [*BOOLEANS, *NUMBERS, *KEPT, "birth_date", "sex_code", "spouse_state_code"]
    read = pq.read_table(inputs["facts"], columns=columns)
    facts = read.drop_columns("person_id").to_pandas()
    simulation = SimulationBuilder().build_default_simulation(_system(), len(facts))

    def give(name: str, values: Any, known: Any) -> None:
        simulation.set_input(name, PERIOD, np.asarray(values))
        simulation.set_input(f"{name}_known", PERIOD, np.asarray(known, dtype=bool))

    for name in BOOLEANS:
        column = facts[name]
        give(name, column.eq(True).to_numpy(bool), column.notna())
    for name in NUMBERS:
        column = facts[name]
        give(name, column.fillna(0).to_numpy(np.int32), column.notna())
    hukou, born, spouse = facts["hukou_division_code"], facts["birth_date"], facts["spouse_state_code"]
    give("in_beijing", hukou.str.startswith("11").eq(True).to_numpy(bool), hukou.notna())
    give("born_from_1933_on", (born.astype("datetime64[s]") >= "1933-01-01").to_numpy(bool), born.notna())
    give("is_woman", (facts["sex_code"] == "2").to_numpy(bool), facts["sex_code"].notna())
    give("has_no_spouse", (spouse == "none").to_numpy(bool), spouse.notna())
    give("has_spouse", (spouse == "known").to_numpy(bool), spouse.notna())
    told = {name: read.column(name) for name in KEPT}
    for clause in CLAUSES:
        holds, knows = (simulation.calculate(f"{kind}_{clause}", PERIOD) for kind in ("holds", "knows"))
        told[f"clause_{clause}"] = pa.array(holds, mask=~knows)
    told["amount_fen"] = pa.array(simulation.calculate("amount", PERIOD))
    decision = simulation.calculate("decision", PERIOD)
    told["decision_code"] = pa.DictionaryArray.from_arrays(decision, DECISIONS)
    pq.write_table(pa.table(told), Path(inputs["folder"]) / "decision.parquet", compression="zstd")
    return decision


def answer(decision: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    counted = np.bincount(decision, minlength=3)
    return {"eligible": int(counted[1]), "ineligible": int(counted[0]), "unknown": int(counted[2])}
