"""Rules of predictions are data, and a file that cannot be used says so."""

from datetime import date
from pathlib import Path

import pytest

from schemas.padis_prediction import FEATURES, load_prediction_rules, prediction_rules_on
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal

WRITTEN = """
receiver: national
valid_from: 2026-01-01
look_back_days: 730
least_answered: 30
name_from_percent: 50
rules:
  - {id: district, by: [subsystem, district]}
"""


def test_the_national_receiver_has_rules_from_the_day_they_hold() -> None:
    rules = prediction_rules_on("national", date(2026, 6, 1))
    assert rules is not None
    assert all(set(rule.by) <= set(FEATURES) for rule in rules.rules)
    assert prediction_rules_on("national", date(2025, 12, 31)) is None
    assert prediction_rules_on("sharing", date(2026, 6, 1)) is None


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("[subsystem, district]", "[subsystem, name]"),
        ("[subsystem, district]", "[district, district]"),
        ("[subsystem, district]", "[]"),
        ("id: district", "id: same_again"),
        ("least_answered: 30", "least_answered: 0"),
        ("name_from_percent: 50", "name_from_percent: 101"),
        ("look_back_days: 730\n", ""),
    ],
)
def test_rules_that_cannot_be_used_are_refused(tmp_path: Path, found: str, instead: str) -> None:
    path = tmp_path / "national_2026.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    assert load_prediction_rules(path).rules[0].by == ("subsystem", "district")
    other = tmp_path / "other.yaml"
    other.write_text(WRITTEN.replace(found, instead), encoding="utf-8")
    with pytest.raises(Refusal):
        load_prediction_rules(other)


def test_a_part_of_a_file_tells_its_district() -> None:
    profile = profile_on("national", date(2026, 6, 1))
    for subsystem in profile.subsystems.values():
        assert profile.district_of(profile.name_member(subsystem, "110105")) == "110105"
    assert profile.district_of("LNJF_JFDX_110000_110105.zip") is None
