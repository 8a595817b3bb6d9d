"""Every defect that the sandbox plants, and what sees it: a rule, a check of the file, or a later step.

A rule that judges one row cannot see what only another row or another system knows; the table says who can.
"""

import pytest

from sandbox.city.planting import SEVERITIES, UNDETECTABLE
from sandbox.city.statistics import defect_rates
from schemas.contract import DATASETS, load_contract

# fmt: off
RULES = {
    # dataset              defect                    rule of that dataset's contract
    ("population_person", "id_check_digit_wrong"):   "id_check_digit_wrong",
    ("population_person", "id_15_digits"):           "id_15_digits",
    ("population_person", "id_duplicate"):           "id_duplicate",
    ("population_person", "birth_date_not_in_id"):   "birth_date_not_in_id",
    ("population_person", "sex_not_in_id"):          "sex_not_in_id",
    ("population_person", "division_unknown"):       "division_unknown",
    ("population_person", "division_retired"):       "division_retired",
    ("population_person", "name_rare_character"):    "name_rare_character",
    ("population_person", "full_width_or_spaces"):   "full_width_or_spaces",
    ("population_person", "future_birth_date"):      "future_birth_date",
    ("family_child",      "orphan_mother_id"):       "orphan_mother_id",
    ("family_child",      "missing_birth_cert_no"):  "missing_birth_cert_no",
    ("mch_birth",         "late_report_30d"):        "late_report_30d",
    ("mch_birth",         "late_report_365d"):       "late_report_365d",
    ("mch_birth",         "unnamed"):                "unnamed",
    ("mch_birth",         "mother_id_missing"):      "mother_id_missing",
    # Two neighbouring digits that differ always spoil the check character, mostly the birth date as well.
    ("mch_birth",         "mother_id_transposed"):   "mother_id_check_digit_wrong",
    ("mch_birth",         "mother_id_15_digits"):    "mother_id_15_digits",
    ("mch_birth",         "mother_other_document"):  "mother_other_document",
    ("file",              "malformed_row"):          "row_malformed",
}
NOT_A_ROWS = {
    # dataset              defect                       not visible to a row rule, because …
    ("population_person", "death_not_recorded"):        "the row is that of a living person",
    ("mch_birth",         "missing_in_mch"):            "there is no row; births: only_population",
    ("mch_birth",         "missing_in_population"):     "no row over there; births: only_mch",
    ("mch_birth",         "duplicate_report"):          "each report is sound; births folds them",
    ("mch_birth",         "reissued"):                  "a reissue is sound; births folds the chain",
    ("mch_birth",         "name_typo"):                 "a name is a name; births: conflict",
    ("mch_birth",         "name_changed"):              "a name is a name; births: conflict",
    ("mch_birth",         "birth_date_off"):            "it is a date; births: conflict",
    ("mch_birth",         "month_day_swapped"):         "it is a date; births: conflict",
    ("mch_birth",         "sex_wrong"):                 "the other sex is a sex; births: conflict",
    ("mch_birth",         "parity_wrong"):              "plausible; births: conflict, for review",
    ("mch_birth",         "mother_name_typo"):          "births links by her document",
    ("mch_birth",         "multiple_birth"):            "no fault: twins; their order has rules",
    ("mch_birth",         "mother_from_elsewhere"):     "no fault: births hands her on",
    ("mch_birth",         "stillbirth_or_neonatal_death"): "no fault: the outcome says it",
    ("birth_service",     "registration_without_birth"): "there is no birth; held against births",
    ("birth_service",     "birth_without_registration"): "there is no registration; held against births",
    ("birth_service",     "child_order_conflict"):      "plausible; held against persons",
    ("birth_service",     "spouse_conflict"):           "held against the marriage record",
    ("file",              "wrong_encoding"):            "the drop is refused: file_undecodable",
    ("file",              "manifest_mismatch"):         "the drop is refused by its manifest",
}
# fmt: on


def test_every_defect_of_the_sandbox_has_a_line() -> None:
    assert set(RULES) | set(NOT_A_ROWS) == set(defect_rates())
    assert not set(RULES) & set(NOT_A_ROWS)


@pytest.mark.parametrize(("dataset", "defect"), RULES)
def test_the_rule_exists_with_severity_dimension_and_words(dataset: str, defect: str) -> None:
    names = [name for name in DATASETS if name == "mch_birth"] if dataset == "file" else [dataset]
    for name in names:
        rule = load_contract(name).rule(RULES[dataset, defect])
        assert rule.severity in ("reject", "warn")
        assert " · " in rule.message


def test_what_the_truth_calls_undetectable_has_no_rule() -> None:
    seen = {defect for dataset, defect in RULES if dataset != "file"}
    told = {defect for defect, severity in SEVERITIES.items() if severity != UNDETECTABLE}
    assert seen == told
