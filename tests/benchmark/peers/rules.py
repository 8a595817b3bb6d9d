"""The rules of the suite, as peers read them: (rule, kind, column, argument)."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PREFIX = "expect_column_values_to_"


def rules(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Give each rule with its kind (`not_be_null`, `be_in_set`, `match_regex`, `be_unique`)."""
    suite = json.loads(Path(inputs["suite"]).read_text(encoding="utf-8"))
    for entry in suite["expectations"]:
        arguments = entry["kwargs"]
        argument = arguments.get("value_set") or arguments.get("regex")
        yield entry["meta"]["rule"], entry["type"].removeprefix(PREFIX), arguments["column"], argument


def columns(inputs: Mapping[str, Any]) -> list[str]:
    """Name the columns that rules speak of: no peer reads others."""
    return sorted({column for _, _, column, _ in rules(inputs)})
