"""padisPackage: what is packed reads back on both sides; what is hostile or spoilt is refused."""

import base64
import gzip
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from connectors.exchange_crypto import decrypt_sm4, encrypt_sm4
from connectors.settings import Settings
from etl.submission.archive import Member
from etl.submission.package import pack_package, read_package
from sandbox.partners.agreement import Agreement
from sandbox.partners.inspection import BatchRefused
from sandbox.partners.package import inspect_package
from schemas.padis_profile import Profile, Subsystem
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from tests.support.agreed import KEY, PASSWORD_AGREED, PROFILES, agree

BATCH_ID = "J_110000_2026_A_0001"
FILE = f"{BATCH_ID}.xml"
NAME = "LNJF_JFDX_110000_110101"
CLEAR = {"has_password": False, "is_compressed": False, "is_encrypted": False}
PACKED = CLEAR | {"is_compressed": True}
AGREED: dict[str, bool] = {}


@pytest.fixture
def city(tmp_path: Path) -> Settings:
    settings = Settings(var=tmp_path)
    settings.make_folders()
    return settings


@pytest.fixture
def agreement(city: Settings) -> Agreement:
    return Agreement(agree(city))


def profile_with(options: dict[str, bool]) -> Profile:
    profile = profile_on("national", date(2026, 6, 1), PROFILES)
    assert profile.file.package is not None
    package = replace(profile.file.package, **options)
    return replace(profile, file=replace(profile.file, package=package))


def subsystem_of(profile: Profile) -> Subsystem:
    return profile.subsystems["J"]


def member_of(*names: str) -> Member:
    lines = tuple(
        f"J112026{number:010X},{number:020d},{name},2,1950-03-08,10,11010119500308002X,110101001001000,2,20,1,1,"
        "2026-06,1740.00"
        for number, name in enumerate(names, start=1)
    )
    header = subsystem_of(profile_with({})).header
    return Member(NAME, str(len(lines)), header, lines, 1)


def pack(city: Settings, options: dict[str, bool], *names: str) -> bytes:
    profile = profile_with(options)
    return pack_package(city, profile, subsystem_of(profile), BATCH_ID, [member_of(*names)])


def read(city: Settings, options: dict[str, bool], content: bytes) -> list[Member]:
    profile = profile_with(options)
    return list(read_package(city, profile, subsystem_of(profile), content))


@pytest.mark.parametrize("options", [CLEAR, PACKED, AGREED], ids=["in clear", "packed", "encrypted"])
def test_what_is_packed_reads_back_the_same(
    city: Settings, agreement: Agreement, options: dict[str, bool]
) -> None:
    names = ("王桂兰", "䶮㛃", 'a & b <c> ]]> "d"', "·—…€", "𠮷")
    content = pack(city, options, *names)
    assert read(city, options, content) == [member_of(*names)]
    assert content.startswith(b'<?xml version="1.0" encoding="GBK"?>')


def test_every_character_of_gbk_and_every_other_reads_alike_by_the_receivers_own_decoder(
    city: Settings,
) -> None:
    characters = [chr(code) for code in range(0xA1, 0xFFFE) if not 0xD800 <= code < 0xE000]
    odd = re.compile(r"[\s\x7f-\x9f\u2028\u2029\ufeff,]")
    names = ["x" + "".join(characters[start : start + 40]) for start in range(0, len(characters), 40)]
    names = [odd.sub("", name) for name in names]
    content = pack(city, CLEAR, *names)
    parser = etree.XMLParser(resolve_entities=False, huge_tree=True)
    (inner,) = etree.fromstring(content, parser).xpath("//*[local-name()='content']/text()")
    records = etree.fromstring(inner.encode("gbk"), parser).findall("jl")
    assert [record.findtext("xm") for record in records] == names


def test_an_encrypted_package_shows_no_value_and_opens_with_the_agreed_key_in_its_place_only(
    city: Settings, agreement: Agreement
) -> None:
    content = pack(city, AGREED, "王桂兰")
    for value in ("王桂兰".encode("gbk"), b"11010119500308002X"):
        assert value in pack(city, CLEAR, "王桂兰")
        assert value not in content
    (text,) = re.findall(rb"<content>([^<]*)</content>", content)
    encrypted = base64.b64decode(text)
    inner = gzip.decompress(decrypt_sm4([bytes.fromhex(KEY)], encrypted, f"{BATCH_ID}/{NAME}".encode()))
    assert b"11010119500308002X" in inner
    with pytest.raises(Refusal, match="decryption_failed"):
        decrypt_sm4([bytes.fromhex(KEY)], encrypted, f"{BATCH_ID}/LNJF_JFDX_110000_110102".encode())


def test_the_receiver_reads_what_was_agreed(city: Settings, agreement: Agreement) -> None:
    records = inspect_package(FILE, pack(city, AGREED, "王桂兰", "䶮"), agreement)
    assert [(r.member_name, r.line_number, r.fault_code) for r in records] == [
        (NAME, 1, None),
        (NAME, 2, None),
    ]
    assert records[0].case_number == "J1120260000000001"


def test_the_receiver_refuses_what_comes_in_clear_where_encryption_was_agreed(
    city: Settings, agreement: Agreement
) -> None:
    clear_with_password = CLEAR | {"has_password": True}
    with pytest.raises(BatchRefused) as refused:
        inspect_package(FILE, pack(city, clear_with_password, "王桂兰"), agreement)
    assert refused.value.code == "F110"
    with pytest.raises(BatchRefused) as refused:
        inspect_package(FILE, pack(city, CLEAR | {"is_encrypted": True}, "王桂兰"), agreement)
    assert refused.value.code == "F103"


def test_without_an_agreed_key_nothing_is_packed(city: Settings) -> None:
    with pytest.raises(Refusal, match="exchange_key_unusable"):
        pack(city, AGREED, "王桂兰")
    (city.keys / "exchange_national.password").write_text(PASSWORD_AGREED, encoding="ascii")
    with pytest.raises(Refusal, match="exchange_key_unusable"):
        pack(city, AGREED, "王桂兰")


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
Spoil = Callable[[bytes], bytes]


def after_declaration(text: str) -> Spoil:
    return lambda content: content.replace(b"?>", f"?>{text}".encode(), 1)


def cut_character(content: bytes) -> bytes:
    place = content.index("王".encode("gbk"))
    return content[: place + 1]


def half_character(content: bytes) -> bytes:
    return content.replace("王".encode("gbk"), "王".encode("gbk")[:1], 1)


SPOILT: dict[str, Spoil] = {
    "an external entity": lambda content: after_declaration(
        '<!DOCTYPE p [<!ENTITY s SYSTEM "file:///etc/passwd">]>'
    )(content).replace(b"<serviceId>110212", b"<serviceId>&s;"),
    "an external document type": after_declaration('<!DOCTYPE p SYSTEM "http://127.0.0.1:9/p.dtd">'),
    "an entity bomb": lambda content: after_declaration(f'<!DOCTYPE p [<!ENTITY l0 "ha">{BOMB}]>')(
        content
    ).replace(b"<serviceId>110212", b"<serviceId>&l9;"),
    "an entity nobody declared": lambda content: content.replace(b"<serviceId>110212", b"<serviceId>&s;"),
    "a document type within": lambda content: content.replace(b"<cpXML", b"<!DOCTYPE cpXML []><cpXML"),
    "cut in a character": cut_character,
    "half a character": half_character,
    "cut in the middle": lambda content: content[: len(content) // 2],
    "nothing": lambda content: b"",
    "UTF-8 declared": lambda content: content.replace(b"GBK", b"UTF-8", 1),
    "UTF-8 under GBK": lambda content: content.decode("gbk").encode("utf-8"),
    "UTF-16": lambda content: content.decode("gbk").encode("utf-16"),
    "another root": lambda content: content.replace(b"padisPackage", b"padisPacket"),
    "another namespace": lambda content: content.replace(b"dataspec", b"dataspek"),
    "a flag that is none": lambda content: content.replace(b"<isZip>0", b"<isZip>2"),
    "an element too many": lambda content: content.replace(b"<routerSession>", b"<x/><routerSession>"),
    "a district twice": lambda content: re.sub(
        rb"(<subPackage>.*?</subPackage>\n)", rb"\1\1", content, flags=re.DOTALL
    ),
    "a record too few": lambda content: content.replace(b"<jls>1", b"<jls>2"),
    "an element within a value": lambda content: content.replace(b"<xbDm>2", b"<xbDm><i/>2"),
    "a column missing": lambda content: content.replace(b"<xbDm>2</xbDm>", b""),
    "columns in another order": lambda content: content.replace(
        b"<xbDm>2</xbDm><csRq>1950-03-08</csRq>", b"<csRq>1950-03-08</csRq><xbDm>2</xbDm>"
    ),
    "deep nesting": lambda content: content.replace(b"<xbDm>2", b"<xbDm>" + b"<i>" * 100_000),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_hostile_and_spoilt_xml_is_refused_on_both_sides_at_once(city: Settings, spoilt: str) -> None:
    good = pack(city, CLEAR, "王桂兰")
    content = SPOILT[spoilt](good)
    assert content != good
    begin = time.process_time()
    with pytest.raises(Refusal, match="batch_unreadable") as refused:
        read(city, CLEAR, content)
    with pytest.raises(BatchRefused):
        inspect_package(FILE, content, Agreement(city.var / "nothing agreed"))
    assert time.process_time() - begin < 5
    assert "root:" not in str(refused.value)
    assert "王桂兰" not in str(refused.value)


def with_content(content: bytes, inner: bytes) -> bytes:
    coded = encrypt_sm4(bytes.fromhex(KEY), inner, f"{BATCH_ID}/{NAME}".encode())
    return re.sub(rb"<content>[^<]*", b"<content>" + base64.b64encode(coded), content)


CODED: dict[str, Spoil] = {
    "no Base64": lambda content: content.replace(b"<content>", b"<content>*"),
    "changed": lambda content: re.sub(
        rb"<content>(.{40})(.)", lambda m: b"<content>" + m[1] + (b"A" if m[2] != b"A" else b"B"), content
    ),
    "another batch's": lambda content: content.replace(BATCH_ID.encode(), b"J_110000_2026_A_0002"),
    "no gzip": lambda content: with_content(content, b"<cpXML/>"),
    "gzip cut off": lambda content: with_content(content, gzip.compress(b"x" * 1000)[:-9]),
    "gzip of no XML": lambda content: with_content(content, gzip.compress(b"x")),
    "a bomb": lambda content: with_content(content, gzip.compress(bytes(80 * 2**20), 1)),
}


@pytest.mark.parametrize("spoilt", CODED)
def test_spoilt_contents_are_refused_on_both_sides(city: Settings, agreement: Agreement, spoilt: str) -> None:
    content = CODED[spoilt](pack(city, AGREED, "王桂兰"))
    with pytest.raises(Refusal, match=r"batch_unreadable|decryption_failed"):
        read(city, AGREED, content)
    with pytest.raises(BatchRefused):
        inspect_package(FILE, content, agreement)


def test_after_a_change_of_key_old_batches_still_read_back(city: Settings, agreement: Agreement) -> None:
    old = pack(city, AGREED, "王桂兰")
    keys = city.keys / "exchange_national.sm4"
    keys.write_text("00" * 16, encoding="ascii")
    with pytest.raises(Refusal, match="decryption_failed"):
        read(city, AGREED, old)
    keys.write_text(f"{'00' * 16}\n{KEY}\n", encoding="ascii")
    assert read(city, AGREED, old) == [member_of("王桂兰")]
    with pytest.raises(BatchRefused):
        inspect_package(FILE, pack(city, AGREED, "王桂兰"), agreement)
