"""An artefact is used as it was trained, or refused; training never takes another's place."""

import json
from pathlib import Path

import pytest

from connectors.settings import Settings
from etl.births.comparisons import COMPARISONS
from etl.births.model import MODELS, load_model, model_on
from etl.births.train import train_model, write_artefact
from schemas.refusal import Refusal
from tests.support.births import TODAY, child, person, record, staged


def test_the_model_in_force_compares_what_is_declared() -> None:
    model = model_on(TODAY)
    trained = [(each.name, [level.condition for level in each.levels]) for each in model.comparisons]
    declared = [(each.name, [level.condition for level in each.levels]) for each in COMPARISONS]
    assert trained == declared, "comparisons have changed: train a new model under a new name"
    assert {"trained_by", "sources", "certain_pairs", "splink"} <= model.training.keys()


def test_agreement_speaks_for_one_child_and_difference_against() -> None:
    for comparison in model_on(TODAY).comparisons:
        assert comparison.levels[0].weight > 0 > comparison.levels[-1].weight, comparison.name


def test_an_artefact_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="linkage_model_unusable"):
        load_model(tmp_path / "none.json")
    told = json.loads(next(MODELS.glob("*.json")).read_text(encoding="utf-8"))
    told["comparisons"][0]["levels"][0]["u"] = 0
    spoiled = tmp_path / "spoiled.json"
    spoiled.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(Refusal, match="between 0 and 1"):
        load_model(spoiled)


def test_few_births_teach_nothing() -> None:
    few = staged([record("m1")], [child(1)], [person("P1")])
    with pytest.raises(Refusal, match="too_few_births_to_train"):
        train_model(Settings(var=Path("nowhere")), few, TODAY, name="few", trained_by="nobody", sources={})


def test_an_artefact_never_replaces_another(tmp_path: Path) -> None:
    path = write_artefact(tmp_path, "city", "first")
    with pytest.raises(Refusal, match="linkage_model_exists"):
        write_artefact(tmp_path, "city", "second")
    assert path.read_text(encoding="utf-8") == "first"
