"""What is known of a received file before it is read, and how it is refused."""

from dataclasses import dataclass
from pathlib import Path

from schemas.contract import Contract
from schemas.drop_source import MOST_FILE_BYTES
from schemas.refusal import Refusal

UTF_8 = "utf-8"
ENCODINGS = (UTF_8, "gbk", "gb18030")
# Of one row: a line of a CSV, all fields of an XML row.
MOST_ROW_CHARACTERS = 1024 * 1024
CHUNK = 64 * 1024


@dataclass(frozen=True)
class ReceivedFile:
    """A file in our hands and what its manifest declares; its ending tells the format."""

    path: Path
    name: str
    dataset: str
    columns: tuple[str, ...]
    encoding: str = UTF_8
    most_bytes: int = MOST_FILE_BYTES

    @property
    def ending(self) -> str:
        """Tell the format that the name promises: csv, xml or zip."""
        return Path(self.name).suffix.removeprefix(".")

    def refusal(self, code: str, found: str, expected: str) -> Refusal:
        """Make the refusal of the whole file; `found` never holds anything of its content."""
        return Refusal(
            code,
            found=f"{self.name}: {found}",
            expected=expected,
            to_do="ask the partner for a file by the contract; do not edit the file",
        )


def received_file(
    contract: Contract, path: Path, name: str, encoding: str | None, most_bytes: int = MOST_FILE_BYTES
) -> ReceivedFile:
    """Describe a file of a dataset; where nothing was declared it is UTF-8."""
    return ReceivedFile(path, name, contract.name, contract.received_columns, encoding or UTF_8, most_bytes)
