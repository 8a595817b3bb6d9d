"""One validation of a city's persons, with the clock running: by Great Expectations, or compiled."""

import hashlib
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.lake import DatasetVersion
from connectors.settings import Settings
from quality.batch import batch_of
from quality.gx_context import open_context
from quality.validation import Validation, validate_by_gx, validate_compiled
from schemas.contract import load_contract
from tests.support.received import TODAY

DATASET = "population_person"
LEAST = {"rows_lost": 1000}


def by_gx(folder: str, name: str) -> dict[str, Any]:
    """Validate by Great Expectations itself."""
    return timed(folder, name, validate_by_gx)


def compiled(folder: str, name: str) -> dict[str, Any]:
    """Validate by the compiled suite."""
    return timed(folder, name, validate_compiled)


def timed(folder: str, name: str, validate: Callable[..., Validation]) -> dict[str, Any]:
    """Validate once and tell how long it took and what came out."""
    warnings.simplefilter("ignore")
    settings = Settings(var=Path(folder))
    context = open_context(settings)
    batch = batch_of(settings, load_contract(DATASET), {"conformed": DatasetVersion.parse(name)}, TODAY)
    start = time.perf_counter()
    validation = validate(settings, context, DATASET, batch, LEAST)
    seconds = time.perf_counter() - start
    told = validation.result.to_json_dict()
    del told["meta"]["batch_markers"]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return {
        "seconds": seconds,
        "digest": digest,
        "statistics": told["statistics"],
        "left": dict(validation.left),
    }
