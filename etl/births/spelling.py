"""How names sound: pinyin without tones."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

BEARERS = ("child", "mother", "father")


def with_spellings(rows: pa.Table, endings: Sequence[str] = ("",)) -> pa.Table:
    """Put `<bearer>_spelling<ending>` beside every `<bearer>_name<ending>`; no name is spelt twice."""
    columns = [(f"{bearer}_name{end}", f"{bearer}_spelling{end}") for bearer in BEARERS for end in endings]
    names = {name: rows[name].to_pylist() for name, _ in columns}
    spelt = _spelt({name for column in names.values() for name in column if name is not None})
    for name, spelling in columns:
        rows = rows.append_column(spelling, pa.array([spelt.get(each) for each in names[name]], pa.string()))
    return rows


def _spelt(names: Iterable[str]) -> dict[str | None, str]:
    different = list(names)
    if not different:
        return {}
    # Reading its dictionary takes a third of a second: only where there are names.
    from pypinyin import lazy_pinyin

    return {name: " ".join(lazy_pinyin(name)) for name in different}
