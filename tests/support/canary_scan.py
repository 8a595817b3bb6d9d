"""Look for strings of persons where none may be: in files, their names, archives, and a database."""

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.engine import Connection

ENCODINGS = ("utf-8", "gb18030", "utf-16-le")


def forms_of(value: str) -> set[bytes]:
    """Tell how a value may be spelled: encodings, JSON escapes, URL escapes, base64, hexadecimal."""
    plain = {value.encode(encoding) for encoding in ENCODINGS}
    escaped = json.dumps(value)[1:-1].encode()
    text = value.encode()
    twice = escaped.replace(b"\\", b"\\\\")
    return plain | {escaped, twice, quote(value).encode(), base64.b64encode(text), text.hex().encode()}


class CanaryScan:
    """Searches for a list of strings; tells where one was found, never which."""

    def __init__(self, values: Iterable[str]) -> None:
        self._forms = [form for value in values for form in forms_of(value)]

    def has(self, content: bytes) -> bool:
        """Tell whether any of the strings is in the content, in any form."""
        return any(form in content for form in self._forms)

    def in_folder(self, folder: Path) -> list[str]:
        """List the files below a folder that leak, by name or by content."""
        found = []
        for path in sorted(folder.rglob("*")):
            if self.has(str(path.relative_to(folder)).encode()):
                found.append(f"the name of a file in {folder.name}")
            if path.is_file() and not path.is_symlink() and any(map(self.has, _contents_of(path))):
                found.append(f"{folder.name}/{path.relative_to(folder)}")
        return found

    def in_database(self, connection: Connection) -> list[str]:
        """List the columns of a database that leak: every column of every table, as text and as bytes."""
        inspector = sa.inspect(connection)
        found = []
        for table in inspector.get_table_names():
            for column in sa.Table(table, sa.MetaData(), autoload_with=connection).columns:
                rows = connection.execute(sa.select(column).where(column.is_not(None)))
                if any(self.has(_as_bytes(value)) for (value,) in rows):
                    found.append(f"{table}.{column.name}")
        return found


def _contents_of(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pylist()).encode()
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield member.encode()
                yield archive.read(member)


def _as_bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, ensure_ascii=False, default=str).encode()
