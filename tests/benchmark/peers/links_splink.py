"""Splink as shipped, on two flat sides: its own comparisons and training, links one to one."""

from collections.abc import Callable
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from tests.benchmark.linkage import links_told
from tests.benchmark.peers.set_ups import BLOCKS, LEAST

Links = list[tuple[str, str]]


def _city() -> dict[str, Any]:
    documents = ("mother_document", "father_document")
    return {
        "comparisons": [
            cl.ArrayIntersectAtSizes("certificate_numbers", [1]),
            cl.AbsoluteDateDifferenceAtThresholds(
                "birth_date", input_is_string=False, metrics=["day", "day"], thresholds=[1, 31]
            ),
            *(cl.DamerauLevenshteinAtThresholds(column, [1, 2]) for column in documents),
            *(cl.DamerauLevenshteinAtThresholds(f"{who}_name", [1]) for who in ("child", "mother", "father")),
            *(
                cl.ExactMatch(column)
                for column in ("sex_code", "plural_order", "parity", "mother_phone", "mother_division")
            ),
            *(
                cl.DateOfBirthComparison(f"{who}_birth_date", input_is_string=False)
                for who in ("mother", "father")
            ),
        ],
        "certain": [block_on("certificate_number"), block_on("mother_document", "birth_date", "sex_code")],
        "recall": 0.95,
        "train": [block_on("certificate_number"), block_on("birth_date", "mother_birth_date")],
    }


def _febrl4() -> dict[str, Any]:
    return {
        "comparisons": [
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number"),
            cl.JaroWinklerAtThresholds("address_1"),
            cl.JaroWinklerAtThresholds("suburb"),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
        ],
        "certain": [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")],
        "recall": 0.9,
        "train": [block_on("date_of_birth"), block_on("postcode")],
    }


SET_UPS: dict[str, Callable[[], dict[str, Any]]] = {"city": _city, "febrl4": _febrl4}


def run(inputs: dict[str, Any]) -> Links:
    """Train on both sides, score what the blocks bring together, keep the best of both sides."""
    set_up = SET_UPS[inputs["set_up"]]()
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=set_up["comparisons"],
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in BLOCKS[inputs["set_up"]]],
        retain_matching_columns=False,
    )
    connection = duckdb.connect()
    api = DuckDBAPI(connection)
    sides = [
        api.register(connection.read_parquet(inputs[name]).to_arrow_table(), dataset_display_name=name)
        for name in ("one", "other")
    ]
    linker = Linker(sides, settings, log_level="ERROR")
    training = linker.training
    training.estimate_probability_two_random_records_match(set_up["certain"], recall=set_up["recall"])
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=7)
    for rule in set_up["train"]:
        training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=LEAST).as_duckdbpyrelation()
    connection.register("pairs", pairs.to_arrow_table())
    return connection.execute(BEST).fetchall()


BEST = """
    SELECT
        CASE WHEN source_dataset_l = 'one' THEN unique_id_l ELSE unique_id_r END AS one_id,
        CASE WHEN source_dataset_l = 'one' THEN unique_id_r ELSE unique_id_l END AS other_id
    FROM pairs
    QUALIFY ROW_NUMBER() OVER (PARTITION BY one_id ORDER BY match_weight DESC, other_id) = 1
        AND ROW_NUMBER() OVER (PARTITION BY other_id ORDER BY match_weight DESC, one_id) = 1
"""


def answer(links: Links, inputs: dict[str, Any]) -> dict[str, Any]:
    """Tell how good the links are."""
    return links_told(links, inputs)
