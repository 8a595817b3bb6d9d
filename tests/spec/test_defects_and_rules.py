"""Every defect that the sandbox plants, and what sees it: a rule, a check of the file, or a later step.

A rule that judges one row cannot see what only another row or another system knows; the table says who can.
"""

import pytest

from sandbox.city.planting import SEVERITIES, UNDETECTABLE
from sandbox.city.statistics import defect_rates
from schemas.drop_source import DROP_SOURCES
from tests.support.defects import RULES, rule_of

DROPPED = [source.dataset for source in DROP_SOURCES]

# fmt: off
NOT_A_ROWS = {
    # dataset              defect                       not visible to a row rule, because …
    ("population_person", "death_not_recorded"):        "the row is that of a living person",
    ("mch_birth",         "missing_in_mch"):            "there is no row; births: only_population",
    ("mch_birth",         "missing_in_population"):     "no row over there; births: only_mch",
    ("mch_birth",         "duplicate_report"):          "each report is sound; births: reported_twice",
    ("mch_birth",         "reissued"):                  "a reissue is sound; births folds the chain",
    ("mch_birth",         "name_typo"):                 "a name is a name; births: the registered one stays",
    ("mch_birth",         "name_changed"):              "a name is a name; births: the registered one stays",
    ("mch_birth",         "birth_date_off"):            "it is a date; births: conflict",
    ("mch_birth",         "month_day_swapped"):         "it is a date; births: review",
    ("mch_birth",         "sex_wrong"):                 "the other sex is a sex; births: conflict",
    ("mch_birth",         "parity_wrong"):              "plausible; births: review",
    ("mch_birth",         "mother_name_typo"):          "births links by her document",
    ("mch_birth",         "multiple_birth"):            "no fault: twins; their order has rules",
    ("mch_birth",         "mother_from_elsewhere"):     "no fault: births hands her on",
    ("mch_birth",         "stillbirth_or_neonatal_death"): "no fault: the outcome says it",
    ("birth_service",     "registration_without_birth"): "there is no birth; held against births",
    ("birth_service",     "birth_without_registration"): "there is no registration; held against births",
    ("birth_service",     "child_order_conflict"):      "plausible; held against persons",
    ("birth_service",     "spouse_conflict"):           "held against the marriage record",
    ("beneficiary_case",  "id_of_another"):             "a sound number; the import holds it against persons",
    ("file",              "wrong_encoding"):            "the drop is refused: file_undecodable",
    ("file",              "manifest_mismatch"):         "the drop is refused by its manifest",
}
# fmt: on


def test_every_defect_of_the_sandbox_has_a_line() -> None:
    assert set(RULES) | set(NOT_A_ROWS) == set(defect_rates())
    assert not set(RULES) & set(NOT_A_ROWS)


@pytest.mark.parametrize(("dataset", "defect"), RULES)
def test_the_rule_exists_with_severity_dimension_and_words(dataset: str, defect: str) -> None:
    for name in DROPPED if dataset == "file" else [dataset]:
        rule = rule_of(name, defect)
        assert rule.severity == SEVERITIES[dataset, defect]
        assert " · " in rule.message


def test_what_the_truth_calls_undetectable_has_no_rule() -> None:
    assert set(RULES) == {key for key, severity in SEVERITIES.items() if severity != UNDETECTABLE}
