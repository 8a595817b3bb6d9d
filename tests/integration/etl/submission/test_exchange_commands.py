"""`padis countersign`, `predictions`, `timetable` and `filing` as a person types them."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.cli import app
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from schemas.refusal import Refusal
from schemas.registry import RECORD
from tests.support.submission import TODAY, People, publish_people

BATCH_ID = "J_110000_2026_A_0001"
WHY = ("--reason", "接收方要求补报")


@pytest.fixture(scope="module", autouse=True)
def overtaken(settings: Settings) -> None:
    """Release a batch a day late."""
    people = People()
    people.add_many("J", 4)
    publish_people(settings, people)
    build_batches(settings, TODAY)
    publish_people(settings, people, TODAY + timedelta(days=1))
    approve_batches(settings, TODAY, "li", True)


@pytest.fixture
def padis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "Padis":
    for commands in ("exchange", "filing", "installation"):
        monkeypatch.setattr(f"etl.commands.{commands}.ready_settings", lambda: nullcontext(settings))
    monkeypatch.setenv("COLUMNS", "300")
    return Padis()


class Padis:
    """The command, as one process."""

    def __call__(self, *words: str, status: int = 0) -> str:
        """Run it, and give what it printed.

        Raises:
            Refusal: it was refused.
        """
        ended = CliRunner().invoke(app, list(words))
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        assert ended.exit_code == status, ended.output
        return ended.output


def test_a_second_person_lets_a_batch_pass(padis: Padis, settings: Settings) -> None:
    assert "待第二人放行" in padis("receipts")
    with pytest.raises(Refusal, match="ck_countersign_two_persons"):
        padis("countersign", BATCH_ID, "--as", "Li", *WHY)
    with pytest.raises(Refusal, match="batch_unknown"):
        padis("countersign", "J_9", "--as", "wang", *WHY)
    tried = padis("countersign", BATCH_ID, "--as", "wang", *WHY, "--dry-run")
    assert "nothing kept" in tried
    with registry_session(settings) as connection:
        record = connection.scalar(sa.select(sa.func.min(RECORD.c.record_id)))
    assert "待放行 · awaited" in padis("trace", str(record))
    done = padis("countersign", BATCH_ID, "--as", "wang", *WHY)
    assert "已登记 · on record" in done
    assert "补报 · backfill: 批准 · released by li, 放行 · passed by wang" in done
    assert "wang 20" in padis("trace", str(record))
    assert "待第二人放行" not in padis("receipts")
    padis("countersign", BATCH_ID, "--as", "zhao", *WHY, "--outside-window")


def test_predictions_are_listed_and_one_is_shown_with_its_grounds(padis: Padis) -> None:
    listed = padis("predictions")
    assert BATCH_ID in listed
    assert "待答复 · waiting" in listed
    assert f"{BATCH_ID} 依据 · grounds" in padis("predictions", BATCH_ID)
    with pytest.raises(Refusal, match="batch_not_predicted"):
        padis("predictions", "J_9")


def test_the_timetable_of_a_day(padis: Padis) -> None:
    told = padis("timetable", "--as-of", "2026-06-02", "--within", "300")
    assert "national J" in told
    assert "开放 · open" in told
    assert "窗口最后一日 · last day of the window" in told
    assert "sharing mch" in told


def test_a_year_is_reverted_signed_and_amended(padis: Padis) -> None:
    with pytest.raises(Refusal, match="subsystem_unknown"):
        padis("filing", "freeze", "Z", "--year", "2026", "--as", "li", *WHY)
    year = ("--year", "2026", *WHY)
    assert "nothing kept" in padis("filing", "revert", "J", "--as", "li", *year, "--dry-run")
    assert "不予上报 · withheld 1" in padis("filing", "revert", "J", "--as", "li", *year)
    assert "已冻结 · frozen" in padis("filing", "status", "--year", "2026")
    with pytest.raises(Refusal, match="filing_same_person"):
        padis("filing", "sign", "J", "--as", "li", *year)
    padis("filing", "sign", "J", "--as", "wang", *year)
    assert "0 ✓" in padis("filing", "status", "--year", "2026")
    assert "开放 · open" in padis("filing", "amend", "J", "--as", "zhao", *year)
