"""The form of a file to a receiver: how its records are laid out, and how it is protected on the way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.strict_yaml import check_keys

ZIP_TEXT, PADIS_PACKAGE = "zip_text", "padis_package"
SUFFIXES = {ZIP_TEXT: ".zip", PADIS_PACKAGE: ".xml"}
# The number of a member's first record: text members begin with a count and a header.
FIRST_NUMBERS = {ZIP_TEXT: 3, PADIS_PACKAGE: 1}
SHA256, SM3 = "sha256", "sm3"
NONE = "none"
SM2, GZIP, SM4_GCM, AGREED = "sm2", "gzip", "sm4_gcm", "agreed"
ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")

Demand = Callable[[Path, str, bool, str], None]


@dataclass(frozen=True)
class Package:
    """What an envelope `padisPackage` says of its sender and of the contents it holds."""

    service_id: str
    channel_id: str
    destination: str
    content_version: str
    has_password: bool
    is_compressed: bool
    is_encrypted: bool


@dataclass(frozen=True)
class FileForm:
    """How a file is laid out; which digests and whether a signature are sent before it.

    `package` is there for the layout `padis_package`, for no other.
    """

    layout: str
    digests: tuple[str, ...]
    is_signed: bool
    package: Package | None

    @property
    def suffix(self) -> str:
        """What the file's name ends in."""
        return SUFFIXES[self.layout]

    @property
    def first_number(self) -> int:
        """The number by which the receiver names a member's first record."""
        return FIRST_NUMBERS[self.layout]


def read_file_form(path: Path, entry: object, demand: Demand) -> FileForm:
    """Read the part `file` of a profile; `demand` refuses what does not hold."""
    content = check_keys(path, "file", entry, ("layout", "digests", "signature"), ("package",))
    layout, digests = content["layout"], content["digests"]
    demand(path, "layout", layout in SUFFIXES, f"one of {', '.join(SUFFIXES)}")
    # Receipts of the first level tell the SHA-256 of what was taken.
    known = digests in ([SHA256], [SHA256, SM3])
    demand(path, "digests", known, f"[{SHA256}] or [{SHA256}, {SM3}]")
    signature = _one_of(path, content, "signature", (NONE, SM2), demand)
    is_package = layout == PADIS_PACKAGE
    demand(path, "package", is_package == ("package" in content), f"a package for {PADIS_PACKAGE}, else none")
    package = _package(path, content["package"], demand) if is_package else None
    return FileForm(layout, tuple(digests), signature == SM2, package)


def is_header(layout: str, header: str) -> bool:
    """Tell whether a column's name can stand in a file of this layout; in a package it is an element."""
    return layout != PADIS_PACKAGE or ELEMENT.fullmatch(header) is not None


def _package(path: Path, entry: object, demand: Demand) -> Package:
    numbers = ("service_id", "channel_id", "destination")
    options = ("password", "compression", "encryption")
    content = check_keys(path, "package", entry, (*numbers, "content_version", *options))
    for name in numbers:
        demand(path, name, _is_text(content[name], r"[0-9]{6}"), "six digits in quotes")
    demand(path, "content_version", _is_text(content["content_version"], r"CP[0-9]{4}"), "CP and a year")
    return Package(
        **{name: content[name] for name in numbers},
        content_version=content["content_version"],
        has_password=_one_of(path, content, "password", (NONE, AGREED), demand) == AGREED,
        is_compressed=_one_of(path, content, "compression", (NONE, GZIP), demand) == GZIP,
        is_encrypted=_one_of(path, content, "encryption", (NONE, SM4_GCM), demand) == SM4_GCM,
    )


def _one_of(
    path: Path, content: Mapping[str, Any], name: str, choices: tuple[str, ...], demand: Demand
) -> str:
    demand(path, name, content[name] in choices, f"one of {', '.join(choices)}")
    return str(content[name])


def _is_text(value: object, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None
