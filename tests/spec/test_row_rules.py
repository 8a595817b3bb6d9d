"""Row rules of the contracts, drawn as tables: a row that differs from a clean one -> the rule it breaks."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import pyarrow as pa
import pytest

from schemas.contract import DATASETS, load_contract
from tests.support.received import (
    CLEAN,
    VILLAGE,
    broken_rules,
    conform,
    resident_id,
    row_of,
    wrong_check,
)

CHILD_ID = str(CLEAN["family_child"]["child_id_number"])
MOTHER_ID = str(CLEAN["mch_birth"]["mother_id_number"])
NO_COUNTY = resident_id("999999", "1960-03-04", 122)


def old_number(number: str) -> str:
    return number[:6] + number[8:17]


# fmt: off
# A function stands for what becomes of the row's own number: no two persons of the table share one.
BROKEN: dict[str, dict[str, dict[str, str | Callable[[str], str] | None]]] = {
    "population_person": {
        "person_id_missing":            {"person_id": None},
        "name_missing":                 {"name": "　"},
        "sex_code_missing":             {"sex": None},
        "sex_code_unknown_code":        {"sex": "9", "id_number": None, "id_type": "99"},
        "birth_date_missing":           {"birth_date": None},
        "birth_date_unreadable":        {"birth_date": "1960-02-30"},
        "future_birth_date":            {"birth_date": "2026-06-02", "id_type": "99"},
        "id_number_malformed":          {"id_number": "1234"},
        "id_check_digit_wrong":         {"id_number": wrong_check},
        "hukou_division_code_missing":  {"hukou_division": None},
        "residence_division_code_missing": {"residence_division": ""},
        "division_unknown":             {"hukou_division": "110101001999"},
        "life_status_code_missing":     {"life_status": None},
        "life_status_code_unknown_code": {"life_status": "7"},
        "id_type_code_missing":         {"id_type": None},
        "id_type_code_unknown_code":    {"id_type": "77"},
        "nation_code_unknown_code":     {"nation": "98"},
        "education_code_unknown_code":  {"education": "05"},
        "marital_status_code_missing":  {"marital_status": None},
        "marital_status_code_unknown_code": {"marital_status": "99"},
        "hukou_nature_code_missing":    {"hukou_nature": None},
        "hukou_nature_code_unknown_code": {"hukou_nature": "3"},
        "hukou_nature_before_reform_code_unknown_code": {"hukou_nature_before_reform": "3"},
        "is_separated_unreadable":      {"separated_flag": "maybe"},
        "household_code_malformed":     {"household_code": "12"},
        "relation_to_head_code_unknown_code": {"relation_to_head": "00"},
        "phone_malformed":              {"phone": "none"},
        "only_child_certificate_date_unreadable": {"only_child_cert_date": "1990"},
        "death_date_unreadable":        {"death_date": "yesterday"},
        "death_proof_code_unknown_code": {"death_proof": "8"},
        "cancel_reason_code_unknown_code": {"cancel_reason": "77"},
        "source_updated_at_unreadable": {"source_updated_at": "now"},
        "birth_date_implausible":       {"birth_date": "1899-12-31", "id_type": "99"},
        "id_number_missing":            {"id_number": None},
        "birth_date_not_in_id":         {"birth_date": "1960-03-05"},
        "sex_not_in_id":                {"sex": "1"},
        "id_region_unknown":            {"id_number": NO_COUNTY},
        "id_15_digits":                 {"id_number": old_number},
        "division_retired":             {"hukou_division": "110103001001"},
        "managing_division_unknown":    {"managing_unit": "119999001001"},
        "name_rare_character":          {"name": "李䶮"},
        "full_width_or_spaces":         {"name": "李 秀英"},
        "death_date_missing":           {"life_status": "2"},
        "death_date_of_living":         {"death_date": "2020-01-01"},
        "death_before_birth":           {"death_date": "1950-01-01", "life_status": "2"},
        "death_in_future":              {"death_date": "2026-06-02", "life_status": "2"},
    },
    "family_child": {
        "relation_id_missing":          {"relation_id": None},
        "relation_id_unreadable":       {"relation_id": "one"},
        "child_birth_date_missing":     {"child_birth_date": None},
        "child_birth_date_unreadable":  {"child_birth_date": "2018-13-01"},
        "child_sex_code_missing":       {"child_sex": None},
        "child_sex_code_unknown_code":  {"child_sex": "5"},
        "is_alive_missing":             {"alive": None},
        "is_alive_unreadable":          {"alive": "perhaps"},
        "parent_missing":               {"mother_person_id": None, "father_person_id": None},
        "orphan_mother_id":             {"mother_person_id": "11010100000000000099"},
        "future_birth_date":            {"child_birth_date": "2026-06-02", "child_id_type": "99"},
        "orphan_father_id":             {"father_person_id": "11010100000000000099"},
        "missing_birth_cert_no":        {"birth_cert_no": None},
        "birth_certificate_number_malformed": {"birth_cert_no": "R1"},
        "child_id_malformed":           {"child_id_number": "1234"},
        "child_id_check_digit_wrong":   {"child_id_number": wrong_check(CHILD_ID)},
        "child_sex_not_in_id":          {"child_sex": "2"},
        "unnamed":                      {"child_name": "李秀英之子"},
        "child_birth_date_not_in_id":   {"child_birth_date": "2018-02-04"},
        "child_id_15_digits":           {"child_id_number": "110101" + "900101" + "001",
                                         "child_birth_date": "1990-01-01"},
        "child_id_type_code_unknown_code": {"child_id_type": "77"},
        "name_rare_character":          {"child_name": "王㛃"},
        "full_width_or_spaces":         {"child_name": "王　小明"},
        "parity_unreadable":            {"parity_child": "2.7"},
        "delivery_order_unreadable":    {"parity_delivery": "x"},
        "plural_count_unreadable":      {"plural": "x"},
        "plural_order_unreadable":      {"plural_order": "x"},
        "plural_order_too_high":        {"plural_order": "2"},
        "blood_relation_code_unknown_code": {"blood_relation": "9"},
        "adopted_date_unreadable":      {"adopted_date": "infinity"},
        "adopted_before_birth":         {"adopted_date": "2018-01-01"},
        "policy_attribute_code_unknown_code": {"policy_attr": "3"},
        "custody_code_unknown_code":    {"custody": "7"},
        "birth_health_code_unknown_code": {"birth_health": "7"},
        "current_health_code_unknown_code": {"current_health": "7"},
        "disability_level_code_unknown_code": {"disability_level": "5"},
        "disability_date_unreadable":   {"disability_date": "x"},
        "death_date_unreadable":        {"death_date": "x"},
        "death_date_missing":           {"alive": "false"},
        "death_date_of_living":         {"death_date": "2020-01-01"},
        "death_before_birth":           {"alive": "false", "death_date": "2018-02-02"},
        "death_in_future":              {"alive": "false", "death_date": "2026-06-02"},
        "death_proof_code_unknown_code": {"death_proof_by": "9"},
        "source_updated_at_unreadable": {"source_updated_at": "now"},
    },
    "marriage": {
        "marriage_id_missing":          {"marriage_id": None},
        "marriage_id_unreadable":       {"marriage_id": "1.5"},
        "husband_person_id_missing":    {"husband_person_id": None},
        "wife_person_id_missing":       {"wife_person_id": " "},
        "event_code_missing":           {"event": None},
        "event_code_unknown_code":      {"event": "5"},
        "event_date_missing":           {"event_date": None},
        "event_date_unreadable":        {"event_date": "1985"},
        "party_repeated":               {"husband_person_id": "11010100000000000001"},
        "end_before_start":             {"end_date": "1985-09-30", "end_reason": "2"},
        "event_in_future":              {"event_date": "2026-06-02"},
        "end_reason_missing":           {"end_date": "1990-01-01"},
        "end_date_missing":             {"end_reason": "2"},
        "end_date_unreadable":          {"end_date": "x"},
        "end_reason_code_unknown_code": {"end_date": "1990-01-01", "end_reason": "1"},
        "proof_code_unknown_code":      {"proof": "7"},
        "husband_marriage_order_unreadable": {"order_husband": "x"},
        "wife_marriage_order_unreadable": {"order_wife": "x"},
        "full_width_or_spaces":         {"cert_no": "Ｊ110101-1985-000001"},
        "source_updated_at_unreadable": {"source_updated_at": "now"},
    },
    "mch_birth": {
        "record_id_missing":            {"record_id": ""},
        "born_at_missing":              {"birth_datetime": ""},
        "born_at_unreadable":           {"birth_datetime": "2026-05-20 25:00"},
        "born_in_future":               {"birth_datetime": "2026-06-02 00:10",
                                         "reported_at": "2026-06-02 01:00", "issue_date": ""},
        "child_sex_code_missing":       {"child_sex": ""},
        "child_sex_code_unknown_code":  {"child_sex": "0"},
        "outcome_code_missing":         {"outcome": ""},
        "outcome_code_unknown_code":    {"outcome": "5"},
        "status_code_missing":          {"status": ""},
        "status_code_unknown_code":     {"status": "4"},
        "plural_order_too_high":        {"plural": "2", "plural_order": "3"},
        "delivery_id_missing":          {"delivery_id": ""},
        "birth_certificate_number_malformed": {"birth_cert_no": "110000001"},
        "birth_certificate_missing":    {"birth_cert_no": ""},
        "issue_kind_code_unknown_code": {"issue_kind": "4", "previous_cert_no": "T110000009"},
        "previous_certificate_number_malformed": {"previous_cert_no": "9"},
        "previous_certificate_missing": {"issue_kind": "2"},
        "birth_place_type_code_unknown_code": {"birth_place_type": "7"},
        "birth_division_unknown":       {"birth_division": "119999"},
        "health_code_unknown_code":     {"health": "7"},
        "gestation_weeks_unreadable":   {"gest_weeks": "forty"},
        "gestation_implausible":        {"gest_weeks": "52"},
        "length_cm_unreadable":         {"length_cm": "x"},
        "length_implausible":           {"length_cm": "5"},
        "weight_g_unreadable":          {"weight_g": "3.2kg"},
        "weight_implausible":           {"weight_g": "32"},
        "plural_count_unreadable":      {"plural": "x"},
        "plural_order_unreadable":      {"plural_order": "x"},
        "plural_order_missing":         {"plural": "2", "plural_order": ""},
        "parity_unreadable":            {"parity": "x"},
        "parity_implausible":           {"parity": "0"},
        "mother_name_missing":          {"mother_name": ""},
        "mother_birth_date_unreadable": {"mother_birth_date": "x"},
        "mother_country_code_malformed": {"mother_country": "China"},
        "mother_nation_code_unknown_code": {"mother_nation": "98"},
        "mother_id_type_code_unknown_code": {"mother_id_type": "77"},
        "mother_id_missing":            {"mother_id_number": ""},
        "mother_id_malformed":          {"mother_id_number": "1234"},
        "mother_id_check_digit_wrong":  {"mother_id_number": wrong_check(MOTHER_ID)},
        "mother_id_15_digits":          {"mother_id_number": old_number(MOTHER_ID)},
        "mother_birth_date_not_in_id":  {"mother_birth_date": "1995-07-09"},
        "mother_division_unknown":      {"mother_hukou_division": "990000000000"},
        "mother_division_retired":      {"mother_residence_division": "110228001001"},
        "mother_phone_malformed":       {"mother_phone": "x"},
        "mother_other_document":        {"mother_id_type": "03", "mother_id_number": "E12345678"},
        "mother_age_implausible":       {"mother_id_number": resident_id("110105", "2014-07-08", 42),
                                         "mother_birth_date": "2014-07-08"},
        "father_id_malformed":          {"father_id_type": "01", "father_id_number": "1234"},
        "father_id_check_digit_wrong":  {"father_id_type": "01", "father_id_number": wrong_check(MOTHER_ID)},
        "father_birth_date_not_in_id":  {"father_id_type": "01", "father_id_number": MOTHER_ID,
                                         "father_birth_date": "1995-07-09"},
        "father_birth_date_unreadable": {"father_birth_date": "x"},
        "father_id_type_code_unknown_code": {"father_id_type": "77"},
        "is_father_waived_unreadable":  {"father_waived": "x"},
        "issue_date_unreadable":        {"issue_date": "x"},
        "reported_at_unreadable":       {"reported_at": "2026-05-21"},
        "reported_at_missing":          {"reported_at": ""},
        "source_updated_at_unreadable": {"updated_at": "x"},
        "unnamed":                      {"child_name": "钱芳之子"},
        "name_rare_character":          {"child_name": "赵䶮"},
        "full_width_or_spaces":         {"mother_phone": "139０0000003"},
        "late_report_30d":              {"birth_datetime": "2026-04-20 08:30"},
        "late_report_365d":             {"birth_datetime": "2025-05-21 08:30"},
        "issued_before_birth":          {"issue_date": "2026-05-19"},
        "reported_before_birth":        {"birth_datetime": "2026-05-21 09:01"},
    },
    "birth_service": {
        "registration_number_missing":  {"reg_no": ""},
        "kind_code_missing":            {"kind": ""},
        "kind_code_unknown_code":       {"kind": "3"},
        "child_order_missing":          {"child_order": ""},
        "child_order_unreadable":       {"child_order": "first"},
        "child_order_impossible":       {"child_order": "0"},
        "child_order_implausible":      {"child_order": "16"},
        "wife_name_missing":            {"wife_name": ""},
        "wife_id_type_code_unknown_code": {"wife_id_type": "77"},
        "wife_id_number_missing":       {"wife_id_number": ""},
        "wife_id_malformed":            {"wife_id_number": "1234"},
        "wife_id_check_digit_wrong":    {"wife_id_number": wrong_check},
        "wife_marital_status_code_unknown_code": {"wife_marital": "99"},
        "husband_id_type_code_unknown_code": {"husband_id_type": "77"},
        "husband_id_malformed":         {"husband_id_number": "1234"},
        "husband_id_check_digit_wrong": {"husband_id_number": wrong_check},
        "id_15_digits":                 {"husband_id_number": old_number},
        "marriage_date_unreadable":     {"marriage_date": "x"},
        "marriage_in_future":           {"marriage_date": "2026-06-02"},
        "existing_children_count_unreadable": {"existing_children": "x"},
        "existing_children_implausible": {"existing_children": "16"},
        "is_pregnant_unreadable":       {"pregnancy_status": "2"},
        "pregnancy_weeks_unreadable":   {"pregnancy_weeks": "x"},
        "pregnancy_weeks_implausible":  {"pregnancy_weeks": "46"},
        "due_date_unreadable":          {"due_date": "2026-02-30"},
        "is_already_born_unreadable":   {"born_already": "x"},
        "birth_certificate_number_malformed": {"birth_cert_no": "R1"},
        "birth_certificate_missing":    {"born_already": "1"},
        "confirm_reason_missing":       {"kind": "2"},
        "channel_code_unknown_code":    {"channel": "9"},
        "applied_at_missing":           {"applied_at": ""},
        "applied_at_unreadable":        {"applied_at": "2026-05-20"},
        "applied_in_future":            {"applied_at": "2026-06-02 09:00", "accepted_at": "",
                                         "decided_at": ""},
        "accepted_at_unreadable":       {"accepted_at": "x"},
        "accepted_before_applied":      {"accepted_at": "2026-05-20 08:59"},
        "decided_at_unreadable":        {"decided_at": "x"},
        "decided_before_applied":       {"decided_at": "2026-05-19 09:00"},
        "state_code_missing":           {"state": ""},
        "state_code_unknown_code":      {"state": "7"},
        "reject_reason_missing":        {"state": "3"},
        "division_unknown":             {"handling_unit": "119999001001"},
        "division_retired":             {"wife_residence_division": "110228001001"},
        "printed_at_unreadable":        {"printed_at": "x"},
        "source_updated_at_unreadable": {"updated_at": "x"},
        "name_rare_character":          {"husband_name": "赵䶮"},
        "full_width_or_spaces":         {"wife_name": "钱　芳"},
    },
    "migrant_registration": {
        "registration_id_missing":      {"registration_id": ""},
        "name_missing":                 {"name": ""},
        "sex_code_missing":             {"sex": ""},
        "sex_code_unknown_code":        {"sex": "9", "id_type": "99"},
        "birth_date_missing":           {"birth_date": ""},
        "birth_date_unreadable":        {"birth_date": "1990-02-30"},
        "future_birth_date":            {"birth_date": "2026-06-02", "id_type": "99"},
        "birth_date_implausible":       {"birth_date": "1899-12-31", "id_type": "99"},
        "birth_date_not_in_id":         {"birth_date": "1990-11-13"},
        "sex_not_in_id":                {"sex": "1"},
        "id_type_code_unknown_code":    {"id_type": "77"},
        "id_number_missing":            {"id_number": ""},
        "id_malformed":                 {"id_number": "1234"},
        "id_check_digit_wrong":         {"id_number": wrong_check},
        "id_15_digits":                 {"id_number": old_number},
        "nation_code_unknown_code":     {"nation": "98"},
        "marital_status_code_unknown_code": {"marital_status": "99"},
        "hukou_division_code_missing":  {"hukou_division": ""},
        "hukou_in_city":                {"hukou_division": VILLAGE},
        "residence_division_code_missing": {"residence_division": ""},
        "residence_elsewhere":          {"residence_division": "130102000000"},
        "division_unknown":             {"hukou_division": "990000000000"},
        "division_retired":             {"residence_division": "110103001001"},
        "inflow_date_missing":          {"inflow_date": ""},
        "inflow_date_unreadable":       {"inflow_date": "x"},
        "inflow_in_future":             {"inflow_date": "2026-06-02"},
        "outflow_date_unreadable":      {"outflow_date": "x"},
        "outflow_in_future":            {"outflow_date": "2026-06-02"},
        "outflow_before_inflow":        {"outflow_date": "2024-02-29"},
        "outflow_date_missing":         {"state": "2"},
        "spouse_id_type_code_unknown_code": {"spouse_id_type": "77"},
        "spouse_id_malformed":          {"spouse_id_number": "1234"},
        "spouse_id_check_digit_wrong":  {"spouse_id_number": wrong_check},
        "children_count_unreadable":    {"children_total": "x"},
        "children_implausible":         {"children_total": "16"},
        "certificate_number_missing":   {"cert_no": ""},
        "certificate_state_code_missing": {"cert_state": ""},
        "certificate_state_code_unknown_code": {"cert_state": "5"},
        "phone_malformed":              {"phone": "none"},
        "registration_state_code_missing": {"state": ""},
        "registration_state_code_unknown_code": {"state": "3"},
        "source_updated_at_unreadable": {"updated_at": "x"},
        "name_rare_character":          {"spouse_name": "周䶮"},
        "full_width_or_spaces":         {"phone": "139０0000004"},
    },
    "bank_return": {
        "payment_id_missing":           {"disb_id": ""},
        "payment_batch_number_missing": {"batch_no": ""},
        "fiscal_year_missing":          {"fiscal_year": ""},
        "fiscal_year_unreadable":       {"fiscal_year": "last"},
        "fiscal_year_implausible":      {"fiscal_year": "2027"},
        "case_number_missing":          {"case_no": ""},
        "programme_code_missing":       {"scheme": ""},
        "programme_code_unknown_code":  {"scheme": "L"},
        "category_code_missing":        {"category": ""},
        "category_code_unknown_code":   {"category": "T1"},
        "category_of_other_programme":  {"scheme": "J"},
        "amount_fen_missing":           {"amount_fen": ""},
        "amount_fen_unreadable":        {"amount_fen": "100.50"},
        "amount_negative":              {"amount_fen": "-1"},
        "amount_zero":                  {"amount_fen": "0"},
        "account_holder_name_missing":  {"account_holder": ""},
        "account_number_missing":       {"bank_account": ""},
        "account_number_malformed":     {"bank_account": "6222-x"},
        "result_code_missing":          {"bank_result": ""},
        "result_code_unknown_code":     {"bank_result": "5"},
        "result_at_missing":            {"bank_result_at": ""},
        "result_at_unreadable":         {"bank_result_at": "x"},
        "result_in_future":             {"bank_result_at": "2026-06-02 00:00"},
        "source_updated_at_unreadable": {"updated_at": "x"},
        "name_rare_character":          {"account_holder": "李䶮"},
        "full_width_or_spaces":         {"account_holder": "李 秀英"},
    },
    "beneficiary_case": {
        "case_number_missing":          {"case_no": ""},
        "programme_code_missing":       {"scheme": ""},
        "programme_code_unknown_code":  {"scheme": "S"},
        "category_code_missing":        {"category": ""},
        "category_code_unknown_code":   {"category": "T1"},
        "category_of_other_programme":  {"category": "two_girls"},
        "apply_year_missing":           {"apply_year": ""},
        "apply_year_unreadable":        {"apply_year": "x"},
        "apply_year_impossible":        {"apply_year": "2027", "first_year": ""},
        "apply_year_implausible":       {"apply_year": "2003"},
        "first_year_unreadable":        {"first_year": "x"},
        "first_year_before_application": {"first_year": "2019"},
        "person_id_missing":            {"person_id": ""},
        "name_missing":                 {"name": ""},
        "id_number_missing":            {"id_number": ""},
        "id_malformed":                 {"id_number": "1234"},
        "id_check_digit_wrong":         {"id_number": wrong_check},
        "id_15_digits":                 {"id_number": old_number},
        "hukou_division_code_missing":  {"hukou_division": ""},
        "division_unknown":             {"hukou_division": "110101001999"},
        "division_retired":             {"hukou_division": "110103001001"},
        "start_month_missing":          {"start_month": ""},
        "start_month_unreadable":       {"start_month": "2020-05"},
        "end_month_unreadable":         {"end_month": "x"},
        "month_not_first":              {"start_month": "2020-05-02"},
        "end_before_start":             {"end_month": "2020-04-01"},
        "state_code_missing":           {"state": ""},
        "state_code_unknown_code":      {"state": "4"},
        "exit_reason_missing":          {"state": "3", "end_month": "2025-01-01"},
        "end_month_missing":            {"state": "3", "exit_reason": "10"},
        "exit_reason_code_unknown_code": {"exit_reason": "11"},
        "padis_state_code_unknown_code": {"padis_state": "99"},
        "padis_batch_missing":          {"padis_batch_id": ""},
        "source_updated_at_unreadable": {"updated_at": "x"},
        "name_rare_character":          {"name": "李䶮"},
        "full_width_or_spaces":         {"name": "李 秀英"},
    },
}
# fmt: on
# Rules about several rows, or about what no row holds; drawn below.
ELSEWHERE = {
    "person_id_repeated",
    "relation_id_repeated",
    "marriage_id_repeated",
    "record_id_repeated",
    "registration_number_repeated",
    "registration_id_repeated",
    "payment_id_repeated",
    "case_number_repeated",
    "id_duplicate",
    "id_number_shared",
    "row_malformed",
}  # fmt: skip
SITUATIONS = [(name, rule_id) for name, rules in BROKEN.items() for rule_id in rules]
REJECTS = {
    name: [rule_id for rule_id in rules if load_contract(name).rule(rule_id).severity == "reject"]
    for name, rules in BROKEN.items()
}


@lru_cache(maxsize=8)
def situations(name: str) -> dict[str, dict[str, str | None]]:
    """Draw the rows of a table, each with a key and, if a person, a number of its own."""
    contract = load_contract(name)
    key = next(str(entry.physical_name) for entry in contract.properties if entry.is_key)
    rows = {}
    for place, (rule_id, said) in enumerate(BROKEN[name].items(), start=1):
        row = row_of(name, **{key: str(place)})
        if name == "population_person":
            row["id_number"] = resident_id("110103", "1960-03-04", 2 * place)
        for column, value in said.items():
            row[column] = value(str(row[column])) if callable(value) else value
        rows[rule_id] = row
    return rows


@lru_cache(maxsize=8)
def outcome(name: str) -> dict[str, set[str]]:
    """Conform all situations of a dataset at once and tell what became of each."""
    conformed = conform(name, *situations(name).values())
    told = {}
    for table in (conformed.accepted, conformed.quarantined):
        for row in table.select(["landing_row", "failed_rules"]).to_pylist():
            told[list(BROKEN[name])[row["landing_row"] - 1]] = set(row["failed_rules"])
    return told


def all_failed(rows: pa.Table) -> set[str]:
    return {rule_id for failed in rows.column("failed_rules").to_pylist() for rule_id in failed}


@pytest.mark.parametrize("name", DATASETS)
def test_a_clean_row_breaks_no_rule(name: str) -> None:
    conformed = conform(name, row_of(name))
    assert broken_rules(conformed) == set()
    assert conformed.counts.accepted == 1


@pytest.mark.parametrize(("name", "rule_id"), SITUATIONS)
def test_a_row_breaks_exactly_the_rule_it_was_drawn_for(name: str, rule_id: str) -> None:
    assert outcome(name)[rule_id] == {rule_id}


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("name", DATASETS)
def test_rows_are_accepted_once_the_rules_that_reject_them_are_gone(name: str, half: int) -> None:
    """Every other rule is gone: exactly the rows that were drawn for one of these are rejected no more."""
    gone = set(REJECTS[name][half::2])
    rows = {rule_id: situations(name)[rule_id] for rule_id in REJECTS[name]}
    accepted = conform(name, *rows.values(), without=gone).accepted.column("landing_row").to_pylist()
    assert {REJECTS[name][place - 1] for place in accepted} == gone


@pytest.mark.parametrize("name", DATASETS)
def test_every_rule_of_a_row_is_drawn(name: str) -> None:
    rules = {rule.id for rule in load_contract(name).row_rules} - ELSEWHERE
    assert rules - set(BROKEN[name]) == set()


def test_of_two_rows_with_one_key_the_newest_is_kept() -> None:
    older = row_of("mch_birth", updated_at="2026-05-20 10:00:00")
    newer = row_of("mch_birth", updated_at="2026-05-22 10:00:00", weight_g="3300")
    conformed = conform("mch_birth", newer, older)
    assert conformed.accepted.column("weight_g").to_pylist() == [3300]
    assert conformed.quarantined.column("failed_rules").to_pylist() == [["record_id_repeated"]]


NUMBER = resident_id("110103", "1960-03-04", 122)
# fmt: off
SHARED_NUMBERS = [
    # birth dates of the holders      rejected as copies   warned of
    (["1960-03-04", "1971-01-02"],    [2],                 set()),
    (["1971-01-02", "1960-03-04"],    [1],                 set()),
    (["1960-03-04", "1960-03-04"],    [],                  {"id_number_shared"}),
    (["1971-01-02", "1972-01-02"],    [],                  {"id_number_shared", "birth_date_not_in_id"}),
    (["1960-03-04"],                  [],                  set()),
]
# fmt: on


@pytest.mark.parametrize(("births", "copies", "warned"), SHARED_NUMBERS)
def test_a_number_belongs_to_the_one_whose_birth_date_it_tells(
    births: list[str], copies: list[int], warned: set[str]
) -> None:
    rows = [
        row_of("population_person", person_id=str(place), birth_date=birth, id_number=NUMBER)
        for place, birth in enumerate(births)
    ]
    conformed = conform("population_person", *rows)
    assert conformed.quarantined.column("landing_row").to_pylist() == copies
    assert all_failed(conformed.quarantined) <= {"id_duplicate"}
    assert all_failed(conformed.accepted) == warned


def test_a_copied_number_is_accepted_once_the_rule_is_gone() -> None:
    owner = row_of("population_person", person_id="1", id_number=NUMBER)
    copy = row_of("population_person", person_id="2", id_number=NUMBER, birth_date="1971-01-02")
    assert conform("population_person", owner, copy).counts.quarantined == 1
    assert conform("population_person", owner, copy, without=["id_duplicate"]).counts.quarantined == 0


# fmt: off
CONFORMED = [
    # dataset             received                                    conformed
    ("population_person", {"id_number": "110105491231002"},           {"id_number": "11010519491231002X"}),
    ("population_person", {"id_number": "１１０１０５19491231002x"},   {"id_number": "11010519491231002X"}),
    ("population_person", {"id_type": "03", "id_number": "e1234 567"}, {"id_number": "E1234567"}),
    ("population_person", {"name": "　欧阳　娜娜 "},                   {"name": "欧阳娜娜"}),
    ("population_person", {"name": "Ｊｏｈｎ   Smith"},                {"name": "John Smith"}),
    ("population_person", {"name": "李\ue81e"},
        {"name": "李龴", "received_name": "李\ue81e"}),
    ("population_person", {"name": "李\ue863"},
        {"name": "李䶮", "received_name": "李\ue863"}),
    ("population_person", {"name": "李㛃"},
        {"name": "李㛃", "received_name": None}),
    ("population_person", {"name": "李\ue000"},
        {"name": "李\ue000", "received_name": None}),
    ("population_person", {"name": "李 秀英"},
        {"name": "李秀英", "received_name": "李 秀英"}),
    ("mch_birth",         {"mother_name": "钱\ue826"},
        {"mother_name": "钱龵", "received_mother_name": "钱\ue826", "received_father_name": None}),
    ("population_person", {"hukou_division": "110103001001"},
        {"hukou_division_code": "110101001001", "received_hukou_division_code": "110103001001"}),
    ("population_person", {"hukou_division": "110203999999"},
        {"hukou_division_code": "110112000000", "received_hukou_division_code": "110203999999"}),
    ("population_person", {"hukou_division": "130102000000"},
        {"hukou_division_code": "130102000000", "received_hukou_division_code": None}),
    ("mch_birth",         {"birth_datetime": "2026-05-20 08:30"},
        {"born_at": datetime.fromisoformat("2026-05-20 08:30")}),
    ("mch_birth",         {"gest_weeks": "38.5"},                     {"gestation_weeks": Decimal("38.5")}),
    ("mch_birth",         {"mother_residence_division": "110229001001"},
        {"mother_residence_division_code": "110119001001"}),
    ("family_child",      {"child_name": ""},                         {"child_name": None}),
]
# fmt: on


@pytest.mark.parametrize(("name", "received", "expected"), CONFORMED)
def test_what_is_received_is_written_one_way(
    name: str, received: dict[str, str], expected: dict[str, object]
) -> None:
    accepted = conform(name, row_of(name, **received)).accepted.to_pylist()
    assert [{column: row[column] for column in expected} for row in accepted] == [expected]
