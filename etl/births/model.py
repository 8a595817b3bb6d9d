"""The trained model of births as an artefact, and the query that it compiles to.

An artefact is a JSON file under `policy/births/models/`, named once and never changed: comparisons with
levels, each with m (how often it holds of one child) and u (of two strangers), the prior, who trained it
on what, and with which result. Which one is in force on a day is a policy value, `name@digest`.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.policy import POLICY, load_parameter
from schemas.refusal import Refusal

MODELS = POLICY / "births" / "models"
# What artefacts are written and read as; another layout gets another number.
FORMAT = 1
CITED = "linkage_model"


@dataclass(frozen=True)
class ModelLevel:
    """A level with its probabilities; `condition` is None for everything else."""

    label: str
    condition: str | None
    m: float
    u: float
    shares: str | None = None

    @property
    def weight(self) -> float:
        """Match weight: by how many doublings the level speaks for one child."""
        return math.log2(self.m / self.u)


@dataclass(frozen=True)
class ModelComparison:
    """A comparison as trained; the last level is everything else."""

    name: str
    description: str
    missing: str
    levels: tuple[ModelLevel, ...]


@dataclass(frozen=True)
class LinkageModel:
    """A trained model: `prior` is the probability that a birth and a child drawn blindly are one."""

    name: str
    prior: float
    comparisons: tuple[ModelComparison, ...]
    training: Mapping[str, Any]
    result: Mapping[str, Any]
    digest: str

    @property
    def version(self) -> str:
        """Name and digest, as the inputs of what was linked by it cite it."""
        return f"{CITED}.{self.name}@{self.digest}"

    @property
    def prior_weight(self) -> float:
        """Match weight before anything is compared."""
        return math.log2(self.prior / (1 - self.prior))


def model_on(day: date) -> LinkageModel:
    """Tell the model in force on a day.

    Raises:
        Refusal: no model is in force, or its artefact cannot be used.
    """
    return cited_model(f"{CITED}.{load_parameter('births/linkage_model').on(day)}")


def cited_model(version: str, folder: Path = MODELS) -> LinkageModel:
    """Read the model of a version `linkage_model.name@digest`, and no other that bears its name.

    Raises:
        Refusal: there is no such artefact, or it is not the one that was cited.
    """
    name, _, digest = version.removeprefix(f"{CITED}.").partition("@")
    model = load_model(folder / f"{name}.json")
    if (model.name, model.digest) != (name, digest):
        raise Refusal(
            "linkage_model_differs",
            found=f"{name}.json holds {model.name}@{model.digest}",
            expected=f"{name}@{digest}, as it was cited",
            to_do="restore the file from the history of the project: an artefact never changes",
        )
    return model


def load_model(path: Path) -> LinkageModel:
    """Read an artefact.

    Raises:
        Refusal: there is no such file, or it is no artefact of a model.
    """
    try:
        written = path.read_bytes()
        told = json.loads(written)
        if told["format"] != FORMAT:
            raise _refused(path, f"format {told['format']}")
        comparisons = compared_as(told["comparisons"])
        model = LinkageModel(
            told["name"],
            told["prior"]["probability"],
            comparisons,
            told["training"],
            told["result"],
            hashlib.sha256(written).hexdigest()[:16],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refused(path, type(error).__name__) from None
    levels = [level for comparison in comparisons for level in comparison.levels]
    if not 0 < model.prior < 1 or not all(0 < level.m <= 1 and 0 < level.u <= 1 for level in levels):
        raise _refused(path, "a probability that is not between 0 and 1")
    return model


def compared_as(told: Sequence[Mapping[str, Any]]) -> tuple[ModelComparison, ...]:
    """Read the comparisons of an artefact."""
    return tuple(
        ModelComparison(
            entry["name"],
            entry["description"],
            entry["missing"],
            tuple(ModelLevel(**level) for level in entry["levels"]),
        )
        for entry in told
    )


def _refused(path: Path, found: str) -> Refusal:
    return Refusal(
        "linkage_model_unusable",
        found=f"{path.name}: {found}",
        expected=f"an artefact of format {FORMAT} as `padis births train` writes it",
        to_do="restore the file, or name another one in policy/births/linkage_model.yaml",
    )


def scoring_query(model: LinkageModel) -> str:
    """Compile a model into one SELECT over `candidate_pair`: the level of each comparison, and the weights.

    A level is its place in the comparison, NULL where a side states nothing.
    """
    levels = ",\n        ".join(_level_column(comparison) for comparison in model.comparisons)
    weights = ",\n        ".join(_weight_column(comparison) for comparison in model.comparisons)
    total = " + ".join([_number(model.prior_weight), *(f"weight_of_{c.name}" for c in model.comparisons)])
    return f"""-- births.scored_pair: one row per candidate pair with its weights, by the model {model.name}.
WITH levelled AS (
    SELECT
        *,
        {levels}
    FROM candidate_pair
),
weighed AS (
    SELECT
        *,
        {weights}
    FROM levelled
)
SELECT *, {total} AS match_weight
FROM weighed
ORDER BY mch_record_id, relation_id
"""  # noqa: S608 - compiled from an artefact of ours; no value of a row is in it


def _level_column(comparison: ModelComparison) -> str:
    cases = [f"WHEN {comparison.missing} THEN NULL"]
    cases += [
        f"WHEN {level.condition} THEN {place}"
        for place, level in enumerate(comparison.levels)
        if level.condition is not None
    ]
    return f"CASE {' '.join(cases)} ELSE {len(comparison.levels) - 1} END AS level_of_{comparison.name}"


def _weight_column(comparison: ModelComparison) -> str:
    cases = [f"WHEN {place} THEN {_level_weight(level)}" for place, level in enumerate(comparison.levels)]
    return f"CASE level_of_{comparison.name} {' '.join(cases)} ELSE 0 END AS weight_of_{comparison.name}"


def _level_weight(level: ModelLevel) -> str:
    if level.shares is None:
        return _number(level.weight)
    # Two strangers bear a rare name less often than names agree on the whole.
    rarity = f"{_number(math.log2(level.u))} - LOG2({level.shares}_share)"
    return f"{_number(level.weight)} + COALESCE({rarity}, 0)"


def _number(value: float) -> str:
    return f"CAST({value!r} AS DOUBLE)"


def artefact_of(
    name: str,
    comparisons: Sequence[Mapping[str, Any]],
    prior: Mapping[str, Any],
    training: Mapping[str, Any],
    result: Mapping[str, Any],
) -> str:
    """Write an artefact as text; equal contents give equal bytes."""
    told = {
        "format": FORMAT,
        "name": name,
        "training": training,
        "result": result,
        "prior": prior,
        "comparisons": comparisons,
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
