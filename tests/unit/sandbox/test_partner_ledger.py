"""The receiver's ledger, read while it is written."""

from pathlib import Path

from sandbox.partners.ledger import Ledger, Take, read_ledger

TAKEN = Take("J_110000_2026_A_0001.1", "J_110000_2026_A_0001", "J_110000_2026_A_0001.zip", "0" * 64)


def test_a_line_that_is_just_being_written_is_not_there_yet(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.note_taken(TAKEN, 10)
    before = (tmp_path / "ledger.jsonl").read_bytes()
    ledger.note_state(TAKEN, "10", "上传完成\u2028 下一行")
    whole = (tmp_path / "ledger.jsonl").read_bytes()
    for end in range(len(before), len(whole)):
        (tmp_path / "torn.jsonl").write_bytes(whole[:end])
        assert [line["event"] for line in read_ledger(tmp_path / "torn.jsonl")] == ["taken"]
    assert [line["event"] for line in read_ledger(tmp_path / "ledger.jsonl")] == ["taken", "state"]
