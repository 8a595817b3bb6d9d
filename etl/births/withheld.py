"""What a model makes of births whose certificate it is not shown: its result, and how well it is calibrated.

Nobody tells an installation which births are which. Certificates that both sides state do, nearly always:
a model that finds them again from everything else will find those without.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow.compute as pc

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.births.calibration import calibrate, told_bands
from etl.births.linkage import Sides, rated_pairs, scored_pairs
from etl.births.model import LinkageModel

CERTIFICATE = "certificate_numbers"


def result_without_certificates(
    settings: Settings, sides: Sides, model: LinkageModel, certain_pairs: int, business_date: date
) -> dict[str, Any]:
    """Link all births by a model without the certificate, and count what certificates say about it.

    `certain_pairs` are those that a certificate links; of them `found` are linked automatically by the rest.
    `contradicted` are automatic links whose certificates differ. A pair with a side that states none counts
    nowhere.
    """
    blinded = replace(
        model, comparisons=tuple(each for each in model.comparisons if each.name != CERTIFICATE)
    )
    rated = rated_pairs(settings, scored_pairs(settings, sides, blinded, business_date), business_date)
    judged = run_sql(settings, "births/withheld_pair", {"rated_pair": rated})
    automatic = judged.filter(judged["is_automatic"])
    found = pc.sum(automatic["is_one"]).as_py() or 0
    return {
        "withheld": CERTIFICATE,
        "certain_pairs": certain_pairs,
        "found": found,
        "contradicted": automatic.num_rows - found,
        "calibration": told_bands(calibrate(settings, judged, business_date)),
    }
