"""Rows of XML: `<dataset><row><column>…</column>…</row>…</dataset>`, streamed, no tree, no DTD.

A document type of any kind refuses the file, before an entity of it is read: nothing is looked up,
expanded or fetched. A row whose elements are not each a column, once, is malformed; the rest goes on. An
empty element is an empty field, and so is one that is not there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from etl.received.file import CHUNK, MOST_ROW_CHARACTERS, UTF_8, ReceivedFile
from etl.received.row import Row, has_control
from schemas.refusal import Refusal

ROW = "row"
LAYOUT = "<{dataset}> with <row> elements, in each the contract's columns, no attributes"
DECLARED = re.compile(r"""\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def xml_rows(file: ReceivedFile, text: Iterable[str]) -> Iterator[Row]:
    """Give the rows of an XML file as they come, in constant memory.

    Raises:
        Refusal: `xml_doctype`, `xml_unreadable` (not well-formed), `xml_differs` (another layout),
            `encoding_differs` (the XML declaration contradicts the manifest) or `line_too_long`.
    """
    target = _Target(file)
    # The text is decoded already: its declaration is compared, not believed.
    parser = etree.XMLParser(
        target=target,
        encoding=UTF_8,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
    )
    is_begin = True
    try:
        for part in _parts(text):
            if is_begin:
                _compare_declaration(file, part)
                is_begin = False
            parser.feed(part.encode(UTF_8))
            yield from target.taken()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(file, error) from None
    yield from target.taken()


def _parts(text: Iterable[str]) -> Iterator[str]:
    for chunk in text:
        for start in range(0, len(chunk), CHUNK):
            yield chunk[start : start + CHUNK]


def _compare_declaration(file: ReceivedFile, begin: str) -> None:
    declared = DECLARED.match(begin)
    if (declared[1].lower() if declared else UTF_8) != file.encoding:
        raise file.refusal(
            "encoding_differs",
            "an XML declaration of another encoding than the manifest declares",
            f'encoding="{file.encoding}" in the XML declaration',
        )


def _not_well_formed(file: ReceivedFile, error: etree.XMLSyntaxError) -> Refusal:
    # The parser's own words may hold a value; its place does not.
    line, column = error.position
    found = f"not well-formed XML at line {line}, column {column}"
    return file.refusal("xml_unreadable", found, LAYOUT.format(dataset=file.dataset))


class _Target:
    """What the parser tells: opened and closed elements and text. Holds one row at a time."""

    def __init__(self, file: ReceivedFile) -> None:
        self._file = file
        self._columns = frozenset(file.columns)
        self._rows: list[Row] = []
        self._depth = 0
        self._begin_row(is_good=True)

    def taken(self) -> list[Row]:
        """Hand over the rows that are whole."""
        rows, self._rows = self._rows, []
        return rows

    def _begin_row(self, *, is_good: bool) -> None:
        self._fields: dict[str, str] = {}
        self._text: list[str] = []
        self._is_good = is_good
        self._size = 0

    def doctype(self, *_: object) -> None:
        """Refuse what XML can do harm with."""
        raise self._file.refusal("xml_doctype", "a document type declaration", "XML without DTD and entities")

    def start(self, tag: str, attributes: Mapping[str, str], *_: object) -> None:
        """Open an element: the document, a row, a field, or one too many."""
        self._depth += 1
        if self._depth == 1:
            if tag != self._file.dataset or attributes:
                raise self._another_layout("a first element that is not the dataset's")
        elif self._depth == 2:
            self._begin_row(is_good=tag == ROW and not attributes)
        elif self._depth > 3 or tag not in self._columns or tag in self._fields or attributes:
            self._is_good = False
        self._text = []

    def data(self, text: str) -> None:
        """Take the text of a field; elsewhere there is only white space."""
        if self._depth == 3:
            self._size += len(text)
            self._text.append(text)
            if self._size > MOST_ROW_CHARACTERS:
                found = f"a row of more than {MOST_ROW_CHARACTERS} characters"
                raise self._file.refusal("line_too_long", found, "rows of the contract")
        elif text.strip():
            if self._depth == 1:
                raise self._another_layout("text between the rows")
            self._is_good = False

    def end(self, tag: str) -> None:
        """Close an element: a field is whole, or a row."""
        if self._depth == 3:
            value = "".join(self._text)
            self._is_good = self._is_good and not has_control(value)
            self._fields[tag] = value
        elif self._depth == 2:
            fields = self._fields
            row = tuple(fields.get(name, "") for name in self._file.columns) if self._is_good else None
            self._rows.append(row)
        self._depth -= 1

    def comment(self, _: str) -> None:
        """Pass over comments."""

    def pi(self, *_: object) -> None:
        """Pass over processing instructions."""

    def close(self) -> None:
        """End."""

    def _another_layout(self, found: str) -> Refusal:
        return self._file.refusal("xml_differs", found, LAYOUT.format(dataset=self._file.dataset))
