"""How pandera names its checks."""

KINDS = {
    "not_nullable": "not_be_null",
    "field_uniqueness": "be_unique",
    "isin": "be_in_set",
    "str_matches": "match_regex",
}


def kind_of(check: str) -> str:
    """Tell the kind of a rule from the check that failed."""
    return KINDS[check.partition("(")[0]]
