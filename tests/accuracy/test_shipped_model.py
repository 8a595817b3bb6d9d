"""The shipped model is what its year trains: anyone can make it again, byte for byte."""

import json
from pathlib import Path

import pytest

from connectors.settings import Settings
from etl.births.model import MODELS
from etl.births.train import train_model
from tests.support.birth_year import TODAY, birth_year

SEED, BIRTHS = 20260101, 150_000


@pytest.mark.deep
@pytest.mark.filterwarnings("ignore")
def test_the_shipped_model_is_what_its_year_trains() -> None:
    shipped = (MODELS / "invented-city-1.json").read_text(encoding="utf-8")
    told = json.loads(shipped)
    said = told["training"]
    assert all(f"{BIRTHS:,}" in source and str(SEED) in source for source in said["sources"].values())
    again = train_model(
        Settings(var=Path("nowhere")),
        birth_year(SEED, BIRTHS).staging,
        TODAY,
        name=told["name"],
        trained_by=said["trained_by"],
        sources=said["sources"],
    )
    assert again.artefact == shipped
