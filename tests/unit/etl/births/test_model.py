"""An artefact is used as it was trained, or refused; training never takes another's place."""

import json
from pathlib import Path

import pytest

from connectors.settings import Settings
from etl.births.comparisons import COMPARISONS
from etl.births.model import MODELS, cited_model, load_model, model_on
from etl.births.train import train_model, write_artefact
from schemas.refusal import Refusal
from tests.support.births import TODAY, child, person, record, staged


def test_the_model_in_force_compares_what_is_declared() -> None:
    model = model_on(TODAY)
    trained = [(each.name, [level.condition for level in each.levels]) for each in model.comparisons]
    declared = [(each.name, [level.condition for level in each.levels]) for each in COMPARISONS]
    assert trained == declared, "comparisons have changed: train a new model under a new name"
    assert {"trained_by", "sources", "certain_pairs", "splink"} <= model.training.keys()
    assert model.result["found"] > 0.99 * model.result["certain_pairs"]
    assert model.result["contradicted"] <= 0.0005 * model.result["found"]


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


@pytest.mark.parametrize("told_format", [0, 2, None])
def test_an_artefact_of_another_format_is_refused(tmp_path: Path, told_format: int | None) -> None:
    told = json.loads(next(MODELS.glob("*.json")).read_text(encoding="utf-8"))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**told, "format": told_format}), encoding="utf-8")
    with pytest.raises(Refusal, match=f"linkage_model_unusable.*format {told_format}"):
        load_model(other)


def test_an_artefact_that_is_not_the_one_cited_is_refused(tmp_path: Path) -> None:
    model = model_on(TODAY)
    written = (MODELS / f"{model.name}.json").read_text(encoding="utf-8")
    assert cited_model(model.version) == model
    for other_text, name in ((written + "\n", model.name), (written, "another")):
        (tmp_path / f"{name}.json").write_text(other_text, encoding="utf-8")
        cited = model.version.replace(model.name, name)
        with pytest.raises(Refusal, match="linkage_model_differs"):
            cited_model(cited, tmp_path)


def test_few_births_teach_nothing() -> None:
    few = staged([record("m1")], [child(1)], [person("P1")])
    with pytest.raises(Refusal, match="too_few_births_to_train"):
        train_model(Settings(var=Path("nowhere")), few, TODAY, name="few", trained_by="nobody", sources={})


def test_an_artefact_never_replaces_another(tmp_path: Path) -> None:
    path = write_artefact(tmp_path, "city", "first")
    with pytest.raises(Refusal, match="linkage_model_exists"):
        write_artefact(tmp_path, "city", "second")
    assert path.read_text(encoding="utf-8") == "first"
