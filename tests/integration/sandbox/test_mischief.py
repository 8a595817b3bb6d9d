"""Faults of drops on demand: what the pipeline sees, what is put right, and what the truth says of it."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import date

import pytest

from connectors.settings import Settings
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.partners import mischief
from sandbox.partners.drops import MANIFEST, drop_folder
from sandbox.partners.hostile import SPOILS
from sandbox.truth.incidents import expected_state, incidents
from sandbox.truth.store import read_city, read_truth
from schemas.refusal import Refusal

FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)


@pytest.fixture
def city(settings: Settings) -> Settings:
    """A city of its own for a test that lets days pass."""
    create_city(settings, persons=1_000, seed=9, business_date=FIRST)
    return settings


@pytest.fixture
def still_city(settings: Settings) -> Settings:
    """A city of the first day, made once and put right before each test."""
    history = read_city(settings)["history"] if (settings.sandbox / "city.json").exists() else []
    if len(history) != 1 or read_city(settings)["persons"] != 300:
        create_city(settings, persons=300, seed=9, business_date=FIRST)
    mischief.restore(settings, "mch", FIRST)
    return settings


def shown(settings: Settings, day: date, partner: str = "mch") -> dict[str, bytes]:
    """What the partner's server shows of a day."""
    folder = drop_folder(settings, partner, day)
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def manifest(files: dict[str, bytes]) -> dict[str, object]:
    (entry,) = json.loads(files[MANIFEST])["files"]
    return dict(entry)


def births(files: dict[str, bytes]) -> dict[str, dict[str, str]]:
    (name,) = files.keys() - {MANIFEST}
    rows = csv.DictReader(io.StringIO(files[name].decode("utf-8"), newline=""))
    return {row["record_id"]: row for row in rows}


def test_a_late_drop_appears_when_its_day_has_come(city: Settings) -> None:
    whole = shown(city, FIRST)
    mischief.make_late(city, "mch", FIRST, 2)
    advance_city(city)
    assert shown(city, FIRST) == {}
    assert expected_state(city, "mch", FIRST) == "absent"
    advance_city(city)
    assert shown(city, FIRST) == whole
    assert expected_state(city, "mch", FIRST) == "complete"
    assert [(i.kind, i.meanwhile, i.ends) for i in incidents(city)] == [
        ("late", "absent", "complete"),
        ("restored", "complete", "complete"),
    ]


def test_a_withheld_drop_stays_away_until_it_is_restored(city: Settings) -> None:
    whole = shown(city, FIRST)
    mischief.withhold(city, "mch", FIRST)
    advance_city(city)
    assert shown(city, FIRST) == {}
    assert incidents(city)[-1].ends == "absent"
    mischief.restore(city, "mch", FIRST)
    assert shown(city, FIRST) == whole


def test_a_half_uploaded_drop_has_no_manifest(still_city: Settings) -> None:
    whole = shown(still_city, FIRST)
    mischief.half_upload(still_city, "mch", FIRST)
    (half,) = shown(still_city, FIRST).items()
    assert half[0] != MANIFEST
    assert len(half[1]) < len(whole[half[0]])
    mischief.restore(still_city, "mch", FIRST)
    assert shown(still_city, FIRST) == whole


def test_the_same_manifest_again_changes_nothing(still_city: Settings) -> None:
    whole = shown(still_city, FIRST)
    mischief.duplicate(still_city, "mch", FIRST)
    assert shown(still_city, FIRST) == whole


@pytest.mark.parametrize("is_asked_first", [True, False])
def test_rows_sent_again_under_the_next_date_stand_beside_its_own(
    city: Settings, is_asked_first: bool
) -> None:
    before = births(shown(city, FIRST))
    if is_asked_first:
        mischief.duplicate(city, "mch", FIRST, again="next_date")
        advance_city(city)
    else:
        advance_city(city)
        mischief.duplicate(city, "mch", FIRST, again="next_date")
    files = shown(city, SECOND)
    after = births(files)
    own = read_truth(city, "mch_birth").filter(
        [day == SECOND for day in read_truth(city, "mch_birth")["delivered_on"].to_pylist()]
    )
    assert after.keys() == before.keys() | set(own["record_id"].to_pylist())
    assert manifest(files)["rows"] == len(after) > len(before)


def test_a_corrected_drop_has_changed_rows_of_a_later_time_and_the_truth_follows(city: Settings) -> None:
    before = births(shown(city, FIRST))
    mischief.correct(city, "mch", FIRST, rows=2)
    files = shown(city, FIRST)
    after = births(files)
    changed = [key for key in after if after[key] != before[key]]
    assert len(changed) == 2
    assert after.keys() == before.keys()
    truth = {row["record_id"]: row for row in read_truth(city, "mch_birth").to_pylist()}
    for key in changed:
        assert after[key]["updated_at"] == truth[key]["updated_at"] == "2026-06-01 23:45:00"
        assert after[key]["length_cm"] == truth[key]["length_cm"] == "51.5"
    content = next(content for name, content in files.items() if name != MANIFEST)
    assert manifest(files)["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("kind", SPOILS)
def test_a_spoilt_drop_is_what_its_name_says_until_it_is_mended(still_city: Settings, kind: str) -> None:
    whole = shown(still_city, FIRST)
    mischief.spoil(still_city, "mch", FIRST, kind, mends_on=SECOND)
    files = shown(still_city, FIRST)
    assert files != whole
    promised = manifest(files)
    (name,) = files.keys() - {MANIFEST}
    content = files[name]
    is_true = (len(content), hashlib.sha256(content).hexdigest()) == (promised["bytes"], promised["sha256"])
    assert is_true == (kind != "wrong_digest")
    match kind:
        case "wrong_encoding" | "truncated_gbk":
            with pytest.raises(UnicodeDecodeError):
                content.decode(str(promised["encoding"]))
        case "zip_bomb":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert archive.infolist()[0].file_size > 200 * len(content)
        case "parent_path":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert archive.namelist()[0].startswith("../")
        case "newline_in_name":
            assert "\n" in name
    assert expected_state(still_city, "mch", FIRST) == "refused"
    mischief.let_time_pass(still_city, SECOND)
    assert shown(still_city, FIRST) == whole
    assert expected_state(still_city, "mch", FIRST) == "complete"


def test_what_nobody_knows_is_refused(still_city: Settings) -> None:
    with pytest.raises(Refusal, match="mischief_unknown"):
        mischief.spoil(still_city, "mch", FIRST, "nonsense")
    with pytest.raises(Refusal, match="drop_unknown"):
        mischief.withhold(still_city, "mch", THIRD)


def test_days_of_the_past_and_what_was_done_stay_known_while_the_city_lives(city: Settings) -> None:
    first = read_truth(city, "decisions")
    mischief.withhold(city, "mch", FIRST)
    advance_city(city)
    advance_city(city)
    assert [entry["business_date"] for entry in read_city(city)["history"]][-1] == THIRD.isoformat()
    assert read_truth(city, "decisions", FIRST).equals(first)
    assert read_truth(city, "decisions", THIRD).equals(read_truth(city, "decisions"))
    assert len(incidents(city)) == 1
    create_city(city, persons=300, seed=9, business_date=FIRST)
    assert incidents(city) == []
