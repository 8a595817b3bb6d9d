"""Files made to do harm are refused: soon, in little memory, with one clear word, and touch nothing.

Each is left at a real SFTP server and pulled by a process of its own, as a night does.
"""

import hashlib
import logging
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.pull.sources import pull_source
from sandbox.partners.drops import Drop, files_of, place_files, remove_files
from sandbox.partners.hostile import SPOILS
from schemas.business_date import BEIJING
from schemas.contract import load_contract
from schemas.drop_source import drop_source
from schemas.registry import DROP, LANDING
from tests.support.hostile_drops import HOSTILE, OF_SANDBOX, Hostile, asks_outside, includes
from tests.support.installation import running_installation
from tests.support.landed import read_content
from tests.support.measured import Measurer, measuring
from tests.support.partners import running_partners
from tests.support.received import row_of

DAY = date(2026, 6, 1)
NIGHT = datetime(2026, 6, 2, 1, 0, tzinfo=BEIJING)
MOST_SECONDS, MOST_BYTES = 5, 200 * 1024 * 1024
CANARY = "龘靐钗"
SECRET = "file-of-another-0f5c"
# What the zones of others may do meanwhile is theirs: the server's data, the logs, the partner's folders.
NOT_OURS = ("pg", "pg-socket", "logs", "sandbox")
LANDED = re.compile(r"(refused_mch_birth)/[0-9a-f]{16}\.(json|csv|xml|zip)")


def pull_once(settings: Settings, partner: SftpPartner) -> dict[str, Any]:
    """Pull the drop as a night does; runs in a child. Tells the report and what was logged."""
    logged: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    report = pull_source(settings, drop_source("mch_birth"), DAY, partner, now=lambda: NIGHT)
    return {**report, "logged": logged}


@pytest.fixture(scope="module")
def outside() -> Iterator[Path]:
    """A folder around everything, with files beside the installation that nobody may touch or show."""
    folder = Path(tempfile.mkdtemp(prefix="padis-hostile-"))
    for name in ("canary.csv", "a/canary.csv", "tmp/canary.csv", "work/canary.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(SECRET, encoding="ascii")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def settings(outside: Path) -> Iterator[Settings]:
    with running_installation(under=outside / "a") as installation:
        yield installation


@pytest.fixture(scope="module")
def mch(settings: Settings) -> Iterator[SftpPartner]:
    with running_partners(settings) as partners:
        yield partners["mch"]


@pytest.fixture(scope="module")
def measurer(outside: Path) -> Iterator[Measurer]:
    with measuring(__name__, cwd=outside / "work", TMPDIR=str(outside / "tmp")) as started:
        yield started


@pytest.fixture
def drop(settings: Settings) -> Iterator[Drop]:
    """A whole drop with the names of persons, to be spoilt."""
    columns = load_contract("mch_birth").received_columns
    rows = [row_of("mch_birth", record_id=f"r{n}", child_name=CANARY, mother_name=CANARY) for n in range(20)]
    table = pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in columns]))
    yield Drop("mch", "mch_birth", "record_id", DAY, table)
    remove_files(settings, "mch", DAY)
    with registry_session(settings) as connection:
        connection.execute(sa.delete(DROP))
        connection.execute(sa.delete(LANDING))
    for path in settings.landing.iterdir():
        shutil.rmtree(path)


def tree_of(outside: Path, settings: Settings) -> dict[str, str]:
    """Every file and folder but those of the zones that others write, with its digest."""
    theirs = [settings.var / name for name in NOT_OURS]
    found = {}
    for folder, folders, files in os.walk(outside):
        folders[:] = [name for name in folders if Path(folder, name) not in theirs]
        for name in folders:
            found[str(Path(folder, name).relative_to(outside))] = "folder"
        for name in files:
            path = Path(folder, name)
            held = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            found[str(path.relative_to(outside))] = hashlib.sha256(held).hexdigest()
    return found


@contextmanager
def nothing_written_but_landed(outside: Path, settings: Settings) -> Iterator[None]:
    """See that only evidence in the landing zone is new, under names that are our own."""
    before = tree_of(outside, settings)
    yield
    after = tree_of(outside, settings)
    assert {path: after.get(path) for path in before} == before
    landing = str(settings.landing.relative_to(outside))
    new = [
        path.removeprefix(f"{landing}/") for path in after.keys() - before.keys() if after[path] != "folder"
    ]
    assert [name for name in new if not LANDED.fullmatch(name)] == []


def refused(settings: Settings) -> str:
    with registry_session(settings) as connection:
        found = connection.execute(sa.select(DROP)).one()
    assert found.state == "refused"
    return str(found.message)


def pull_hostile(
    drop: Drop, hostile: Hostile, outside: Path, settings: Settings, mch: SftpPartner, measurer: Measurer
) -> str:
    """Leave a hostile drop, pull it, see that it did no harm, and give the code of its refusal."""
    place_files(settings, drop, hostile(drop))
    with nothing_written_but_landed(outside, settings):
        told = measurer.run(pull_once, settings, mch)
    print(f"{told.cpu_seconds:.2f} s, {told.grown_bytes / 2**20:.0f} MiB above the start")
    assert told.cpu_seconds < MOST_SECONDS
    assert told.grown_bytes < MOST_BYTES
    message, report = refused(settings), told.result
    assert report["state"] == "refused"
    assert len(report["logged"]) == 1
    for text in (message, *report["logged"]):
        assert re.search(r"found: .+; expected: .+; to do: .+", text)
        assert not re.search(rf"{CANARY}|{SECRET}|canary|passwd|secret|forged|\n|\0|\x1b", text)
        assert len(text) < 600
    return str(report["refusal"])


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_soon_in_little_memory_and_nothing_is_touched(
    name: str, drop: Drop, outside: Path, settings: Settings, mch: SftpPartner, measurer: Measurer
) -> None:
    hostile, code = HOSTILE[name]
    assert re.fullmatch(code, pull_hostile(drop, hostile, outside, settings, mch, measurer))


@pytest.mark.parametrize("way", range(4))
def test_nobody_is_asked_for_what_xml_points_at(
    way: int, drop: Drop, outside: Path, settings: Settings, mch: SftpPartner, measurer: Measurer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        addresses = (
            f"http://127.0.0.1:{listener.getsockname()[1]}/x.dtd",
            (outside / "canary.csv").as_uri(),
        )
        for address in addresses:
            hostile = asks_outside(address)[way]
            assert pull_hostile(drop, hostile, outside, settings, mch, measurer) == "xml_doctype"
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_what_xml_wants_included_is_a_malformed_row(outside: Path) -> None:
    found = read_content("mch_birth", includes((outside / "canary.csv").as_uri()), ending="xml")
    assert (found.rows.num_rows, found.malformed) == (0, (1, 2))


def test_a_whole_drop_of_the_same_persons_is_not_refused(
    drop: Drop, settings: Settings, mch: SftpPartner, measurer: Measurer
) -> None:
    """The check of this page can fail: what is no attack passes, and lands elsewhere."""
    place_files(settings, drop, files_of(drop))
    told = measurer.run(pull_once, settings, mch)
    assert (told.result["state"], told.result["rows"], told.result["logged"]) == ("complete", 20, [])


def test_an_attack_that_worked_would_be_seen(outside: Path, settings: Settings, measurer: Measurer) -> None:
    with pytest.raises(AssertionError), nothing_written_but_landed(outside, settings):
        measurer.run(write_outside, outside / "tmp" / "planted")
    assert measurer.run(unpack, 300).grown_bytes > MOST_BYTES
    assert measurer.run(unpack, 0).grown_bytes < MOST_BYTES


def test_every_kind_of_the_sandbox_is_here() -> None:
    assert set(OF_SANDBOX) == set(SPOILS)


def write_outside(path: Path) -> None:
    path.write_text("planted", encoding="ascii")


def unpack(mebibytes: int) -> int:
    return len(b"x" * mebibytes * 1024 * 1024)
