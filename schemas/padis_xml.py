"""XML of PADIS: GBK, never a document type, valid against its schema in `schemas/padis/`."""

from functools import lru_cache
from pathlib import Path

from lxml import etree

NAMESPACE = "http://www.chinapop.gov.cn/dataspec"
PACKAGE, CONTENT = "padis_package", "padis_content"
ENCODING = "gbk"
DECLARATION = '<?xml version="1.0" encoding="GBK"?>'
FOLDER = Path(__file__).resolve().parent / "padis"


class XmlRefused(ValueError):  # noqa: N818 - the word of the field
    """The bytes are no such XML; the words tell the place, never what stands there."""


def encode_xml(text: str) -> bytes:
    """Write XML as GBK; characters that GBK lacks (䶮, 㛃) become references, which XML reads alike.

    Such a character must not stand in a CDATA section, where a reference would be text.
    """
    return f"{DECLARATION}{text}".encode(ENCODING, "xmlcharrefreplace")


def read_xml(content: bytes, kind: str) -> etree._Element:
    """Read XML of a kind strictly: GBK, no document type, nothing looked up, valid against the schema.

    Raises:
        XmlRefused: it is anything else.
    """
    begin = DECLARATION.encode("ascii")
    if not content.startswith(begin):
        raise XmlRefused(f"does not begin with {DECLARATION}")
    try:
        text = content.removeprefix(begin).decode(ENCODING)
    except UnicodeDecodeError as error:
        raise XmlRefused(f"no GBK at byte {error.start + len(begin)}") from None
    if "<!DOCTYPE" in text:
        raise XmlRefused("a document type")
    try:
        root = etree.fromstring(text.encode("utf-8"), _parser())
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise XmlRefused(f"not well-formed at line {line}, column {column}") from None
    refuse_invalid(root, kind)
    return root


def refuse_invalid(root: etree._Element, kind: str) -> None:
    """Hold XML against its schema.

    Raises:
        XmlRefused: it differs; told is the line of the first difference and its kind.
    """
    schema = _schema(kind)
    if not schema.validate(root):
        fault = schema.error_log[0]
        raise XmlRefused(f"line {fault.line} is not as {kind}.xsd says ({fault.type_name})")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        # A district may fill more than the ten million characters of one text; without a document type
        # nothing in a file grows, and its own size is known.
        huge_tree=True,
    )


@lru_cache(maxsize=2)
def _schema(kind: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(FOLDER / f"{kind}.xsd"))
