"""The PADIS gateway of the sandbox: what it takes, refuses and answers."""

import hashlib
import json
import struct
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from connectors.settings import Settings
from connectors.sftp import SftpSession, load_partner, open_sftp
from sandbox.partners.behaviour import Behaviour, read_behaviour, set_behaviour
from sandbox.partners.gateway import Gateway
from sandbox.partners.inspection import BatchRefused, inspect_batch
from sandbox.partners.keys import partner_root
from sandbox.partners.layout import FILE_FAULTS
from sandbox.partners.ledger import read_ledger
from schemas.business_date import BEIJING
from schemas.refusal import Refusal
from tests.support.partners import running_partners, start_partners, wait_until_ready
from tests.support.upload import (
    J_HEADER,
    J_MEMBER,
    j_batch,
    j_row,
    lay_down,
    member_text,
    sidecar_of,
    zip_of,
)

NAME = "J_110000_2026_A_0001.zip"
BATCH = "J_110000_2026_A_0001"
NOON = datetime(2026, 6, 2, 12, tzinfo=BEIJING)
STATES_OF_A_GOOD_BATCH = ["10", "22", "20", "32", "30", "42", "40"]
RECEIPTS_OF_A_GOOD_BATCH = ("F01", "R01", "S10", "S20", "S22", "S30", "S32", "S40", "S42", "T01")
GOOD = Behaviour(reject_rate=0, silent_rate=0)


@pytest.fixture
def city(tmp_path: Path) -> Settings:
    settings = Settings(var=tmp_path)
    settings.make_folders()
    set_behaviour(settings, GOOD)
    return settings


@pytest.fixture
def root(city: Settings) -> Path:
    return partner_root(city, "padis")


@pytest.fixture
def gateway(root: Path) -> Gateway:
    return Gateway(root, clock=lambda: NOON)


def finish(gateway: Gateway) -> None:
    """Step until nothing moves."""
    while gateway.step():
        pass


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def receipt(root: Path, name: str) -> list[str]:
    return (root / "receipts" / name).read_text(encoding="utf-8").split("\n")


def record_states(root: Path, name: str) -> Counter[str]:
    return Counter(",".join(line.split(",")[4:6]) for line in receipt(root, name)[2:] if line)


class TestGoodBatch:
    def test_a_batch_passes_its_states_one_step_at_a_time(self, gateway: Gateway, root: Path) -> None:
        lay_down(root / "inbox", NAME, j_batch([1, 2]))
        seen = []
        while gateway.step():
            seen.append(names(root / "receipts"))
        came = ("T01 S10", "S22 F01 S20", "S32 R01 S30", "S42 S40")
        so_far = [" ".join(came[: step + 1]).split() for step in range(4)]
        assert seen == [sorted(f"{BATCH}.{part}.csv" for part in parts) for parts in so_far]

    def test_zip_and_digest_file_are_taken_away(self, gateway: Gateway, root: Path) -> None:
        lay_down(root / "inbox", NAME, j_batch([1]))
        gateway.step()
        assert names(root / "inbox") == []

    def test_receipts_have_the_agreed_form(self, gateway: Gateway, root: Path) -> None:
        lay_down(root / "inbox", NAME, j_batch([1]))
        finish(gateway)
        digest = hashlib.sha256(j_batch([1])).hexdigest()
        assert receipt(root, f"{BATCH}.T01.csv")[1:3] == [
            "批次号,文件名,字节数,摘要,时间",
            f"{BATCH},{NAME},{len(j_batch([1]))},{digest},2026-06-02 12:00:00",
        ]
        assert receipt(root, f"{BATCH}.F01.csv")[1:3] == [
            "批次号,结论,记录数,代码,时间,说明",
            f"{BATCH},A,1,,2026-06-02 12:00:00,文件可读",
        ]
        assert receipt(root, f"{BATCH}.S20.csv") == [
            "1",
            "批次号,状态,时间,说明",
            f"{BATCH},20,2026-06-02 12:00:00,导入成功",
            "",
        ]
        assert receipt(root, f"{BATCH}.R01.csv") == [
            "1",
            "批次号,成员文件,行号,个案编号,状态,代码,说明",
            f"{BATCH},{J_MEMBER},3,J1120260000000001,30,,",
            "",
        ]

    def test_twelve_digits_of_a_division_are_read_as_fifteen(self, gateway: Gateway, root: Path) -> None:
        row = j_row(1, 户籍地区划="110101001001")
        lay_down(root / "inbox", NAME, zip_of({J_MEMBER: member_text([row])}))
        finish(gateway)
        assert record_states(root, f"{BATCH}.R01.csv") == {"30,": 1}

    def test_a_text_without_byte_order_mark_and_with_blank_lines_is_read(
        self, gateway: Gateway, root: Path
    ) -> None:
        text = f"2\n{J_HEADER}\n{j_row(1)}\n\n{j_row(2)}\n".encode()
        lay_down(root / "inbox", NAME, zip_of({J_MEMBER: text}))
        finish(gateway)
        assert [line.split(",")[2] for line in receipt(root, f"{BATCH}.R01.csv")[2:4]] == ["3", "5"]

    def test_what_is_not_complete_or_not_a_batch_stays_where_it_is(
        self, gateway: Gateway, root: Path
    ) -> None:
        for name in (f"{NAME}.part-1", f"{NAME}.sha256", "notes.txt", "holiday.zip"):
            (root / "inbox" / name).write_bytes(b"x")
        assert gateway.step() == 0
        assert len(names(root / "inbox")) == 4
        assert names(root / "receipts") == []


def spoilt(member: bytes) -> bytes:
    return zip_of({J_MEMBER: member})


def encrypted(content: bytes) -> bytes:
    at = content.index(b"PK\x01\x02")
    flags = struct.unpack_from("<H", content, at + 8)[0] | 1
    return content[: at + 8] + struct.pack("<H", flags) + content[at + 10 :]


def many_members(count: int) -> bytes:
    return zip_of({f"LNJF_JFDX_110000_11{number:04d}.txt": member_text([]) for number in range(count)})


class TestRefusedBatch:
    @pytest.mark.parametrize(
        ("content", "explanation"),
        [
            (b"no zip at all", "压缩包损坏或无法读取"),
            (j_batch([1])[:-30], "压缩包损坏或无法读取"),
            (zip_of({}), "批次中没有记录"),
            (spoilt(member_text([])), "批次中没有记录"),
            (encrypted(j_batch([1])), "第1个成员已加密或压缩方式不受支持"),
            (zip_of({"../evil.txt": b"x"}), "第1个成员的文件名不符合约定"),
            (zip_of({J_MEMBER: b"x", "名单.txt": b"x"}), "第2个成员的文件名不符合约定"),
            (zip_of({"TBFZ_JFDX_110000_110101.txt": b"x"}), "第1个成员的文件名不符合约定"),
            (zip_of({"LNJF_JFDX_110000_130101.txt": b"x"}), "第1个成员的文件名不符合约定"),
            (many_members(401), "成员文件过多，最多400个"),
            (spoilt(b"0" * 30_000_000), "第1个成员压缩比异常"),
            (spoilt(member_text([j_row(1)]).replace("测".encode(), b"\xff")), f"{J_MEMBER}不是UTF-8编码"),
            (
                spoilt(member_text([j_row(1)], count=2)),
                f"{J_MEMBER}第1行出错：记录数与数据行数1不一致",
            ),
            (
                spoilt(member_text([j_row(1)]).replace("\ufeff1\r".encode(), b"one\r")),
                f"{J_MEMBER}第1行出错：记录数与数据行数1不一致",
            ),
            (
                spoilt(member_text([j_row(1)], header=J_HEADER.replace("类别", "类型"))),
                f"{J_MEMBER}第2行出错：表头不符合约定",
            ),
            (spoilt(b""), f"{J_MEMBER}第2行出错：表头不符合约定"),
            (
                spoilt(member_text([j_row(1), j_row(2) + ",1"])),
                f"{J_MEMBER}第4行出错：应有14列，实有15列",
            ),
        ],
    )
    def test_a_malformed_batch_is_answered_with_state_21_and_its_reason(
        self, gateway: Gateway, root: Path, content: bytes, explanation: str
    ) -> None:
        lay_down(root / "inbox", NAME, content)
        finish(gateway)
        parts = [name.split(".")[1] for name in names(root / "receipts")]
        assert parts == ["F01", "S10", "S21", "S22", "T01"]
        verdict = receipt(root, f"{BATCH}.F01.csv")[2].split(",")
        assert (verdict[1], verdict[2], verdict[5]) == ("R", "0", explanation)
        assert verdict[3] in FILE_FAULTS
        assert receipt(root, f"{BATCH}.S21.csv")[2].split(",")[1:] == [
            "21",
            "2026-06-02 12:00:00",
            explanation,
        ]

    @pytest.mark.parametrize(
        ("sidecar", "explanation"),
        [
            (None, f"缺少摘要文件{NAME}.sha256"),
            (b"", "摘要文件格式错误，应为64位十六进制摘要、两个空格和文件名"),
            (b"0" * 64 + b" " + NAME.encode(), "摘要文件格式错误，应为64位十六进制摘要、两个空格和文件名"),
            (sidecar_of("J_110000_2026_A_0002.zip", j_batch([1])), "摘要文件中的文件名与批次文件不一致"),
            (sidecar_of(NAME, j_batch([2])), "摘要不符，文件内容与摘要文件不一致"),
        ],
    )
    def test_a_batch_without_its_right_digest_is_refused(
        self, gateway: Gateway, root: Path, sidecar: bytes | None, explanation: str
    ) -> None:
        lay_down(root / "inbox", NAME, j_batch([1]), sidecar)
        if sidecar is None:
            (root / "inbox" / f"{NAME}.sha256").unlink()
        finish(gateway)
        assert receipt(root, f"{BATCH}.S21.csv")[2].endswith(f",{explanation}")

    def test_a_batch_that_comes_again_is_refused_and_the_first_stays(
        self, gateway: Gateway, root: Path
    ) -> None:
        for _ in range(2):
            lay_down(root / "inbox", NAME, j_batch([1]))
            finish(gateway)
        assert receipt(root, f"{BATCH}.S21.csv")[2].endswith(",批次号重复，未再次导入")
        assert receipt(root, f"{BATCH}.F02.csv")[2].split(",")[1:4] == ["R", "0", "F108"]
        assert receipt(root, f"{BATCH}.T02.csv")[2] == receipt(root, f"{BATCH}.T01.csv")[2]
        assert f"{BATCH}.S40.csv" in names(root / "receipts")
        taken = [line for line in read_ledger(root / "ledger.jsonl") if line["event"] == "taken"]
        assert [line["take_id"] for line in taken] == [f"{BATCH}.1", f"{BATCH}.2"]

    def test_case_numbers_that_repeat_within_a_batch_fail_the_logic_check(
        self, gateway: Gateway, root: Path
    ) -> None:
        lay_down(root / "inbox", NAME, j_batch([1, 2, 1]))
        finish(gateway)
        assert receipt(root, f"{BATCH}.S31.csv")[2].endswith(",批次内个案编号重复1个")
        assert f"{BATCH}.S40.csv" not in names(root / "receipts")

    def test_a_refused_batch_does_not_hold_up_the_next(self, gateway: Gateway, root: Path) -> None:
        lay_down(root / "inbox", NAME, b"no zip at all")
        lay_down(root / "inbox", "J_110000_2026_A_0002.zip", j_batch([1]))
        finish(gateway)
        assert "J_110000_2026_A_0002.S40.csv" in names(root / "receipts")

    # Overwritten bytes keep the ZIP's offsets, so that its parts are read and found wrong one by one.
    @effort(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        spoils=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3),
        cut=st.sampled_from([None, None, None, -1, -30, 100]),
    )
    def test_whatever_is_uploaded_is_read_or_refused(
        self, spoils: list[tuple[int, int]], cut: int | None
    ) -> None:
        content = bytearray(j_batch([1, 2]))
        for place, byte in spoils:
            content[place % len(content)] = byte
        uploaded = bytes(content[:cut])
        # Anything but BatchRefused would stop the gateway.
        with suppress(BatchRefused):
            assert inspect_batch(NAME, uploaded, sidecar_of(NAME, uploaded))


class TestRecords:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"个案编号": "T1120260000000001"}, "E101"),
            ({"个案编号": "J1120250000000001"}, "E101"),
            ({"人口电子档案号": "1"}, "E102"),
            ({"出生日期": "1950-02-30"}, "E103"),
            ({"出生日期": "19500308"}, "E103"),
            ({"类别": "4"}, "E104"),
            ({"金额": "1740"}, "E105"),
            ({"起始年月": "202606"}, "E106"),
            ({"证件类型": "01"}, "E107"),
            ({"户籍地区划": "110102001001000"}, "E305"),
            ({"户籍地区划": "1101010010010"}, "E305"),
            ({"出生日期": "1966-07-01"}, "E410"),
            ({"出生日期": "1966-06-30"}, None),
        ],
    )
    def test_a_record_with_a_fault_is_refused_with_its_code(
        self, gateway: Gateway, root: Path, changes: dict[str, str], code: str | None
    ) -> None:
        rows = [j_row(1, **changes), j_row(2)]
        lay_down(root / "inbox", NAME, zip_of({J_MEMBER: member_text(rows)}))
        finish(gateway)
        wanted = {f"31,{code}": 1, "30,": 1} if code else {"30,": 2}
        assert record_states(root, f"{BATCH}.R01.csv") == wanted

    def test_an_answer_repeats_no_personal_value(self, gateway: Gateway, root: Path) -> None:
        row = j_row(1, 姓名="卡纳里", 证件号码="110101195003081234", 户籍地区划="x")
        lay_down(root / "inbox", NAME, zip_of({J_MEMBER: member_text([row])}))
        finish(gateway)
        said = "".join(path.read_text() for path in (root / "receipts").iterdir())
        said += (root / "ledger.jsonl").read_text()
        assert "第3行出错：户籍地区划无效" in said
        for value in ("卡纳里", "110101195003081234", "1950-03-08"):
            assert value not in said

    def test_an_accepted_record_that_comes_again_in_another_batch_is_a_repeated_report(
        self, gateway: Gateway, root: Path
    ) -> None:
        lay_down(root / "inbox", NAME, j_batch([1, 2]))
        finish(gateway)
        lay_down(root / "inbox", "J_110000_2026_A_0002.zip", j_batch([2, 3]))
        finish(gateway)
        assert record_states(root, "J_110000_2026_A_0002.R01.csv") == {"31,E201": 1, "30,": 1}

    def test_only_who_is_there_is_changed_or_withdrawn_and_nobody_is_added_twice(
        self, gateway: Gateway, root: Path
    ) -> None:
        # The receiver knows a person's case of a year by the file number; each line has its own case number.
        sent = [
            ("B", "0001", 1, "31,E202"),
            ("A", "0001", 2, "30,"),
            ("A", "0002", 3, "31,E201"),
            ("B", "0002", 4, "30,"),
            ("C", "0001", 5, "30,"),
            ("C", "0002", 6, "31,E202"),
            ("A", "0003", 7, "30,"),
        ]
        for operation, sequence, number, state in sent:
            batch_id = f"J_110000_2026_{operation}_{sequence}"
            row = j_row(number, 人口电子档案号="1" * 20)
            lay_down(root / "inbox", f"{batch_id}.zip", zip_of({J_MEMBER: member_text([row])}))
            finish(gateway)
            assert record_states(root, f"{batch_id}.R01.csv") == {state: 1}, batch_id
        # A gateway that is started anew knows the same.
        lay_down(root / "inbox", "J_110000_2026_A_0004.zip", j_batch([8]))
        row = j_row(9, 人口电子档案号="1" * 20)
        lay_down(root / "inbox", "J_110000_2026_A_0005.zip", zip_of({J_MEMBER: member_text([row])}))
        finish(Gateway(root, clock=lambda: NOON))
        assert record_states(root, "J_110000_2026_A_0005.R01.csv") == {"31,E201": 1}

    def test_a_person_who_stands_twice_in_a_batch_is_added_once(self, gateway: Gateway, root: Path) -> None:
        rows = [j_row(number, 人口电子档案号="1" * 20) for number in (1, 2)]
        lay_down(root / "inbox", NAME, zip_of({J_MEMBER: member_text(rows)}))
        finish(gateway)
        assert record_states(root, f"{BATCH}.R01.csv") == {"30,": 1, "31,E201": 1}

    def test_an_operation_that_is_not_agreed_is_no_batch(self, gateway: Gateway, root: Path) -> None:
        lay_down(root / "inbox", "J_110000_2026_R_0001.zip", j_batch([1]))
        finish(gateway)
        assert receipt(root, "J_110000_2026_R_0001.F01.csv")[2].split(",")[1:4] == ["R", "0", "F103"]

    def test_default_shares_are_refused_or_never_answered_the_same_ones_each_time(
        self, city: Settings, root: Path, tmp_path: Path
    ) -> None:
        set_behaviour(city, Behaviour())
        answers = []
        for folder in (root, tmp_path / "elsewhere"):
            gateway = Gateway(folder, clock=lambda: NOON)
            lay_down(folder / "inbox", NAME, j_batch(range(10_000)))
            finish(gateway)
            answers.append(receipt(folder, f"{BATCH}.R01.csv"))
        states = record_states(root, f"{BATCH}.R01.csv")
        refused = sum(count for state, count in states.items() if state != "30,")
        silent = 10_000 - sum(states.values())
        assert answers[0] == answers[1]
        assert set(states) == {"30,", "31,E201", "31,E305", "31,E410"}
        assert (refused, silent) == (pytest.approx(200, abs=50), pytest.approx(100, abs=40))

    def test_a_gateway_that_is_told_to_be_silent_answers_about_the_batch_alone(
        self, city: Settings, gateway: Gateway, root: Path
    ) -> None:
        set_behaviour(city, Behaviour(reject_rate=0, silent_rate=1))
        lay_down(root / "inbox", NAME, j_batch([1]))
        finish(gateway)
        assert [name for name in names(root / "receipts") if ".R" in name] == []
        assert f"{BATCH}.S40.csv" in names(root / "receipts")

    @pytest.mark.parametrize("level", ["transfer", "file", "batch", "record"])
    def test_a_level_that_is_told_to_be_silent_answers_nothing(
        self, city: Settings, gateway: Gateway, root: Path, level: str
    ) -> None:
        set_behaviour(city, Behaviour(reject_rate=0, silent_rate=0, silent_levels=(level,)))
        lay_down(root / "inbox", NAME, j_batch([1]))
        finish(gateway)
        letter = {"transfer": "T", "file": "F", "batch": "S", "record": "R"}[level]
        answered = {name.split(".")[1][0] for name in names(root / "receipts")}
        assert answered == set("TFSR") - {letter}

    def test_a_share_of_receipts_is_lost_the_same_ones_each_time(self, city: Settings, root: Path) -> None:
        behaviour = Behaviour(lost_rate=0.3)
        lost = [number for number in range(1000) if behaviour.withholds(f"{BATCH}.R{number:02d}.csv")]
        assert 200 < len(lost) < 400
        assert lost == [n for n in range(1000) if behaviour.withholds(f"{BATCH}.R{n:02d}.csv")]

    @pytest.mark.parametrize("state", ["21", "31", "41"])
    def test_a_gateway_that_is_told_to_fail_ends_every_batch_there(
        self, city: Settings, gateway: Gateway, root: Path, state: str
    ) -> None:
        set_behaviour(city, Behaviour(reject_rate=0, silent_rate=0, failing_state=state))
        lay_down(root / "inbox", NAME, j_batch([1]))
        finish(gateway)
        given = [line["state"] for line in read_ledger(root / "ledger.jsonl") if line["event"] == "state"]
        assert given[-1] == state

    @pytest.mark.parametrize(
        "content",
        ["{", "[]", '{"speed": 1}', '{"reject_rate": 2}', '{"reject_rate": "a"}', '{"silent_levels": ["x"]}'],
    )
    def test_a_behaviour_that_cannot_be_read_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "behaviour.json").write_text(content)
        with pytest.raises(Refusal, match="behaviour_unreadable"):
            read_behaviour(tmp_path / "behaviour.json")


class TestRestart:
    @pytest.mark.parametrize("steps", [0, 1, 2, 3])
    def test_a_gateway_started_anew_goes_on_where_the_last_ended(self, root: Path, steps: int) -> None:
        first = Gateway(root, clock=lambda: NOON)
        lay_down(root / "inbox", NAME, j_batch([1, 2]))
        for _ in range(steps):
            first.step()
        finish(Gateway(root, clock=lambda: NOON))
        states = [line["state"] for line in read_ledger(root / "ledger.jsonl") if line["event"] == "state"]
        assert states == STATES_OF_A_GOOD_BATCH
        assert finish(Gateway(root, clock=lambda: NOON)) is None
        assert len(names(root / "receipts")) == 10

    @pytest.mark.parametrize("torn", [1, 20, 60])
    def test_a_line_that_a_crash_cut_short_is_done_again(self, root: Path, torn: int) -> None:
        gateway = Gateway(root, clock=lambda: NOON)
        lay_down(root / "inbox", NAME, j_batch([1, 2]))
        gateway.step()
        gateway.step()
        before = {path.name: path.read_bytes() for path in (root / "receipts").iterdir()}
        ledger = root / "ledger.jsonl"
        ledger.write_bytes(ledger.read_bytes()[:-torn])
        finish(Gateway(root, clock=lambda: NOON.replace(hour=13)))
        assert [line.get("state") for line in read_ledger(ledger)] == [
            None,
            *STATES_OF_A_GOOD_BATCH,
        ]
        assert {name: (root / "receipts" / name).read_bytes() for name in before} == before

    def test_a_file_moved_but_not_yet_on_record_is_not_lost(self, gateway: Gateway, root: Path) -> None:
        lay_down(root / "inbox", NAME, j_batch([1]))
        (root / "inbox" / NAME).rename(root / "taken" / f"{BATCH}.1.zip")
        finish(gateway)
        assert f"{BATCH}.S40.csv" in names(root / "receipts")
        assert names(root / "inbox") == []


class TestOverTheWire:
    def test_an_upload_is_taken_answered_and_survives_a_killed_gateway(self, city: Settings) -> None:
        content = j_batch(range(20))
        process = start_partners(city, pace_seconds=0.2)
        wait_until_ready(city, process)
        try:
            with open_sftp(load_partner(city, "padis")) as session:
                session.put_atomically("/inbox", f"{NAME}.sha256", sidecar_of(NAME, content), 1)
                assert session.put_atomically("/inbox", NAME, content, 1) == "sent"
        finally:
            process.kill()
            process.wait()
        with running_partners(city) as partners, open_sftp(partners["padis"]) as session:
            files = wait_for(session, f"{BATCH}.S40.csv")
            said = session.read_file(f"/receipts/{BATCH}.R01.csv", limit=10_000).decode()
            assert session.list_folder("/inbox") == []
        assert files == [f"{BATCH}.{part}.csv" for part in RECEIPTS_OF_A_GOOD_BATCH]
        assert said.startswith("20\n")
        ledger = read_ledger(partner_root(city, "padis") / "ledger.jsonl")
        assert [line.get("record_count") for line in ledger if line.get("state") == "20"] == [20]
        assert json.dumps(ledger).count('"event": "taken"') == 1


def wait_for(session: SftpSession, name: str) -> list[str]:
    for _ in range(400):
        files = [file.name for file in session.list_folder("/receipts")]
        if name in files:
            return files
        time.sleep(0.02)
    raise AssertionError(f"{name} did not appear")
