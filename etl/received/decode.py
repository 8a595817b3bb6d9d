"""Decode a received file strictly, chunk by chunk: an encoding is declared, never guessed.

Bytes that are not in the declared encoding refuse the whole file. What it looks like instead is told to
the person who asks the partner; nothing is read by that guess.
"""

import codecs
from collections.abc import Iterable, Iterator

from etl.received.file import UTF_8, ReceivedFile
from schemas.refusal import Refusal

MARKS_OF_OTHERS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
# UTF-8 writes every Chinese character from here on with three bytes or more.
FIRST_OF_THREE_BYTES = "\u0800"


def decoded(file: ReceivedFile, chunks: Iterable[bytes]) -> Iterator[str]:
    """Decode the bytes of a file; a byte order mark at its beginning is left out.

    Raises:
        Refusal: `file_undecodable`: bytes that are not in the declared encoding, told by their place;
            `encoding_differs`: it can be read as declared, but only by mistake: all of it is UTF-8.
    """
    decoder = codecs.getincrementaldecoder(file.encoding)()
    watch = _Watch(file.encoding)
    fed, lines, is_begin = 0, 1, True
    for content, is_end in _with_end(chunks):
        begins_at = fed - len(decoder.getstate()[0])
        try:
            text = decoder.decode(content, final=is_end)
        except UnicodeDecodeError as error:
            raise _undecodable(file, error, begins_at, lines) from None
        watch.look(content, is_end)
        fed += len(content)
        lines += text.count("\n")
        if text:
            yield text.removeprefix("\ufeff") if is_begin else text
            is_begin = False
    if watch.is_utf_8:
        expected = f"{file.encoding.upper()}, as the manifest declares"
        raise file.refusal("encoding_differs", "the whole file is UTF-8", expected)


class _Watch:
    """Tells whether bytes declared otherwise are UTF-8 with Chinese text, which can pass for GBK."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(UTF_8)() if encoding != UTF_8 else None
        self._is_chinese = False

    def look(self, content: bytes, is_end: bool) -> None:
        if self._decoder is None:
            return
        try:
            text = self._decoder.decode(content, final=is_end)
        except UnicodeDecodeError:
            self._decoder = None
            return
        self._is_chinese = self._is_chinese or max(text, default="") >= FIRST_OF_THREE_BYTES

    @property
    def is_utf_8(self) -> bool:
        return self._decoder is not None and self._is_chinese


def _with_end(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield b"", True


def _undecodable(file: ReceivedFile, error: UnicodeDecodeError, begins_at: int, lines: int) -> Refusal:
    held: bytes = error.object
    line = lines + held.count(b"\n", 0, error.start)
    place = f"line {line} is not {file.encoding.upper()} at byte {begins_at + error.start} of the file"
    # In all three encodings a line break is one byte, so that what follows one begins with a character.
    since_line_break = held[held.rfind(b"\n", 0, error.start) + 1 :]
    return file.refusal(
        "file_undecodable",
        f"{place}; {_resemblance(since_line_break, file.encoding)}",
        f"{file.encoding.upper()}, as the manifest declares; other encodings are not guessed",
    )


def _resemblance(content: bytes, declared: str) -> str:
    """Say in words what bytes look like that are not in the declared encoding."""
    for mark, name in MARKS_OF_OTHERS.items():
        if content.startswith(mark):
            return f"it looks like {name}"
    if _can_be(content, declared):
        return "it ends within a character, as if cut off"
    for encoding in (UTF_8, "gbk", "gb18030"):
        if encoding != declared and _can_be(content, encoding):
            return f"it looks like {encoding.upper()}"
    return "it looks like no text in UTF-8, GBK or GB18030"


def _can_be(content: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(content)
    except UnicodeDecodeError:
        return False
    return True
