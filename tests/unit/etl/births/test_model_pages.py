"""Pictures and pages of a model: bands hold what fell into them, and nothing outside is asked for."""

import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.settings import Settings
from etl.births.calibration import CalibrationBand, calibrate, pooled, read_bands, told_bands
from etl.births.explanation_table import shown_probability, shown_value
from etl.births.model import model_on
from etl.births.model_charts import calibration_chart, match_weights_chart
from etl.births.model_doc import district_rows
from etl.births.model_page import model_page

TODAY = date(2026, 6, 1)
JUDGED = [
    # probability, is one child
    (0.0, False),
    (0.0005, False),
    (0.049, False),
    (0.05, True),
    (0.06, False),
    (0.999, True),
    (1.0, True),
    (1.0, True),
]


def bands() -> tuple[CalibrationBand, ...]:
    judged = pa.table({"probability": [p for p, _ in JUDGED], "is_one": [one for _, one in JUDGED]})
    return calibrate(Settings(var=Path("nowhere")), judged, TODAY)


def test_every_judged_pair_falls_into_one_band_and_thresholds_are_edges() -> None:
    found = [(band.least, band.most, band.pairs, band.ones) for band in bands()]
    assert found == [
        (0.0, 0.001, 2, 0),
        (0.001, 0.05, 1, 0),
        (0.05, 0.25, 2, 1),
        (0.999, 0.9999, 1, 1),
        (0.9999, 1.0, 2, 2),
    ]
    assert read_bands(told_bands(bands())) == bands()


def test_bands_of_several_counts_are_added_and_predictions_weighed() -> None:
    one, other = CalibrationBand(0.0, 0.5, 1, 0.1, 0), CalibrationBand(0.0, 0.5, 3, 0.3, 1)
    last = CalibrationBand(0.5, 1.0, 2, 0.9, 2)
    first, second = pooled([(one,), (last,), (other,)])
    assert (first.pairs, first.ones, second) == (4, 1, last)
    assert first.predicted == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("pairs", "ones", "least", "most"),
    # Wilson's interval for 95 %, as tables give it.
    [(10, 10, 0.7225, 1.0), (10, 0, 0.0, 0.2775), (100, 50, 0.4038, 0.5962)],
)
def test_an_interval_is_told_for_none_and_for_all_too(
    pairs: int, ones: int, least: float, most: float
) -> None:
    found = CalibrationBand(0.0, 1.0, pairs, 0.5, ones).interval
    assert found == pytest.approx((least, most), abs=0.0001)


def test_pictures_are_whole_and_show_every_level_and_band() -> None:
    model = model_on(TODAY)
    weights = match_weights_chart(model)
    words = "".join(ET.fromstring(weights).itertext())  # noqa: S314 - our own
    for comparison in model.comparisons:
        assert comparison.description in words
        for level in comparison.levels:
            assert f"{level.weight:+.1f}" in words
    calibration = "".join(ET.fromstring(calibration_chart("c", bands(), 0.05, 0.999)).itertext())  # noqa: S314
    for told in ("0/2", "0/1", "1/2", "1/1", "2/2"):
        assert told in calibration


def test_a_page_is_the_same_bytes_and_asks_nobody_outside() -> None:
    page = model_page(model_on(TODAY), TODAY)
    assert page == model_page(model_on(TODAY), TODAY)
    told = page.replace("http://www.w3.org/2000/svg", "")
    for outside in ("http:", "https:", "<script", "<link", "@import", "url("):
        assert outside not in told


@pytest.mark.parametrize(
    ("probability", "told"),
    [(1.0, "> 1 − 10⁻¹²"), (0.0, "< 10⁻¹²"), (1 / 3, "33.3%"), (0.99951, "99.951%"), (0.0123, "1.2%")],
)
def test_probabilities_near_none_and_all_can_be_told_apart(probability: float, told: str) -> None:
    assert shown_probability(probability) == told


def test_what_no_mask_is_declared_for_is_hidden() -> None:
    assert shown_value("something_new", "value", masked=True) == "***"
    assert shown_value("something_new", None, masked=True) == ""
    assert shown_value("certificate_numbers", ["A110000001", "A110000002"], masked=True) == (
        "******0001, ******0002"
    )


def test_districts_are_named_and_told_with_intervals_and_who_lives_nowhere_too() -> None:
    counts = {"known_to_both": 100, "automatic": 51, "true": 50}
    nowhere, district = district_rows({"": counts, "110105": counts}, TODAY)
    assert district[:4] == ("朝阳区", "100", "51", "1")
    assert district[5] == "50.000% (40.383% – 59.617%)"
    assert nowhere == ("–", *district[1:])
