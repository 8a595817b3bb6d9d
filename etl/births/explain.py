"""Explain to a steward why a birth and a child were linked, are to be looked at, or were left apart.

What is explained is what was recorded: births are folded, paired and weighed again from the dataset versions
and by the model that the findings on record cite, and what comes out must be what is on record. Explanations
hold personal values; they belong on the steward's screen and nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.engine import Relation, run_sql
from connectors.lake import DatasetVersion, made_on, version_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.births.fold import folded_births, population_children
from etl.births.linkage import Linkage, linkage_of, open_sides, weighed_pairs
from etl.births.model import CITED, LinkageModel, ModelComparison, cited_model
from etl.births.reach import within_reach
from etl.births.verdicts import standing_verdicts, verdicts_before
from schemas.refusal import Refusal

MATCHES = "core.birth_match"
BY_MODEL = "model"
STAGED = ("mch_birth", "family_child", "population_person")
# Of a birth that was left alone: the likeliest partners.
MOST_PAIRS = 5

Row = dict[str, Any]


@dataclass(frozen=True)
class Compared:
    """One comparison of a pair; `level` and `weight` are None where a side states nothing."""

    name: str
    description: str
    birth_value: Any = field(repr=False)
    child_value: Any = field(repr=False)
    level: str | None
    weight: float
    # What of the weight is due to the rarity of the name.
    rarity: float


@dataclass(frozen=True)
class ExplainedPair:
    """A birth and a child held against each other.

    `pass_name` is the pass that linked them; `decision` one of linked, review, outrated, left. The model's
    figures stand beside a link of an exact pass too, which does without them: `probability` is None there.
    """

    mch_record_id: str
    relation_id: int
    pass_name: str | None
    decision: str
    compared: tuple[Compared, ...]
    match_weight: float
    alone: float
    rivals: int
    probability: float | None
    band_code: str | None


@dataclass(frozen=True)
class LinkExplanation:
    """Why a finding about a birth is what it is, and what it rests on."""

    match_id: str
    class_code: str
    business_date: date
    matches: str
    inputs: tuple[str, ...]
    model: LinkageModel
    pairs: tuple[ExplainedPair, ...]


@dataclass(frozen=True)
class _Again:
    """The linkage of a night, done again."""

    births: pa.Table
    children: pa.Table
    staging: Mapping[str, Relation]
    model: LinkageModel
    linkage: Linkage


def explain_link(settings: Settings, business_date: date, match_id: str) -> LinkExplanation:
    """Explain the finding about a birth as known on a business date, pair by pair.

    A linked birth has one pair; one that is not linked the likeliest that the model weighed, if any.

    Raises:
        Refusal: nothing is on record of that birth, or what it rests on is not what it was.
    """
    with registry_session(settings) as connection:
        version = version_on(connection, MATCHES, business_date)
        made = made_on(connection, version, business_date)
        if made is None:
            raise _not_found(version)
        verdicts = verdicts_before(connection, made["business_date"])
    inputs = tuple(made["inputs"])
    finding = _finding(settings, version, match_id)
    again = _link_again(settings, inputs, verdicts, made["business_date"])
    pairs: tuple[ExplainedPair, ...]
    if finding["pass_name"] is not None:
        pairs = (_linked_pair(settings, again, finding, version),)
    else:
        pairs = tuple(_unlinked_pairs(again, finding))
    return LinkExplanation(
        match_id, finding["class_code"], made["business_date"], str(version), inputs, again.model, pairs
    )


def _finding(settings: Settings, version: DatasetVersion, match_id: str) -> Row:
    asked = "SELECT * FROM birth_match WHERE match_id = $match_id"
    found = run_sql(settings, asked, {"birth_match": version}, {"match_id": match_id}).to_pylist()
    if len(found) != 1:
        raise _not_found(version)
    return dict(found[0])


def _not_found(version: DatasetVersion) -> Refusal:
    return Refusal(
        "birth_not_found",
        found=f"no such finding in {version}",
        expected="the number of a finding (match_id) of that business date",
        to_do="take it from births.birth_match or from the subject of a task; give the date with --date",
    )


def _link_again(settings: Settings, inputs: Sequence[str], verdicts: pa.Table, business_date: date) -> _Again:
    staging = _cited_staging(inputs)
    model = _cited_model(inputs)
    births = folded_births(settings, staging, business_date).births
    near = within_reach(settings, staging, births, verdicts, business_date)
    children = population_children(settings, near)
    standing = standing_verdicts(settings, verdicts, births, children)
    linkage = linkage_of(settings, near, births, children, model, business_date, standing)
    return _Again(births, children, near, model, linkage)


def _cited_staging(inputs: Iterable[str]) -> dict[str, Relation]:
    cited = {text.rpartition("@")[0]: text for text in inputs}
    return {name: DatasetVersion.parse(cited[f"staging.{name}"]) for name in STAGED}


def _cited_model(inputs: Sequence[str]) -> LinkageModel:
    cited = [text for text in inputs if text.startswith(f"{CITED}.")]
    if len(cited) != 1:
        raise Refusal(
            "linkage_model_uncited",
            found=f"findings that cite {len(cited)} models",
            expected="findings of a night that cites the model it linked by",
            to_do="run the births of that date again (`padis run reconcile-births`)",
        )
    return cited_model(cited[0])


def _linked_pair(settings: Settings, again: _Again, finding: Row, version: DatasetVersion) -> ExplainedPair:
    pair = (finding["mch_record_id"], finding["relation_id"])
    link = next((link for link in again.linkage.links.to_pylist() if _pair(link) == pair), None)
    if link is None or link["pass_name"] != finding["pass_name"]:
        raise Refusal(
            "link_not_reproduced",
            found=f"{link['pass_name'] if link else 'no link'} from the versions that {version} cites",
            expected=f"the link that is on record, by {finding['pass_name']}",
            to_do="ask with the version of the program that ran that night; else report a defect",
        )
    if finding["pass_name"] == BY_MODEL:
        weighed = next(row for row in _rated_of(again, finding) if _pair(row) == pair)
        return _explained(again.model, weighed, "linked", BY_MODEL)
    return _explained(again.model, _weighed_alone(settings, again, pair), "linked", finding["pass_name"])


def _weighed_alone(settings: Settings, again: _Again, pair: tuple[str, int]) -> Row:
    """Weigh a pair that an exact pass linked, which the model was never shown."""
    record_id, relation_id = pair
    births = again.births.filter(pc.equal(again.births["mch_record_id"], record_id))
    children = again.children.filter(pc.equal(again.children["relation_id"], relation_id))
    nothing_linked = again.linkage.links.slice(0, 0)
    sides = open_sides(settings, again.staging, births, children, nothing_linked)
    met = pa.table({"birth_id": [record_id], "child_id": [str(relation_id)]})
    (weighed,) = weighed_pairs(settings, sides, met, again.model).to_pylist()
    return {**weighed, "probability": None, "rivals": 0, "band_code": "automatic"}


def _unlinked_pairs(again: _Again, finding: Row) -> Iterable[ExplainedPair]:
    asked = {_pair(link) for link in again.linkage.links.to_pylist() if link["band_code"] == "review"}
    likeliest = sorted(_rated_of(again, finding), key=lambda row: (-row["probability"], _pair(row)))
    for row in likeliest[:MOST_PAIRS]:
        decision = "left" if row["band_code"] is None else "review" if _pair(row) in asked else "outrated"
        yield _explained(again.model, row, decision, None)


def _rated_of(again: _Again, finding: Row) -> list[Row]:
    """Select the rated pairs in which the birth or the child of a finding stands."""
    is_of = pc.or_(
        pc.fill_null(
            pc.equal(again.linkage.rated["mch_record_id"], finding["mch_record_id"]), fill_value=False
        ),
        pc.fill_null(pc.equal(again.linkage.rated["relation_id"], finding["relation_id"]), fill_value=False),
    )
    return list(again.linkage.rated.filter(is_of).to_pylist())


def _pair(row: Row) -> tuple[str, int]:
    return row["mch_record_id"], row["relation_id"]


def _explained(model: LinkageModel, row: Row, decision: str, pass_name: str | None) -> ExplainedPair:
    odds = 2.0 ** row["match_weight"]
    return ExplainedPair(
        row["mch_record_id"],
        row["relation_id"],
        pass_name,
        decision,
        tuple(_compared(comparison, row) for comparison in model.comparisons),
        row["match_weight"],
        odds / (1 + odds),
        row["rivals"],
        row["probability"],
        row["band_code"],
    )


def _compared(comparison: ModelComparison, row: Row) -> Compared:
    name = comparison.name
    place, weight = row[f"level_of_{name}"], row[f"weight_of_{name}"]
    level = None if place is None else comparison.levels[place]
    return Compared(
        name,
        comparison.description,
        row[f"{name}_l"],
        row[f"{name}_r"],
        level.label if level else None,
        weight,
        weight - level.weight if level and level.shares else 0.0,
    )
