"""Hold predicted probabilities against what turned out: of pairs at 0.9, nine in ten are one child."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.births.linkage import MILLION
from schemas.policy import load_parameter

# 95 % of a normal distribution lie within so many standard deviations, on both sides together.
TWO_SIDED_95 = 1.96
EDGES_OF_OUR_OWN = (0.0, 0.001, 0.25, 0.5, 0.75, 0.95, 0.9999, 1.0)


@dataclass(frozen=True)
class CalibrationBand:
    """Pairs of a band of probability, [least, most): what was predicted, and how many are one child."""

    least: float
    most: float
    pairs: int
    predicted: float
    ones: int

    @property
    def observed(self) -> float:
        """Share of the pairs that are one child."""
        return self.ones / self.pairs

    @property
    def interval(self) -> tuple[float, float]:
        """Where that share lies with 95 % confidence."""
        return interval_of(self.ones, self.pairs)


def interval_of(ones: int, count: int) -> tuple[float, float]:
    """Tell where a share lies with 95 % confidence, after Wilson: it holds for none and for all too."""
    z2, share = TWO_SIDED_95**2, ones / count
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    reach = (
        TWO_SIDED_95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    )
    return max(0.0, middle - reach), min(1.0, middle + reach)


def calibrate(settings: Settings, judged: pa.Table, business_date: date) -> tuple[CalibrationBand, ...]:
    """Count judged pairs (`probability`, `is_one`) by band; the thresholds of the day are edges of bands."""
    thresholds = ("births/link_review_per_million", "births/link_automatic_per_million")
    of_policy = [load_parameter(name).on(business_date) / MILLION for name in thresholds]
    edges = sorted({*EDGES_OF_OUR_OWN, *of_policy})
    bands = pa.table({"least": edges[:-1], "most": edges[1:]})
    counted = run_sql(
        settings, "births/calibration", {"judged_pair": judged, "calibration_band": bands}
    ).to_pylist()
    return tuple(CalibrationBand(**row) for row in counted)


def pooled(found: Iterable[Sequence[CalibrationBand]]) -> tuple[CalibrationBand, ...]:
    """Add the pairs of several counts, band by band."""
    of_edges: dict[tuple[float, float], list[CalibrationBand]] = {}
    for bands in found:
        for band in bands:
            of_edges.setdefault((band.least, band.most), []).append(band)
    return tuple(_sum(of_edges[edges]) for edges in sorted(of_edges))


def _sum(bands: Sequence[CalibrationBand]) -> CalibrationBand:
    pairs = sum(band.pairs for band in bands)
    predicted = sum(band.predicted * band.pairs for band in bands) / pairs
    return CalibrationBand(bands[0].least, bands[0].most, pairs, predicted, sum(band.ones for band in bands))


def told_bands(bands: Sequence[CalibrationBand]) -> list[dict[str, Any]]:
    """Write bands as an artefact or evidence keeps them."""
    return [
        {
            "least": b.least,
            "most": b.most,
            "pairs": b.pairs,
            "predicted": round(b.predicted, 9),
            "ones": b.ones,
        }
        for b in bands
    ]


def read_bands(told: Sequence[Mapping[str, Any]]) -> tuple[CalibrationBand, ...]:
    """Read bands back."""
    return tuple(CalibrationBand(**band) for band in told)
