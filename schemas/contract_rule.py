"""Rules of a contract: those written in it, and those that its properties imply.

A rule's predicate is SQL over the conformed row; TRUE means that the promise was kept and NULL
counts as kept. Structural promises imply rules by themselves:

| promise            | rule                  | severity                                |
|--------------------|-----------------------|-----------------------------------------|
| required           | `<name>_missing`      | reject                                  |
| key                | `<name>_repeated`     | reject; the newest row of a key is kept |
| type is not text   | `<name>_unreadable`   | reject if required, else warn           |
| code set           | `<name>_unknown_code` | reject if required, else warn           |
| pattern            | `<name>_malformed`    | reject if required, else warn           |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from open_data_contract_standard.model import DataQuality, SchemaObject
from sqlglot import exp

from schemas.contract_file import custom_value, refuse_contract
from schemas.property import Property

SEVERITIES = ("reject", "warn", "halt")
# The standard's dimensions, and the commission's goal each of them serves.
GOALS = {
    "completeness": "完整性 · completeness",
    "coverage": "完整性 · completeness",
    "accuracy": "正确性 · correctness",
    "consistency": "正确性 · correctness",
    "uniqueness": "正确性 · correctness",
    "conformity": "合规性 · compliance",
    "timeliness": "合规性 · compliance",
}


@dataclass(frozen=True)
class Rule:
    """One promise that can be broken.

    `kind` is one of missing, repeated, unreadable, unknown_code, malformed (implied by a property),
    predicate (written), reader (judged while reading) or row_count (of the dataset). `is_repaired`
    says that conforming mends what the rule found: the staged row has the fault no more.
    """

    id: str
    kind: str
    dimension: str
    severity: str
    message: str
    column: str | None = None
    predicate: str | None = None
    limit: float | None = None
    is_share_of_previous: bool = False
    is_repaired: bool = False


def rules_of(path: Path, schema: SchemaObject, properties: tuple[Property, ...]) -> tuple[Rule, ...]:
    """List the rules of a dataset: implied ones by property, then written ones.

    Raises:
        Refusal: a rule that we cannot judge, or two rules of one id.
    """
    rules = [rule for entry in properties for rule in _implied(entry)]
    for entry in schema.properties or []:
        typed = entry.logicalType != "string"
        rules += [_written(path, quality, entry.name, typed) for quality in entry.quality or []]
    rules += [_written(path, quality, None) for quality in schema.quality or []]
    ids = [rule.id for rule in rules]
    repeated = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    if repeated:
        raise refuse_contract(path, f"rule {', '.join(repeated)} twice", "each rule once")
    return tuple(rules)


def _implied(entry: Property) -> Iterator[Rule]:
    chinese, _, english = entry.description.partition(" · ")
    strict = "reject" if entry.is_required else "warn"
    is_typed = entry.logical_type != "string" and entry.physical_name is not None
    column = exp.column(entry.name)
    readable = exp.not_(exp.column(f"is_unreadable_{entry.name}"))

    def implied(
        kind: str, dimension: str, severity: str, told: tuple[str, str], kept: str | exp.Expr
    ) -> Rule:
        predicate = kept if isinstance(kept, str) else kept.sql("duckdb")
        message = f"{chinese}{told[0]} · {told[1]}: {english}"
        return Rule(f"{entry.name}_{kind}", kind, dimension, severity, message, entry.name, predicate)

    if entry.is_required:
        # What was sent but cannot be read is not missing.
        told = ("缺失", "missing")
        present = exp.not_(exp.Is(this=column, expression=exp.null()))
        kept = exp.or_(present, exp.not_(readable)) if is_typed else present
        yield implied("missing", "completeness", "reject", told, kept)
    if entry.is_key:
        told = ("重复,保留最新一行", "repeated, only the newest row is kept")
        yield implied("repeated", "uniqueness", "reject", told, f"{entry.name} IS NULL OR newness = 1")
    if is_typed:
        told = ("无法读取", f"no {entry.logical_type}")
        yield implied("unreadable", "conformity", strict, told, readable)
    if entry.codes:
        told = ("不在代码表内", "not in its code set")
        yield implied("unknown_code", "conformity", strict, told, column.isin(*entry.codes))
    if entry.pattern:
        told = ("格式错误", "malformed")
        matches = exp.RegexpLike(this=column, expression=exp.Literal.string(entry.pattern))
        yield implied("malformed", "conformity", strict, told, matches)


def _written(path: Path, quality: DataQuality, column: str | None, typed: bool = False) -> Rule:
    if quality.severity not in SEVERITIES or quality.dimension not in GOALS or not quality.id:
        raise refuse_contract(path, f"rule {quality.id}", "an id, a severity and a dimension")
    kind, predicate, limit = _judgement(path, quality, column)
    if quality.metric == "nullValues" and typed:
        predicate = f"{predicate} OR is_unreadable_{column}"
    return Rule(
        id=quality.id,
        kind=kind,
        dimension=quality.dimension,
        severity=quality.severity,
        message=str(quality.description),
        column=column,
        predicate=predicate,
        limit=limit,
        is_share_of_previous=quality.unit == "percent",
        is_repaired=custom_value(quality.customProperties, "repairedBy") == "conforming",
    )


def _judgement(path: Path, quality: DataQuality, column: str | None) -> tuple[str, str | None, float | None]:
    match quality.type, quality.engine or quality.metric:
        case "custom", "row":
            return "predicate", str(quality.implementation), None
        case "custom", "reader":
            return "reader", None, None
        case "library", "nullValues" if column is not None:
            return "predicate", f"{column} IS NOT NULL", None
        case "library", "rowCount" if quality.mustBeGreaterThan is not None:
            return "row_count", None, quality.mustBeGreaterThan + 1
        case "library", "rowCount" if quality.mustBeGreaterOrEqualTo is not None:
            return "row_count", None, quality.mustBeGreaterOrEqualTo
    raise refuse_contract(path, f"rule {quality.id}", "a row predicate, nullValues or rowCount")
