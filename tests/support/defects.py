"""Which rule must see which planted defect; the invented city plants without knowing the rules."""

from schemas.contract import load_contract
from schemas.contract_rule import Rule

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
    ("birth_service",     "applied_in_future"):      "applied_in_future",
    ("birth_service",     "child_order_impossible"): "child_order_impossible",
    ("birth_service",     "state_unknown"):          "state_code_unknown_code",
    ("birth_service",     "wife_id_check_digit_wrong"): "wife_id_check_digit_wrong",
    ("birth_service",     "wife_id_missing"):        "wife_id_number_missing",
    ("birth_service",     "id_15_digits"):           "id_15_digits",
    ("birth_service",     "division_unknown"):       "division_unknown",
    ("birth_service",     "division_retired"):       "division_retired",
    ("birth_service",     "name_rare_character"):    "name_rare_character",
    ("birth_service",     "full_width_or_spaces"):   "full_width_or_spaces",
    ("migrant_registration", "future_birth_date"):   "future_birth_date",
    ("migrant_registration", "inflow_in_future"):    "inflow_in_future",
    ("migrant_registration", "outflow_before_inflow"): "outflow_before_inflow",
    ("migrant_registration", "id_check_digit_wrong"): "id_check_digit_wrong",
    ("migrant_registration", "id_15_digits"):        "id_15_digits",
    ("migrant_registration", "birth_date_not_in_id"): "birth_date_not_in_id",
    ("migrant_registration", "sex_not_in_id"):       "sex_not_in_id",
    ("migrant_registration", "division_unknown"):    "division_unknown",
    ("migrant_registration", "division_retired"):    "division_retired",
    ("migrant_registration", "hukou_in_city"):       "hukou_in_city",
    ("migrant_registration", "inflow_date_missing"): "inflow_date_missing",
    ("migrant_registration", "certificate_number_missing"): "certificate_number_missing",
    ("migrant_registration", "name_rare_character"): "name_rare_character",
    ("migrant_registration", "full_width_or_spaces"): "full_width_or_spaces",
    ("bank_return",       "amount_negative"):        "amount_negative",
    ("bank_return",       "result_in_future"):       "result_in_future",
    ("bank_return",       "result_unknown"):         "result_code_unknown_code",
    ("bank_return",       "category_of_other_programme"): "category_of_other_programme",
    ("bank_return",       "account_missing"):        "account_number_missing",
    ("bank_return",       "account_malformed"):      "account_number_malformed",
    ("bank_return",       "name_rare_character"):    "name_rare_character",
    ("bank_return",       "full_width_or_spaces"):   "full_width_or_spaces",
    ("beneficiary_case",  "category_of_other_programme"): "category_of_other_programme",
    ("beneficiary_case",  "apply_year_impossible"):  "apply_year_impossible",
    ("beneficiary_case",  "start_month_unreadable"): "start_month_unreadable",
    ("beneficiary_case",  "end_before_start"):       "end_before_start",
    ("beneficiary_case",  "month_not_first"):        "month_not_first",
    ("beneficiary_case",  "padis_batch_missing"):    "padis_batch_missing",
    ("beneficiary_case",  "id_missing"):             "id_number_missing",
    ("beneficiary_case",  "id_check_digit_wrong"):   "id_check_digit_wrong",
    ("beneficiary_case",  "id_15_digits"):           "id_15_digits",
    ("beneficiary_case",  "division_retired"):       "division_retired",
    ("beneficiary_case",  "name_rare_character"):    "name_rare_character",
    ("file",              "malformed_row"):          "row_malformed",
    # Which column is the key the dataset tells: {key}_missing.
    ("file",              "key_missing"):            "{key}_missing",
}
# fmt: on


def rule_of(dataset: str, defect: str) -> Rule:
    """Find the rule of a dataset that must catch a defect, planted into it or into any file."""
    contract = load_contract(dataset)
    rule = RULES.get((dataset, defect)) or RULES["file", defect]
    return contract.rule(rule.format(key=contract.key))
