"""Characters that moved out of the private use area: GB 18030 gave them code points of their own."""

import csv
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).resolve().parent / "codes" / "gb18030_private_use.csv"


@lru_cache(maxsize=1)
def moved_characters() -> dict[str, str]:
    """Tell for each private character of GBK and GB 18030 the public one that stands for it since."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {chr(int(row["private_use"], 16)): chr(int(row["character"], 16)) for row in rows}
