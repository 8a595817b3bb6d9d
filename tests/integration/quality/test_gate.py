"""The gate: what holds is pointed at, what does not is stopped, and no value of a row is shown anywhere."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlglot import parse_one

from connectors.lake import Reconciled, candidate_on, publish_dataset, read_dataset, version_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.population import conform_population
from quality.batch import Batch
from quality.gate import gate_datasets
from quality.suites import suite_files
from quality.validation import Validation, validate_by_gx
from schemas.contract import load_contract
from schemas.refusal import Refusal
from schemas.registry import RULE_RESULT
from tests.support.landed import land_extract
from tests.support.received import TODAY, resident_id, row_of

DATASETS = ("population_person", "family_child", "marriage")
TOMORROW = TODAY + timedelta(days=1)
# Of every kind of person's value, one that stands nowhere else; the telephone, the household and the birth
# certificate break a rule about their own column, so that a result with values would show them.
CANARIES = (
    "金丝雀", "110103196003041949", "1391111X222", "芦苇巷七号", "R1199", "11010100000000000777", "户编码七七"
)  # fmt: skip

# Great Expectations 1.24 warns of its own use of others while it is imported and run.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def land_city(settings: Settings, day: date, persons: int = 10) -> None:
    rows = [
        row_of(
            "population_person",
            person_id=f"1101010000000000{place:04d}",
            id_number=resident_id("110103", "1960-03-04", 2 * place),
        )
        for place in range(1, persons)
    ]
    canary = row_of(
        "population_person",
        person_id=CANARIES[5],
        name=CANARIES[0],
        id_number=CANARIES[1],
        phone=CANARIES[2],
        hukou_address=CANARIES[3],
        nation="98",
        household_code=CANARIES[6],
    )
    orphan = row_of("family_child", relation_id="2", mother_person_id="11010100000000009999")
    child = row_of("family_child", father_person_id=CANARIES[5], birth_cert_no=CANARIES[4])
    land_extract(settings, "population_person", day, *rows, canary)
    land_extract(settings, "family_child", day, child, orphan)
    land_extract(settings, "marriage", day, row_of("marriage"))
    conform_population(settings, day)


@pytest.fixture(scope="module")
def gated(settings: Settings) -> Settings:
    land_city(settings, TODAY)
    told = gate_datasets(settings, TODAY, DATASETS)
    warnings = {entry["name"]: entry["warnings"] for entry in told["datasets"]}
    assert warnings["population_person"] == {
        "nation_code_unknown_code": 1,
        "household_code_malformed": 1,
        "phone_malformed": 1,
    }
    return settings


def pages_and_results(settings: Settings) -> dict[str, bytes]:
    folder = settings.quality
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in {".html", ".json"}
    }


def test_a_date_points_at_what_the_gate_let_through(gated: Settings) -> None:
    with registry_session(gated) as connection:
        for name in DATASETS:
            version = version_on(connection, f"staging.{name}", TODAY)
            assert version == candidate_on(connection, f"staging.{name}", TODAY)


@pytest.fixture(params=["compiled", "row by row"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the compiled suite judge, or Great Expectations row by row."""

    def by_rows(*args: Any, counted: Any) -> Validation:
        return validate_by_gx(*args)

    if request.param == "row by row":
        monkeypatch.setattr("quality.gate.validate_compiled", by_rows)


@pytest.mark.usefixtures("either")
def test_judging_the_same_rows_again_changes_no_byte_whoever_judges(gated: Settings) -> None:
    before = pages_and_results(gated)
    gate_datasets(gated, TODAY, DATASETS)
    assert pages_and_results(gated) == before


def test_results_and_pages_show_no_value_of_a_row(gated: Settings) -> None:
    kept = {path: content.decode() for path, content in pages_and_results(gated).items()}
    assert any(path.startswith("results/population_person") for path in kept)
    assert any(path.startswith("docs/validations/population_person") for path in kept)
    for path, content in kept.items():
        for canary in CANARIES:
            assert canary not in path + content, path
            assert json.dumps(canary)[1:-1] not in content, path


def test_pages_load_nothing_from_anywhere(gated: Settings) -> None:
    pages = [*(gated.quality / "docs").rglob("*.html")]
    assert len(pages) == 2 * len(DATASETS) + 1
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "://" not in text, page
        assert "<script" not in text, page
        links = re.findall(r'(?:href|src)="([^"#]+)', text)
        assert links
        assert all((page.parent / unquote(link)).exists() for link in links), page


def test_pages_tell_the_rules_in_both_languages(gated: Settings) -> None:
    page = next((gated.quality / "docs" / "validations" / "population_person").rglob("*.html"))
    text = page.read_text(encoding="utf-8")
    for rule in load_contract("population_person").row_rules:
        assert rule.message.replace("'", "&#39;") in text or rule.message in text, rule.id


@pytest.fixture
def older_nights(gated: Settings) -> Iterator[list[str]]:
    """Keep the same results and pages for forty nights before."""
    nights = [TODAY - timedelta(days=number) for number in range(1, 41)]
    made = []
    for kept in [*gated.quality.rglob(f"{TODAY}/*/*.*")]:
        for night in nights:
            folder = kept.parents[2] / night.isoformat()
            copy = folder / f"{night:%Y%m%d}T000000.000000Z" / kept.name
            copy.parent.mkdir(parents=True)
            copy.write_bytes(kept.read_bytes())
            made.append(folder)
    yield [night.isoformat() for night in nights]
    for folder in made:
        shutil.rmtree(folder)


def test_the_first_page_lists_a_month_of_nights_and_others_stay(
    gated: Settings, older_nights: list[str]
) -> None:
    before = pages_and_results(gated)
    # Whoever clears results away leaves pages without one.
    (gone,) = (gated.quality / "results" / "marriage" / older_nights[0]).rglob("*.json")
    gone.unlink()
    gate_datasets(gated, TODAY, DATASETS)
    text = (gated.quality / "docs" / "index.html").read_text(encoding="utf-8")
    listed = set(re.findall(r"validations/[a-z_]+/([0-9-]+)/", text))
    assert listed == {TODAY.isoformat(), *older_nights[:30]}
    assert f"validations/marriage/{older_nights[0]}" not in text
    assert set(before) - set(pages_and_results(gated)) == {str(gone.relative_to(gated.quality))}


def publish_candidate(settings: Settings, name: str, day: date, rows: pa.Table) -> None:
    counts = Reconciled(rows.num_rows, rows.num_rows, 0)
    with registry_session(settings) as connection:
        publish_dataset(
            connection, settings, f"staging.{name}", rows, day, counts=counts, inputs=[], current=False
        )


def staged(settings: Settings, name: str) -> pa.Table:
    with registry_session(settings) as connection:
        version = version_on(connection, f"staging.{name}", TODAY)
    return read_dataset(settings, version).sort_by(load_contract(name).key)


@pytest.mark.usefixtures("either")
def test_a_row_that_slipped_through_conforming_stops_at_the_gate(gated: Settings) -> None:
    rows = staged(gated, "population_person")
    place = rows.schema.get_field_index("id_number")
    wrong = ["110103196003040020", *rows.column(place).to_pylist()[1:]]
    publish_candidate(
        gated,
        "population_person",
        TOMORROW,
        rows.set_column(place, "id_number", pa.array(wrong, pa.string())),
    )
    with pytest.raises(
        Refusal, match=r"gate_closed.*id_check_digit_wrong \(1 rows\), first [0-9a-f]{8,} row [0-9]+;?"
    ):
        gate_datasets(gated, TOMORROW, ["population_person"])
    with registry_session(gated) as connection:
        assert version_on(connection, "staging.population_person", TOMORROW) == version_on(
            connection, "staging.population_person", TODAY
        )


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(("kept", "rule_id"), [(0, "no_rows"), (5, "rows_lost")])
def test_a_dataset_that_shrank_stops_at_the_gate(gated: Settings, kept: int, rule_id: str) -> None:
    publish_candidate(gated, "population_person", TOMORROW, staged(gated, "population_person").slice(0, kept))
    with pytest.raises(Refusal, match=rf"gate_closed.*{rule_id}"):
        gate_datasets(gated, TOMORROW, ["population_person"])
    with registry_session(gated) as connection:
        failed = connection.scalar(
            sa.select(RULE_RESULT.c.failed).where(
                RULE_RESULT.c.rule_id == rule_id, RULE_RESULT.c.business_date == TOMORROW
            )
        )
    assert failed == 1


@pytest.mark.usefixtures("either")
def test_an_expectation_that_errored_is_not_told_as_failed(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import quality.gate

    complete = quality.gate.candidate_batch

    def without_a_flag(*args: Any) -> Batch:
        batch = complete(*args)
        flag = next(flag for flag in parse_one(batch.query).selects if flag.alias == "end_before_start")
        return replace(batch, query=batch.query.replace(f", {flag.sql(dialect='duckdb')}", ""))

    monkeypatch.setattr(quality.gate, "candidate_batch", without_a_flag)
    with pytest.raises(Refusal, match=r"gate_errored.*end_before_start"):
        gate_datasets(gated, TODAY, ["marriage"])


def test_nothing_conformed_is_refused_by_name(gated: Settings) -> None:
    with pytest.raises(Refusal, match=r"nothing_conformed.*mch_birth"):
        gate_datasets(gated, TODAY, ["mch_birth"])


def test_the_suites_on_disk_are_those_of_the_contracts() -> None:
    for path, content in suite_files().items():
        assert path.read_text(encoding="utf-8") == content, path.name
