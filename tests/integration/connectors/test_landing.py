"""Landing: what was received is kept once, and a date says on which contents it rests."""

from datetime import date
from pathlib import Path

import pytest

from connectors.landing import Landing, find_landing, land_bytes, landed_file, landings_on, point_landings
from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.refusal import Refusal

FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)


def land(
    settings: Settings, content: bytes | Path, business_date: date = FIRST, dataset: str = "mch"
) -> Landing:
    with registry_session(settings) as connection:
        return land_bytes(
            connection,
            settings,
            content,
            dataset_name=dataset,
            business_date=business_date,
            source_name="mch",
            file_name="births.csv",
            row_count=1,
            contract_version="1.0.0",
        )


def on(settings: Settings, business_date: date, dataset: str) -> list[str]:
    with registry_session(settings) as connection:
        return [landing.landing_id for landing in landings_on(connection, dataset, business_date)]


def test_the_same_bytes_are_kept_once_whether_given_as_bytes_or_as_a_file(
    settings: Settings, tmp_path: Path
) -> None:
    received = tmp_path / "births.csv"
    received.write_bytes(b"a,b\r\n1,2\r\n")
    from_file, from_bytes = land(settings, received), land(settings, received.read_bytes())
    assert from_file == from_bytes
    assert landed_file(settings, from_file).read_bytes() == received.read_bytes()
    assert landed_file(settings, from_file).stat().st_mode & 0o777 == 0o400
    assert [path.name for path in (settings.landing / "mch").iterdir()] == [f"{from_file.landing_id}.csv"]


def test_a_date_rests_on_the_contents_it_was_pointed_at(settings: Settings) -> None:
    old, new = land(settings, b"old", dataset="two"), land(settings, b"new", dataset="two")
    later = land(settings, b"old", SECOND, dataset="two")
    with registry_session(settings) as connection:
        point_landings(connection, "two", FIRST, [new.landing_id])
        assert find_landing(connection, "two", old.landing_id).landing_id == old.landing_id
    assert on(settings, FIRST, "two") == [new.landing_id]
    assert on(settings, SECOND, "two") == [later.landing_id]
    assert on(settings, SECOND, "three") == []


def test_changed_bytes_are_noticed(settings: Settings) -> None:
    landing = land(settings, b"as received", dataset="changed")
    path = landed_file(settings, landing)
    path.chmod(0o600)
    path.write_bytes(b"as touched")
    with pytest.raises(Refusal, match="landing_changed"):
        landed_file(settings, landing)
