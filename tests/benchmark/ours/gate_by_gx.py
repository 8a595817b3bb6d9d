"""The same suite by Great Expectations itself, on a pandas frame of the same batch."""

from typing import Any

from quality.validation import Validation, validate_by_gx
from tests.benchmark.ours import gate


def run(inputs: dict[str, Any]) -> Validation:
    return gate.judged(inputs, validate_by_gx)


answer = gate.answer
