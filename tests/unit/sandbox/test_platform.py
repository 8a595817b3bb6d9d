"""The sharing platform before drawn letters: what it takes, reads and answers is in its ledger, once."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest

from sandbox.partners.ledger import read_ledger
from sandbox.partners.letter_ledger import LetterLedger
from sandbox.partners.platform import CORRECTIONS, TODOS, Platform
from schemas.business_date import BEIJING

LETTER, TO_DOS = "S_population_20260601_0001", "S_migrants_20260601_0001"
NOW = datetime(2026, 6, 2, 3, tzinfo=BEIJING)
TAKEN, DONE, REFUSED = "20", "30", "31"


def corrections(*item_ids: str) -> list[str]:
    return [f"{item},A,,key,sex,1,2,mch_prevails,mch_birth:m1" for item in item_ids]


def to_dos(*item_ids: str) -> list[str]:
    return [f"{item},A,,kind,110105000000,2026-07-01,,2026-05-20,110105000000,,," for item in item_ids]


def leave(root: Path, letter: str, header: str, lines: Iterable[str]) -> None:
    """Leave a letter with its digest, as a sender does."""
    content = "".join(f"{line}\n" for line in (header, *lines)).encode()
    name = f"{letter}.csv"
    digest = hashlib.sha256(content).hexdigest()
    (root / "inbox" / f"{name}.sha256").write_text(f"{digest}  {name}\n", encoding="ascii")
    (root / "inbox" / name).write_bytes(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder whose addressees accept everything."""
    (tmp_path / "behaviour.json").write_text('{"reject_rate": 0, "silent_rate": 0}', encoding="ascii")
    Platform(tmp_path, lambda: NOW)
    return tmp_path


def lines(root: Path, event: str) -> list[dict[str, object]]:
    return [line for line in read_ledger(root / "ledger.jsonl") if line["event"] == event]


def words(root: Path) -> Counter[tuple[str, str]]:
    answered = [line["answers"] for line in lines(root, "answered")]
    return Counter((said["item_id"], said["state"]) for each in answered for said in each)  # type: ignore[attr-defined]


def test_the_ledger_tells_what_was_taken_read_and_answered(root: Path) -> None:
    leave(root, LETTER, CORRECTIONS, [*corrections("a-1"), "b-1,A,,key,of no field,1,2,rule,ground"])
    leave(root, TO_DOS, TODOS, to_dos("c-1"))
    platform = Platform(root, lambda: NOW)
    for _ in range(3):
        platform.step()
    assert [line["letter"] for line in lines(root, "taken")] == [TO_DOS, LETTER]
    assert [line["item_ids"] for line in lines(root, "read")] == [["c-1"], ["a-1", "b-1"]]
    assert words(root) == {("a-1", DONE): 1, ("b-1", REFUSED): 1, ("c-1", TAKEN): 1, ("c-1", DONE): 1}
    receipts = {path.name for path in (root / "receipts").glob("*.R*.csv")}
    assert receipts == {line["receipt"] for line in lines(root, "answered")}


def test_a_letter_that_comes_again_is_noted_and_not_read_again(root: Path) -> None:
    platform = Platform(root, lambda: NOW)
    for _ in range(2):
        leave(root, LETTER, CORRECTIONS, corrections("a-1"))
        platform.step()
    assert [line["take_id"] for line in lines(root, "taken")] == [f"{LETTER}.1", f"{LETTER}.2"]
    assert [line["code"] for line in lines(root, "refused")] == ["F108"]
    assert words(root) == {("a-1", DONE): 1}
    assert "F108" in (root / "receipts" / f"{LETTER}.F02.csv").read_text(encoding="utf-8")


def test_what_cannot_be_read_is_refused_once(root: Path) -> None:
    leave(root, LETTER, TODOS, to_dos("a-1"))
    platform = Platform(root, lambda: NOW)
    platform.step()
    platform.step()
    assert [line["code"] for line in lines(root, "refused")] == ["F105"]
    assert lines(root, "read") == []


@pytest.mark.parametrize("killed_after", ["note_taken", "note_read", "note_answered"])
@pytest.mark.parametrize("is_noted", [True, False])
def test_a_platform_that_is_killed_repeats_the_step_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch, killed_after: str, is_noted: bool
) -> None:
    """Killed when its receipts are there: before the line in the ledger, or after it."""
    leave(root, LETTER, CORRECTIONS, corrections("a-1"))
    leave(root, TO_DOS, TODOS, to_dos("c-1"))
    note = getattr(LetterLedger, killed_after)

    def note_and_die(*told: object) -> None:
        if is_noted:
            note(*told)
        raise KeyboardInterrupt

    with monkeypatch.context() as killing:
        killing.setattr(LetterLedger, killed_after, note_and_die)
        with pytest.raises(KeyboardInterrupt):
            Platform(root, lambda: NOW).step()
    again = Platform(root, lambda: NOW)
    for _ in range(3):
        again.step()
    assert len(lines(root, "taken")) == len(lines(root, "read")) == 2
    assert words(root) == {("a-1", DONE): 1, ("c-1", TAKEN): 1, ("c-1", DONE): 1}
