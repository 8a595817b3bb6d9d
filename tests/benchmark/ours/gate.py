"""The whole suite of persons, compiled: every expectation of the contract, as the gate judges it."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from typing import Any

from quality.batch import batch_of
from quality.gx_context import open_context
from quality.validation import Validation, validate_compiled
from schemas.contract import load_contract
from tests.benchmark.ours.relations import rows_of, settings_of

DATASET = "population_person"
LEAST = {"rows_lost": 1000}


def run(inputs: dict[str, Any]) -> Validation:
    return judged(inputs, validate_compiled)


def judged(inputs: dict[str, Any], validate: Callable[..., Validation]) -> Validation:
    """Judge the persons by one of the two ways."""
    settings = settings_of(inputs)
    day = date.fromisoformat(inputs["day"])
    batch = batch_of(settings, load_contract(DATASET), {"conformed": rows_of(inputs, "person")}, day)
    return validate(settings, open_context(settings), DATASET, batch, LEAST)


def answer(validation: Validation, inputs: dict[str, Any]) -> dict[str, Any]:
    told = validation.result.to_json_dict()
    del told["meta"]["batch_markers"]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return {"expectations": len(told["results"]), "result_sha256": digest, "left": len(validation.left)}
