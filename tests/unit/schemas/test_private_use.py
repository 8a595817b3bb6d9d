"""The table of moved characters holds against what others made of the same standard."""

import csv

from schemas.private_use import TABLE, moved_characters


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_python_decodes_what_moved_in_2000_to_the_public_character() -> None:
    moved = [row for row in rows() if row["since"] == "2000"]
    assert len(moved) == 67
    for row in moved:
        assert bytes.fromhex(row["gb_code"]).decode("gb18030") == chr(int(row["character"], 16)), row


def test_what_moved_later_was_private_until_then() -> None:
    later = [row for row in rows() if row["since"] != "2000"]
    # 24 positions of GB 18030-2022, and A8BC of GB 18030-2005.
    assert len(later) == 24 + 1
    for row in later:
        assert bytes.fromhex(row["gb_code"]).decode("gb18030") == chr(int(row["private_use"], 16)), row


def test_every_private_character_has_one_public_one() -> None:
    moved = moved_characters()
    assert len(moved) == len(set(moved.values())) == len(rows())
    assert all(
        "\ue000" <= private <= "\uf8ff" < public or public < "\ue000" for private, public in moved.items()
    )
    assert moved["\ue863"] == "䶮"
