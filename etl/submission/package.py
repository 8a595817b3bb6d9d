"""Batches as `padisPackage`: an envelope in GBK with a subPackage per district, each holding `cpXML`.

The content of a subPackage may be compressed, then encrypted, and is then written as Base64; the envelope's
flags say so. Everything else is text. docs/decisions/0039 tells what was observed and what we assume.
"""

import base64
import binascii
import gzip
import zlib
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from connectors.exchange_crypto import decrypt_sm4, encrypt_sm4
from connectors.settings import Settings
from etl.submission.agreed_keys import password, sm4_keys
from etl.submission.archive import Member
from schemas.padis_file_form import Package
from schemas.padis_profile import Profile, Subsystem
from schemas.padis_xml import CONTENT, ENCODING, NAMESPACE, PACKAGE, XmlRefused, encode_xml, read_xml
from schemas.refusal import Refusal

ENVELOPE = (
    '<padisPackage xmlns="{namespace}" version="1.0">\n'
    "<identity><serviceId>{service_id}</serviceId><channelId>{channel_id}</channelId>"
    "<globalBusinessId>{batch_id}</globalBusinessId><password>{password}</password></identity>\n"
    "<contentControl><zip><isZip>{is_zip}</isZip><zipType>{zip_type}</zipType></zip>"
    "<encrypt><isEncrypt>{is_encrypt}</isEncrypt><encryptType>{encrypt_type}</encryptType></encrypt>"
    "<code><isCode>{is_code}</isCode><codeType>{code_type}</codeType></code></contentControl>\n"
    "<routerSession><paramList><name>desCId</name><value>{destination}</value></paramList></routerSession>\n"
    "<businessContent>\n{sub_packages}</businessContent>\n</padisPackage>\n"
)
SUB_PACKAGE = "<subPackage><id>{name}</id><content>{content}</content><paramList/></subPackage>\n"
ZIP_TYPE, ENCRYPT_TYPE, CODE_TYPE = "GZIP", "SM4-GCM", "BASE64"
# More than the largest district of a batch unpacks to.
MOST_TEXT_BYTES = 64 * 2**20


def pack_package(
    settings: Settings, profile: Profile, subsystem: Subsystem, batch_id: str, members: Sequence[Member]
) -> bytes:
    """Pack members into an envelope, and hold it against its schema and against the members.

    Raises:
        Refusal: an agreed key is missing, or the file does not read back as what it was made of.
    """
    form = _package_of(profile)
    is_coded = form.is_compressed or form.is_encrypted
    sub_packages = [_sub_package(settings, profile, subsystem, batch_id, member) for member in members]
    text = ENVELOPE.format(
        namespace=NAMESPACE,
        service_id=form.service_id,
        channel_id=form.channel_id,
        batch_id=batch_id,
        password=escape(password(settings, profile.receiver)) if form.has_password else "",
        **_flag("zip", form.is_compressed, ZIP_TYPE),
        **_flag("encrypt", form.is_encrypted, ENCRYPT_TYPE),
        **_flag("code", is_coded, CODE_TYPE),
        destination=form.destination,
        sub_packages="".join(sub_packages),
    )
    content = encode_xml(text)
    if list(read_package(settings, profile, subsystem, content)) != list(members):
        raise Refusal(
            "package_differs",
            found=f"{batch_id} reads back as something else than it was made of",
            expected="the same members and lines",
            to_do="nothing was built; report it with the profile",
        )
    return content


def read_package(
    settings: Settings, profile: Profile, subsystem: Subsystem, content: bytes
) -> Iterator[Member]:
    """Read an envelope of our own back, member by member.

    Raises:
        Refusal: it is none, or its contents do not open or have other columns.
    """
    try:
        root = read_xml(content, PACKAGE)
        batch_id = _text(root, "globalBusinessId")
        for sub_package in root.iter(f"{{{NAMESPACE}}}subPackage"):
            name = _text(sub_package, "id")
            inner = _decode(settings, profile, f"{batch_id}/{name}", _text(sub_package, "content"))
            yield _member(profile, subsystem, name, inner)
    except XmlRefused as refused:
        raise _unreadable(content, str(refused)) from None
    except (ValueError, binascii.Error, OSError, EOFError, zlib.error) as error:
        raise _unreadable(content, type(error).__name__) from None


def _flag(name: str, is_set: bool, kind: str) -> dict[str, str]:
    return {f"is_{name}": str(int(is_set)), f"{name}_type": kind if is_set else ""}


def _package_of(profile: Profile) -> Package:
    package = profile.file.package
    assert package is not None  # noqa: S101 - only profiles with this layout come here
    return package


def _sub_package(
    settings: Settings, profile: Profile, subsystem: Subsystem, batch_id: str, member: Member
) -> str:
    form = _package_of(profile)
    inner = encode_xml(_content_text(form, subsystem, member))
    if not (form.is_compressed or form.is_encrypted):
        # No end of a CDATA section stands in it: a > is always escaped.
        return SUB_PACKAGE.format(name=member.name, content=f"<![CDATA[{inner.decode(ENCODING)}]]>")
    if form.is_compressed:
        inner = gzip.compress(inner, compresslevel=6, mtime=0)
    if form.is_encrypted:
        place = f"{batch_id}/{member.name}".encode("ascii")
        inner = encrypt_sm4(sm4_keys(settings, profile.receiver)[0], inner, place)
    return SUB_PACKAGE.format(name=member.name, content=base64.b64encode(inner).decode("ascii"))


def _content_text(form: Package, subsystem: Subsystem, member: Member) -> str:
    title = quoteattr(subsystem.description.split(" · ")[0])
    attributes = f'cName={title} name="{subsystem.table}" version="{form.content_version}"'
    headers = [column.header for column in subsystem.columns]
    rows = (
        "".join(f"<{h}>{escape(v)}</{h}>" for h, v in zip(headers, line.split(","), strict=True))
        for line in member.lines
    )
    records = "".join(f"<jl>{row}</jl>\n" for row in rows)
    return f"<cpXML {attributes}><jls>{member.count}</jls>\n{records}</cpXML>"


def _decode(settings: Settings, profile: Profile, place: str, text: str) -> bytes:
    form = _package_of(profile)
    if not (form.is_compressed or form.is_encrypted):
        return text.encode(ENCODING)
    content = base64.b64decode(text, validate=True)
    if form.is_encrypted:
        content = decrypt_sm4(sm4_keys(settings, profile.receiver), content, place.encode("ascii"))
    return _unpacked(content) if form.is_compressed else content


def _unpacked(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked = unpacker.decompress(content, MOST_TEXT_BYTES)
    if not unpacker.eof or unpacker.unused_data:
        raise EOFError
    return unpacked


def _member(profile: Profile, subsystem: Subsystem, name: str, inner: bytes) -> Member:
    root = read_xml(inner, CONTENT)
    headers = [column.header for column in subsystem.columns]
    records = root.findall("jl")
    lines = [_line(record, headers) for record in records]
    count = str(root.findtext("jls"))
    if count != str(len(lines)):
        raise XmlRefused(f"{len(lines)} records where jls says otherwise")
    return Member(name, count, subsystem.header, tuple(lines), profile.file.first_number)


def _line(record: etree._Element, headers: Sequence[str]) -> str:
    if [element.tag for element in record] != headers or any(len(element) for element in record):
        raise XmlRefused("other columns than the profile's")
    values = [element.text or "" for element in record]
    if any("," in value for value in values):
        raise XmlRefused("a separator in a value")
    return ",".join(values)


def _text(element: etree._Element, name: str) -> str:
    found = element.find(f".//{{{NAMESPACE}}}{name}")
    return "" if found is None else str(found.text or "")


def _unreadable(content: bytes, what: str) -> Refusal:
    return Refusal(
        "batch_unreadable",
        found=f"{len(content)} bytes that are no batch ({what})",
        expected="padisPackage in GBK, without a document type, as schemas/padis/padis_package.xsd says",
        to_do="restore exchange.batch from backup",
    )
