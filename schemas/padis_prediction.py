"""How refusals are predicted: which groups of records are held against past answers, as data."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from schemas.refusal import Refusal
from schemas.strict_yaml import check_keys, read_yaml, refuse_file

PREDICTIONS = Path(__file__).resolve().parent / "padis" / "predictions"
# What is known of a record without a personal value.
FEATURES = ("subsystem", "operation", "district", "try")
# What comes before all rules: the same content of the same person was refused before.
SAME_AGAIN = "same_again"
NUMBERS = ("look_back_days", "least_answered", "name_from_percent")


@dataclass(frozen=True)
class PredictionRule:
    """A group of records that are expected to fare alike: those with the same features."""

    id: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class PredictionRules:
    """The rules of a receiver in the order in which they are asked, and how much they need."""

    receiver: str
    valid_from: date
    look_back_days: int
    least_answered: int
    name_from_percent: int
    rules: tuple[PredictionRule, ...]


@lru_cache(maxsize=16)
def load_prediction_rules(path: Path) -> PredictionRules:
    """Read the rules of a receiver.

    Raises:
        Refusal: a key is missing, a number is not positive, or a rule has no name of its own or another
            feature.
    """
    content = check_keys(path, "the rules", read_yaml(path), ("receiver", "valid_from", *NUMBERS, "rules"))
    rules = tuple(_rule(path, entry) for entry in content["rules"])
    names = [rule.id for rule in rules]
    numbers = [content[name] for name in NUMBERS]
    is_sound = (
        rules
        and len({*names, SAME_AGAIN}) == len(names) + 1
        and all(isinstance(number, int) and number > 0 for number in numbers)
        and content["name_from_percent"] <= 100
    )
    if not is_sound:
        raise _unusable(path)
    look_back_days, least_answered, name_from_percent = numbers
    return PredictionRules(
        str(content["receiver"]),
        content["valid_from"],
        look_back_days,
        least_answered,
        name_from_percent,
        rules,
    )


def _rule(path: Path, entry: object) -> PredictionRule:
    said = check_keys(path, "a rule", entry, ("id", "by"))
    by = tuple(map(str, said["by"]))
    if not by or len(set(by)) < len(by) or not set(by) <= set(FEATURES):
        raise _unusable(path)
    return PredictionRule(str(said["id"]), by)


def _unusable(path: Path) -> Refusal:
    return refuse_file(
        path,
        "prediction_rules_unusable",
        "rules cannot be used",
        f"rules with names of their own by some of {', '.join(FEATURES)}, and positive numbers",
        "correct the file",
    )


def prediction_rules_on(receiver: str, day: date, folder: Path = PREDICTIONS) -> PredictionRules | None:
    """Give the rules of a receiver in force on a day; None if it has none."""
    found = [load_prediction_rules(path) for path in sorted(folder.glob("*.yaml"))]
    valid = [rules for rules in found if rules.receiver == receiver and rules.valid_from <= day]
    return max(valid, key=lambda rules: rules.valid_from, default=None)
