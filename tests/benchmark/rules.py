"""The rules that every validation judges: sixteen over rows, one of uniqueness, two of keys.

They are written once, as a suite of Great Expectations; peers read them from its JSON (peers/validate_*.py).
"""

import uuid
from datetime import date
from typing import Any

from schemas.code_sets import load_code_set
from schemas.division import load_divisions

REQUIRED = ("person_id", "name", "sex_code", "birth_date", "hukou_division_code", "life_status_code")
CODED = {
    "sex_code": "sex",
    "nation_code": "nation",
    "education_code": "education",
    "marital_status_code": "marital_status",
    "hukou_nature_code": "hukou_nature",
    "life_status_code": "life_status",
}
PATTERNS = {
    "person_id": "^[0-9]{20}$",
    "id_number": "^[0-9]{17}[0-9X]$",
    "household_code": "^[0-9]{18}$",
    "phone": "^[0-9+-]{5,20}$",
}
UNIQUE = "person_id"
KEYS = ("hukou_division_code", "residence_division_code")


def suite_of(day: date) -> dict[str, Any]:
    """Write the rules as a suite; an expectation is named `<column>.<kind>`."""
    divisions = load_divisions(day)["division_code"].to_pylist()
    expected = [
        *((column, "not_be_null", {}) for column in REQUIRED),
        *(
            (column, "be_in_set", {"value_set": list(load_code_set(name).codes)})
            for column, name in CODED.items()
        ),
        *((column, "match_regex", {"regex": pattern}) for column, pattern in PATTERNS.items()),
        (UNIQUE, "be_unique", {}),
        *((column, "be_in_set", {"value_set": divisions}) for column in KEYS),
    ]
    return {
        "name": "benchmark",
        "expectations": [
            {
                "type": f"expect_column_values_to_{kind}",
                "kwargs": {"column": column, **arguments},
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{column}.{kind}")),
                "meta": {"rule": f"{column}.{kind}", "rule_ids": [f"{column}.{kind}"]},
                "severity": "critical",
            }
            for column, kind, arguments in expected
        ],
    }
