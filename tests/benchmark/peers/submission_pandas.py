"""The same ZIP of text members by pandas and zipfile: patterns checked, members read back."""

import hashlib
import io
import zipfile
from typing import Any

import pandas as pd

PATTERNS = {
    "record_id": r"T11[0-9]{4}[0-9A-F]{10}",
    "person_id": r"[0-9A-Za-z]{20}",
    "id_number": r"[0-9]{17}[0-9X]",
    "division": r"11[0-9]{13}",
    "amount": r"[0-9]{1,9}[.][0-9]{2}",
}
HEADER = (
    "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,婚姻状况,类别,光荣证号,"
    "子女死亡日期,子女残疾等级,起始年月,金额"
)


def lines_of(records: pd.DataFrame) -> pd.DataFrame:
    """Write each record's fifteen columns as text."""
    dead = records["category_code"] == "death"
    fen = records["amount_fen"].astype(str).str.zfill(3)
    day = pd.to_datetime
    return pd.DataFrame(
        {
            "record_id": records["record_id"],
            "person_id": records["person_id"],
            "name": records["name"].str.replace(",", "，").str.strip(),
            "sex": records["sex_code"].where(records["sex_code"].isin(["1", "2"])),
            "born": day(records["birth_date"]).dt.strftime("%Y-%m-%d"),
            "id_type": records["id_type_code"].map({"01": "10"}),
            "id_number": records["id_number"],
            "division": records["hukou_division_code"] + "000",
            "marital": records["marital_status_code"],
            "category": records["category_code"].map({"death": "1", "disability": "2"}),
            "certificate": records["only_child_certificate_number"].str.strip(),
            "died": day(records["child_death_date"]).dt.strftime("%Y-%m-%d").where(dead),
            "level": records["child_disability_level_code"].where(~dead),
            "start": day(records["start_month"]).dt.strftime("%Y-%m"),
            "amount": fen.str.slice(0, -2) + "." + fen.str.slice(-2),
        }
    )


def run(inputs: dict[str, Any]) -> tuple[int, int, int]:
    lines = lines_of(pd.read_parquet(inputs["record"]))
    is_held = lines.drop(columns=["died", "level"]).isna().any(axis=1) | lines["record_id"].duplicated()
    for column, pattern in PATTERNS.items():
        is_held |= ~lines[column].str.fullmatch(pattern).fillna(False).astype(bool)
    for column in lines:
        is_held |= lines[column].str.len().fillna(0) > 60
    kept = lines[~is_held].sort_values(["division", "record_id"])
    archive, digests, text = io.BytesIO(), {}, 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for district, rows in kept.groupby(kept["division"].str.slice(0, 6)):
            body = rows.to_csv(index=False, header=False, lineterminator="\r\n")
            content = b"\xef\xbb\xbf" + f"{len(rows)}\r\n{HEADER}\r\n{body}".encode()
            name = f"TBFZ_JFDX_110000_{district}.txt"
            digests[name], text = hashlib.sha256(content).digest(), text + len(content)
            file.writestr(name, content)
    with zipfile.ZipFile(archive) as file:
        for name, digest in digests.items():
            if hashlib.sha256(file.read(name)).digest() != digest:
                raise AssertionError("a member is not what was packed")
    return len(kept), int(is_held.sum()), text


def answer(outcome: tuple[int, int, int], inputs: dict[str, Any]) -> dict[str, Any]:
    return {"records": outcome[0], "held_back": outcome[1], "megabytes": round(outcome[2] / 1e6, 2)}
