"""A model that `padis births train` makes of a small city links as the shipped one does."""

import json
import secrets
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from connectors.lake import Reconciled, publish_dataset
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.births.fold import folded_births, population_children
from etl.births.linkage import exact_links, link_births
from etl.births.model import LinkageModel, cited_model, load_model, model_on
from etl.cli import app
from schemas.refusal import Refusal
from tests.support.birth_year import TODAY, BirthYear, birth_year
from tests.support.link_quality import link_quality

pytestmark = pytest.mark.filterwarnings("ignore")
BIRTHS, UNSEEN_BIRTHS, PAIRS = 4_000, 6_000, 1_000_000


@pytest.fixture(scope="module")
def year() -> BirthYear:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    return birth_year(seed, BIRTHS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def train(settings: Settings, folder: Path) -> Result:
    words = ["births", "train", "small-city", "--by", "the linkage group", "--date", str(TODAY)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.commands.births.ready_settings", lambda: nullcontext(settings))
        return CliRunner().invoke(app, [*words, "--folder", str(folder), "--pairs", str(PAIRS)])


@pytest.fixture(scope="module")
def told(settings: Settings, year: BirthYear, folder: Path) -> str:
    # The version of the day before is another one: training must read what the date points at.
    with registry_session(settings) as connection:
        for day, rows in ((TODAY - timedelta(days=1), 10), (TODAY, None)):
            for name, table in year.staging.items():
                part = table.slice(0, rows)
                counts = Reconciled(part.num_rows, part.num_rows, 0)
                publish_dataset(connection, settings, f"staging.{name}", part, day, counts=counts, inputs=[])
    done = train(settings, folder)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def trained(told: str, folder: Path) -> LinkageModel:
    return load_model(folder / "small-city.json")


def test_the_artefact_says_who_trained_it_on_what_and_with_which_result(
    trained: LinkageModel, told: str
) -> None:
    assert trained.training["trained_by"] == "the linkage group"
    assert trained.training["business_date"] == TODAY.isoformat()
    assert trained.training["sources"] == {
        "mch_birth": "staging.mch_birth@1",
        "family_child": "staging.family_child@1",
        "population_person": "staging.population_person@1",
    }
    result = trained.result
    assert result["found"] >= 0.98 * result["certain_pairs"] > 0
    assert result["contradicted"] <= 0.001 * result["found"]
    assert sum(band["pairs"] for band in result["calibration"]) >= result["certain_pairs"]
    for words in ("the linkage group", f"small-city@{trained.digest}", f"{result['found']:,}"):
        assert words in told


def test_the_prior_is_held_at_what_exact_passes_link(
    settings: Settings, year: BirthYear, trained: LinkageModel, folder: Path
) -> None:
    births = folded_births(settings, year.staging, TODAY).births
    children = population_children(settings, year.staging)
    exact = exact_links(settings, births, children)
    certain = exact.num_rows - exact["pass_name"].null_count
    prior = json.loads((folder / "small-city.json").read_text(encoding="utf-8"))["prior"]
    assert prior["expected_matches"] == certain
    assert trained.prior == certain / (prior["births"] * prior["children"])
    truth = len(year.known_to_both) / (prior["births"] * prior["children"])
    assert trained.prior == pytest.approx(truth, rel=0.05)


def test_it_links_unseen_births_as_the_shipped_model_does(settings: Settings, trained: LinkageModel) -> None:
    unseen = birth_year(secrets.randbelow(2**31), UNSEEN_BIRTHS)
    births = folded_births(settings, unseen.staging, TODAY).births
    children = population_children(settings, unseen.staging)

    def found_by(model: LinkageModel) -> dict[str, Any]:
        links = link_births(settings, unseen.staging, births, children, model, TODAY)
        return link_quality(unseen, links.to_pylist())

    ours, shipped = found_by(trained), found_by(model_on(TODAY))
    assert ours["precision"] >= 0.9995, ours
    assert ours["f1"] == pytest.approx(shipped["f1"], abs=0.0015), (ours, shipped)
    assert ours["recall"] >= shipped["recall"] - 0.002, (ours, shipped)


def test_a_name_is_given_once(settings: Settings, trained: LinkageModel, folder: Path) -> None:
    before = (folder / "small-city.json").read_bytes()
    again = train(settings, folder)
    assert isinstance(again.exception, Refusal)
    assert again.exception.code == "linkage_model_exists"
    assert (folder / "small-city.json").read_bytes() == before
    assert load_model(folder / "small-city.json") == trained


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        (lambda told: {**told, "format": 2}, "linkage_model_unusable"),
        (lambda told: {**told, "prior": {**told["prior"], "probability": 0.5}}, "linkage_model_differs"),
        (
            lambda told: {key: value for key, value in told.items() if key != "result"},
            "linkage_model_unusable",
        ),
    ],
    ids=["another format", "another prior", "no result"],
)
def test_an_artefact_that_was_touched_is_refused(
    trained: LinkageModel, folder: Path, tmp_path: Path, spoilt: Any, code: str
) -> None:
    written = json.loads((folder / "small-city.json").read_text(encoding="utf-8"))
    assert cited_model(trained.version, folder) == trained
    (tmp_path / "small-city.json").write_text(json.dumps(spoilt(written)), encoding="utf-8")
    with pytest.raises(Refusal, match=code):
        cited_model(trained.version, tmp_path)
