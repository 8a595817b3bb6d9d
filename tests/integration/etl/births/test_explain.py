"""Why births were linked, from what the night cites: every comparison with its weight, masked."""

from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.lake import Reconciled, publish_dataset
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.births import explain, model
from etl.births.explain import LinkExplanation, explain_link
from etl.births.explanation_table import render_explanation
from etl.births.linkage import Linkage, linkage_of
from etl.births.reconcile import reconcile_births
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH
from tests.support.births import TODAY, child, person, record, staged

MOTHER, FATHER = "110105199001010029", "110105198803040011"
SAID = {
    "mother_id_number": MOTHER, "mother_name": "欧阳雪", "mother_birth_date": date(1990, 1, 1),
    "mother_phone": "12000000001", "father_name": "李强", "father_birth_date": date(1988, 3, 4),
    "father_id_number": FATHER, "child_name": "李思远", "birth_certificate_number": None,
}  # fmt: skip
# By an exact pass; by the model, without the mother's document; twin girls without an order; one alone.
RECORDS = [
    record("m1", **SAID),
    record("m2", **{**SAID, "mother_id_number": None, "child_name": "李念"},
           born_at=datetime.fromisoformat("2026-03-02 08:00")),
    record("m3", **{**SAID, "child_name": None}, delivery_id="d", plural_order=None, plural_count=2,
           born_at=datetime.fromisoformat("2025-02-01 08:00")),
    record("m4", **{**SAID, "child_name": None}, delivery_id="d", plural_order=None, plural_count=2,
           born_at=datetime.fromisoformat("2025-02-01 08:10")),
    record("m5", mother_id_number="nobody else's", born_at=datetime.fromisoformat("2026-01-09 07:00")),
]  # fmt: skip
CHILDREN = [
    child(1, father_person_id="P2", child_name="李思远"),
    child(2, father_person_id="P2", child_name="李念", child_birth_date=date(2026, 3, 2)),
    child(3, father_person_id="P2", plural_count=2, child_birth_date=date(2025, 2, 1)),
    child(4, father_person_id="P2", plural_count=2, child_birth_date=date(2025, 2, 1)),
]
PERSONS = [
    person("P1", id_number=MOTHER, name="欧阳雪", birth_date=date(1990, 1, 1), phone="12000000001"),
    person("P2", id_number=FATHER, name="李强", birth_date=date(1988, 3, 4)),
]


@pytest.fixture(scope="module")
def night(settings: Settings) -> Settings:
    with registry_session(settings) as connection:
        for name, table in staged(RECORDS, CHILDREN, PERSONS).items():
            counts = Reconciled(table.num_rows, table.num_rows, 0)
            publish_dataset(connection, settings, f"staging.{name}", table, TODAY, counts=counts, inputs=[])
    reconcile_births(settings, TODAY)
    return settings


def match_of(settings: Settings, record_id: str) -> str:
    with registry_session(settings) as connection:
        found = sa.select(BIRTH_MATCH.c.match_id).where(BIRTH_MATCH.c.mch_record_id == record_id)
        return str(connection.scalar(found))


def explained(settings: Settings, record_id: str, day: date = TODAY) -> LinkExplanation:
    return explain_link(settings, day, match_of(settings, record_id))


def shown(explanation: LinkExplanation, **asked: Any) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(render_explanation(explanation, **asked))
    return console.export_text()


def test_a_link_of_an_exact_pass_says_by_which_and_what_the_model_makes_of_it(night: Settings) -> None:
    explanation = explained(night, "m1")
    (pair,) = explanation.pairs
    assert (pair.relation_id, pair.pass_name, pair.decision) == (1, "mother_document", "linked")
    assert pair.probability is None
    assert pair.alone > 0.999
    assert "mother's document, date, sex, plural order" in shown(explanation)


def test_a_link_of_the_model_adds_up_from_the_prior_by_its_comparisons(night: Settings) -> None:
    explanation = explained(night, "m2")
    (pair,) = explanation.pairs
    assert (pair.relation_id, pair.pass_name, pair.decision) == (2, "model", "linked")
    compared = {each.name: each for each in pair.compared}
    assert [each.name for each in pair.compared] == [each.name for each in explanation.model.comparisons]
    assert compared["mother_document"].level is None
    assert compared["mother_document"].weight == 0
    assert compared["mother_name"].level == "相同 · equal"
    total = explanation.model.prior_weight + sum(each.weight for each in pair.compared)
    assert pair.match_weight == pytest.approx(total)
    assert pair.probability == pytest.approx(pair.alone)
    assert pair.probability > 0.999
    assert pair.band_code == "automatic"


def test_twins_that_nobody_can_tell_apart_show_their_rivals_and_who_is_asked(night: Settings) -> None:
    explanation = explained(night, "m3")
    assert explanation.class_code == "only_mch"
    assert sorted(pair.decision for pair in explanation.pairs) == ["outrated", "review"]
    for pair in explanation.pairs:
        assert (pair.band_code, pair.pass_name, pair.rivals) == ("review", None, 2)
        assert pair.alone > 0.999
        assert pair.probability < 0.5
    text = shown(explanation)
    assert "a person looks at it; no link yet" in text
    assert "后验概率 · posterior probability 33." in text


def test_a_birth_that_meets_nobody_says_so(night: Settings) -> None:
    explanation = explained(night, "m5")
    assert explanation.pairs == ()
    assert "the model met no partner" in shown(explanation)


def test_values_are_masked_unless_asked_for(night: Settings) -> None:
    explanation = explained(night, "m2")
    personal = ("欧阳雪", "李强", "李念", FATHER, "12000000001", "1990-01-01", "2026-03-02")
    masked, whole = shown(explanation), shown(explanation, masked=False)
    for value in personal:
        assert value not in masked
        assert value in whole
        assert value not in repr(explanation)
    assert "欧**" in masked
    assert "月日颠倒" not in masked


def test_it_cites_the_versions_and_the_model_that_it_rests_on(night: Settings) -> None:
    text = shown(explained(night, "m1"))
    for cited in ("core.birth_match@0", "staging.mch_birth@0", "staging.family_child@0"):
        assert cited in text
    assert model.model_on(TODAY).version in text


def test_a_later_day_is_explained_by_the_night_that_made_its_finding(night: Settings) -> None:
    later = explained(night, "m2", TODAY + timedelta(days=3))
    assert later == explained(night, "m2")
    assert later.business_date == TODAY


def test_another_artefact_of_that_name_explains_nothing(
    night: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = model.model_on(TODAY).name
    written = (model.MODELS / f"{name}.json").read_text(encoding="utf-8")
    (tmp_path / f"{name}.json").write_text(written.replace("0.988872", "0.5"), encoding="utf-8")
    cited = explain.cited_model
    monkeypatch.setattr(explain, "cited_model", lambda version: cited(version, tmp_path))
    with pytest.raises(Refusal, match="linkage_model_differs"):
        explained(night, "m2")


def test_a_link_that_does_not_come_out_again_is_refused(
    night: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_linked(*given: Any) -> Linkage:
        found = linkage_of(*given)
        return Linkage(found.rated, found.links.slice(0, 0))

    monkeypatch.setattr(explain, "linkage_of", nothing_linked)
    with pytest.raises(Refusal, match="link_not_reproduced"):
        explained(night, "m1")


def test_a_finding_that_is_not_on_record_is_refused(night: Settings) -> None:
    with pytest.raises(Refusal, match="birth_not_found"):
        explain_link(night, TODAY, "no such finding")
