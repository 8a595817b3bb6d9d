"""Receiver profiles: the one in use says exactly what was agreed, and a wrong one is refused on load."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.padis_profile_file import PROFILES, load_profile, profile_on
from schemas.refusal import Refusal
from tests.support.agreed import PROFILES as PACKAGES

FILE = PROFILES / "national_2026.yaml"


def test_headers_are_exact() -> None:
    profile = profile_on("national", date(2026, 6, 1))
    assert profile.subsystems["J"].header == (
        "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,户口性质,婚姻状况,"
        "类别,现存子女数,起始年月,金额"
    )
    assert profile.subsystems["T"].header == (
        "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,婚姻状况,类别,"
        "光荣证号,子女死亡日期,子女残疾等级,起始年月,金额"
    )


def test_names_are_as_agreed() -> None:
    profile = profile_on("national", date(2026, 6, 1))
    assert profile.name_batch("J", "2026", "A", 1) == "J_110000_2026_A_0001"
    assert profile.name_member(profile.subsystems["T"], "110101") == "TBFZ_JFDX_110000_110101.txt"
    assert profile.begin_case_number("T", "2026") == "T112026"
    assert profile.receipts.final_states == {"21", "31", "40", "41"}


def test_a_day_before_the_first_profile_has_none() -> None:
    with pytest.raises(Refusal, match="receiver_profile_missing"):
        profile_on("national", date(2025, 12, 31))


def test_two_profiles_for_one_day_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_bytes(FILE.read_bytes())
    with pytest.raises(Refusal, match="receiver_profile_ambiguous"):
        profile_on("national", date(2026, 6, 1), tmp_path)


def first_column(profile: dict[str, Any]) -> dict[str, Any]:
    return profile["subsystems"]["J"]["columns"][0]


def first_window(profile: dict[str, Any]) -> dict[str, Any]:
    return profile["batch"]["windows"][0]


Change = Callable[[dict[str, Any]], Any]
WRONG: dict[str, Change] = {
    "an unknown key": lambda p: p.update(colour="red"),
    "a key missing": lambda p: p.pop("batch"),
    "a division that lost its quotes": lambda p: p.update(division_code=110000),
    "a relative folder": lambda p: p["folders"].update(inbox="inbox"),
    "a folder that climbs": lambda p: p["folders"].update(inbox="/../etc"),
    "a period that ends before it begins": lambda p: p.update(valid_to=date(2025, 1, 1)),
    "a batch name without its sequence": lambda p: p["batch"].update(batch_id="{subsystem_code}_{period}"),
    "a batch name that reaches into objects": lambda p: p["batch"].update(batch_id="{period.__class__}"),
    "a member name with a path": lambda p: p["batch"].update(
        member_name="../{table}{division_code}{district_code}"
    ),
    "no replacement for the separator": lambda p: p["batch"].update(replaced={";": "；"}),
    "a layout that nobody knows": lambda p: p["file"].update(layout="json"),
    "no SHA-256": lambda p: p["file"].update(digests=["sm3"]),
    "a digest that is none": lambda p: p["file"].update(digests=["sha256", "md5"]),
    "a signature of another kind": lambda p: p["file"].update(signature="rsa"),
    "a package for a ZIP": lambda p: p["file"].update(package={}),
    "an operation that nobody knows": lambda p: p["batch"].update(operations={"A": "add", "X": "?"}),
    "a receiver that takes no additions": lambda p: p["batch"].update(operations={"B": "change"}),
    "an operation that is no letter": lambda p: p["batch"].update(operations={"add": "add"}),
    "a limit that admits nothing": lambda p: p["batch"].update(most_records=0),
    "no window": lambda p: p["batch"].update(windows=[]),
    "a day that does not exist": lambda p: first_window(p).update(to_day="02-30"),
    "a window that ends before it begins": lambda p: first_window(p).update(from_day="12-31", to_day="01-01"),
    "an hour that lost its quotes": lambda p: first_window(p).update(opens=480),
    "an hour that does not exist": lambda p: first_window(p).update(closes="25:00"),
    "a window of no hours": lambda p: first_window(p).update(opens="08:00", closes="08:00"),
    "two windows of one day": lambda p: p["batch"]["windows"].append(
        {"from_day": "12-31", "to_day": "12-31", "opens": "20:00", "closes": "22:00"}
    ),
    "an unknown policy of empty batches": lambda p: p["batch"].update(empty="sometimes"),
    "a fact that nobody gives": lambda p: first_column(p).update(fact="shoe_size"),
    "a form that does not fit the fact": lambda p: first_column(p).update(form="yuan"),
    "a header with a separator": lambda p: first_column(p).update(header="个案,编号"),
    "a header twice": lambda p: first_column(p).update(header="姓名"),
    "a pattern that is none": lambda p: first_column(p).update(pattern="["),
    "a pattern that the column store does not know": lambda p: first_column(p).update(pattern="(?=a)"),
    "a code map that is missing": lambda p: p["code_maps"].pop("id_type"),
    "a code that lost its quotes": lambda p: p["code_maps"]["id_type"].update({1: "10"}),
    "no column for the amount": lambda p: p["subsystems"]["J"]["columns"].pop(),
    "a state twice": lambda p: p["receipts"]["batch_states"].append(p["receipts"]["batch_states"][0]),
    "a state with an unknown outcome": lambda p: p["receipts"]["batch_states"][0].update(outcome="maybe"),
    "a receipt with fewer columns": lambda p: p["receipts"].update(batch_header="批次号,状态"),
}


WRONG_PACKAGES: dict[str, Change] = {
    "a package without a package": lambda p: p["file"].pop("package"),
    "a key missing": lambda p: p["file"]["package"].pop("password"),
    "a number that lost its quotes": lambda p: p["file"]["package"].update(service_id=110212),
    "a version that is none": lambda p: p["file"]["package"].update(content_version="2026"),
    "an encryption of another kind": lambda p: p["file"]["package"].update(encryption="sm4_ecb"),
    "a password in the file": lambda p: p["file"]["package"].update(password="secret"),
    "a header that is no element": lambda p: first_column(p).update(header="个案编号"),
}


@pytest.mark.parametrize("fault", WRONG_PACKAGES)
def test_a_wrong_package_is_refused_on_load(tmp_path: Path, fault: str) -> None:
    profile = yaml.safe_load((PACKAGES / "national_2026.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    assert load_profile(path).file.suffix == ".xml"
    WRONG_PACKAGES[fault](profile)
    path = tmp_path / "wrong too.yaml"
    path.write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    with pytest.raises(Refusal):
        load_profile(path)


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_profile_is_refused_on_load(tmp_path: Path, fault: str) -> None:
    profile = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    WRONG[fault](profile)
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        load_profile(path)
    assert "wrong.yaml" in refused.value.found
