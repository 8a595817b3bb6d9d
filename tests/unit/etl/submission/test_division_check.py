"""Lines of a division upload and what both the receiver and we say of them."""

import pytest

from tests.support.division_upload import CHANGES, DIVISIONS, NAME, ours, theirs, zipped

DIVISION_LINES = "2\n区划名称,区划代码\n北京市,110000000000\n东城区,110101000000000\n"
CHANGE_LINES = (
    "2\n调整编号,调整说明,原区划名称,原区划代码,调整类型,现区划名称,现区划代码\n"
    "1,说明,甲村,110101001001,31,乙村,110101001002000\n"
    "2,说明,,,11,丙村,110101001003\n"
)
SOUND = {CHANGES: CHANGE_LINES, DIVISIONS: DIVISION_LINES}


def test_what_is_sound_is_taken_with_or_without_a_mark_and_blank_lines() -> None:
    marked = {name: f"\ufeff{text}".encode() for name, text in SOUND.items()}
    blank = {name: text.replace("\n", "\r\n \r\n") for name, text in SOUND.items()}
    for members in (SOUND, marked, blank, {DIVISIONS: DIVISION_LINES}, {CHANGES: CHANGE_LINES}):
        assert ours(zipped(members)) == theirs(zipped(members)) == []


@pytest.mark.parametrize(
    ("member", "before", "after", "said"),
    [
        (DIVISIONS, "2\n", "3\n", "第1行出错：给出的数据量和实际条数"),
        (DIVISIONS, "2\n", "x\n", "第1行出错：给出的数据量和实际条数"),
        (DIVISIONS, "东城区,110101000000000\n", "", "第1行出错：给出的数据量和实际条数"),
        (DIVISIONS, "区划名称,区划代码", "区划代码,区划名称", "第2行出错：文件标题错误"),
        (DIVISIONS, "区划名称,区划代码", "区划名称,区划代码,备注", "第2行出错：文件标题错误"),
        (DIVISIONS, "北京市,", "北京,市,", "第3行出错：逗号分隔错误"),
        (DIVISIONS, "北京市,110000000000", "北京市,", "第3行出错：逗号分隔错误"),
        (DIVISIONS, "110101000000000", "130101000000000", "第4行出错：区划代码和ZIP文件区划代码不一致"),
        (DIVISIONS, "110101000000000", "1101010000", "第4行出错：区划代码不符合规范"),
        (DIVISIONS, "110101000000000", "11010100000000O", "第4行出错：区划代码不符合规范"),
        (CHANGES, "调整类型", "类型", "第2行出错：文件标题错误"),
        (CHANGES, "1,说明,甲村", ",说明,甲村", "第3行出错：调整编号为空"),
        (CHANGES, "110101001001,31", ",31", "第3行出错：原区划代码为空"),
        (CHANGES, "110101001001,31", "1101010010,31", "第3行出错：原区划代码不符合规范"),
        (CHANGES, "110101001001,31", "120101001001,31", "第3行出错：原区划代码和ZIP文件区划代码不一致"),
        (CHANGES, ",31,", ",32,", "第3行出错：调整类型不符合规范"),
        (CHANGES, "110101001002000", "110101001002", ""),
        (CHANGES, "110101001002000", "1101010010020000", "第3行出错：现区划代码不符合规范"),
        (CHANGES, "110101001003", "990101001003", "第4行出错：现区划代码和ZIP文件区划代码不一致"),
        (CHANGES, ",110101001003", ",", "第4行出错：逗号分隔错误"),
        (CHANGES, "说明,甲村", "说明，补充,甲村", ""),
    ],
)
def test_a_faulty_line_is_named_by_both_sides_in_the_receivers_words(
    member: str, before: str, after: str, said: str
) -> None:
    assert before in SOUND[member]
    faulty = zipped({**SOUND, member: SOUND[member].replace(before, after, 1)})
    for told in (ours(faulty), theirs(faulty)):
        assert len(told) == (1 if said else 0)
        assert all(f"{member}{said}" in fault for fault in told)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (NAME, b"", "压缩包损坏"),
        (NAME, b"PK\x05\x06" + bytes(18), "压缩包中没有文件"),
        (NAME, zipped(SOUND)[:200], "压缩包损坏"),
        ("QHDM.zip", zipped(SOUND), "没有区划代码"),
        ("QHDM_120000_20260601.zip", zipped(SOUND), "区划代码不一致"),
        (NAME, zipped({"QHDM_110000.csv": DIVISION_LINES}), "扩展名不是txt格式"),
        (NAME, zipped({"XZQH_110000.txt": DIVISION_LINES}), "文件名称不规范"),
        (NAME, zipped({DIVISIONS: DIVISION_LINES.encode("gbk")}), "UTF-8"),
        (NAME, zipped({DIVISIONS: "2\n"}), "第2行出错：没有文件标题"),
        (NAME, zipped({DIVISIONS: "\n" * 30_000_000}), "压缩比异常"),
        (NAME, zipped({f"QHDM_110000_{n}.txt": DIVISION_LINES for n in range(401)}), "过"),
    ],
)  # fmt: skip
def test_an_archive_that_is_not_as_agreed_is_refused_as_a_whole(name: str, content: bytes, said: str) -> None:
    for told in (ours(content, name), theirs(content, name)):
        assert told
        assert said in told[0]
