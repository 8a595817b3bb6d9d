"""Situations and surviving values of one birth by hand: slow, obvious Python without SQL."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

Row = Mapping[str, Any]
Winner = tuple[str, str | None]  # who wins, what survives


def winners(birth: Sequence[Row], child: Row) -> dict[str, Winner]:
    """Tell who wins each field of a birth that both sides know; the record that speaks for it is first."""
    head = birth[0]
    days = head["born_at"].date(), child["child_birth_date"]
    newest = next((row["birth_certificate_number"] for row in birth if row["birth_certificate_number"]), None)
    chain = {
        row[name] for row in birth for name in ("birth_certificate_number", "previous_certificate_number")
    }
    own = child["birth_certificate_number"]
    real = next((row["child_name"] for row in birth if is_real(row["child_name"])), None)
    shown = real or next((row["child_name"] for row in birth if row["child_name"]), None)
    weight = next((row["weight_g"] for row in birth if row["weight_g"] is not None), None)
    return {
        "birth_date": _winner(*map(str, days), "mch" if abs((days[0] - days[1]).days) <= 1 else "review"),
        "sex": _winner(*(_stated(side["child_sex_code"]) for side in (head, child)), "mch"),
        "parity": _winner(_text(head["parity"]), _text(child["parity"]), "review"),
        "certificate": _winner(newest, own, "mch" if own in chain else "review"),
        "child_name": _winner(
            real, child["child_name"] if is_real(child["child_name"]) else None, "population",
            (child["child_name"], shown),
        ),
        "weight": _winner(_text(weight), None, "mch"),
    }  # fmt: skip


def is_real(name: str | None) -> bool:
    return bool(name) and not str(name).endswith(("之子", "之女"))


def situations(birth: Sequence[Row], child: Row | None, today: date) -> set[str]:
    """Tell in which situations a living birth is that MCH knows, its mother known or of Beijing."""
    found = set() if child else {"missing_in_population"}
    born = birth[0]["born_at"].date()
    days = (min(row["reported_at"] for row in birth).date() - born).days
    if days > 30:
        found.add("very_late" if days >= 365 else "late")
    again = [row for row in birth if _replaces(row)]
    if again:
        found.add("reissued")
    if len(birth) - len(again) > 1:
        found.add("reported_twice")
    orders = [
        side[name] or 1 for side in (birth[0], child or {}) for name in ("plural_order",) if name in side
    ]
    if max(orders) > 1:
        found.add("multiple")
    if child is None:
        return found
    won = winners(birth, child)
    both = {
        "birth_date": (str(born), str(child["child_birth_date"])),
        "sex": (_stated(birth[0]["child_sex_code"]), _stated(child["child_sex_code"])),
    }
    if any(won[name][0] == "mch" and None not in pair for name, pair in both.items()):
        found.add("conflict")
    if any(winner == "review" for winner, _ in won.values()):
        found.add("review")
    if won["child_name"][0] == "none" and (today - born).days > 30 and child["is_alive"]:
        found.add("unnamed")
    return found


def _replaces(row: Row) -> bool:
    older = row["previous_certificate_number"]
    return row["issue_kind_code"] != "1" or (older is not None and older != row["birth_certificate_number"])


def _winner(
    mch: str | None,
    population: str | None,
    if_differing: str,
    shown: tuple[str | None, str | None] = (None, None),
) -> Winner:
    if mch is None and population is None:
        return "none", shown[0] or shown[1]
    if population is None:
        return "mch", mch
    if mch is None:
        return "population", population
    if mch == population:
        return "both", mch
    return if_differing, mch if if_differing == "mch" else population


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _stated(sex: str) -> str | None:
    return sex if sex in ("1", "2") else None
