"""Splink as shipped: it trains on the two sides, scores every blocked pair, and links one to one."""

from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from tests.benchmark.linkage import links_told
from tests.benchmark.peers.sides import MCH_SIDE, POPULATION_SIDE

SETTINGS = SettingsCreator(
    link_type="link_only",
    comparisons=[
        cl.ExactMatch("certificate_number"),
        cl.DamerauLevenshteinAtThresholds("mother_id_number", [1, 2]),
        cl.AbsoluteDateDifferenceAtThresholds(
            "birth_date", input_is_string=False, metrics=["day", "day"], thresholds=[1, 31]
        ),
        cl.ExactMatch("sex_code"),
        cl.ExactMatch("plural_order"),
        cl.ExactMatch("parity"),
        cl.ExactMatch("mother_birth_date"),
        cl.DamerauLevenshteinAtThresholds("mother_name", [1]),
        cl.ExactMatch("mother_phone"),
    ],
    blocking_rules_to_generate_predictions=[
        block_on("certificate_number"),
        block_on("mother_id_number"),
        block_on("birth_date", "mother_birth_date"),
    ],
    retain_matching_columns=False,
)
LEAST = 0.9


def run(inputs: dict[str, Any]) -> list[tuple[str, int]]:
    connection = duckdb.connect()
    api = DuckDBAPI(connection)
    sides = []
    for name, text, files in (
        ("mch", MCH_SIDE, [inputs["mch_birth"]]),
        ("population", POPULATION_SIDE, [inputs["birth_child"], inputs["mother"]]),
    ):
        side = connection.execute(text, files).to_arrow_table()
        sides.append(api.register(side, dataset_display_name=name))
    linker = Linker(sides, SETTINGS, log_level="ERROR")
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("certificate_number"), block_on("mother_id_number", "birth_date", "sex_code")], recall=0.95
    )
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=7)
    training.estimate_parameters_using_expectation_maximisation(block_on("certificate_number"))
    training.estimate_parameters_using_expectation_maximisation(block_on("birth_date", "mother_birth_date"))
    pairs = linker.inference.predict(threshold_match_probability=LEAST).as_duckdbpyrelation()
    connection.register("pairs", pairs.to_arrow_table())
    return connection.execute(BEST).fetchall()


# One to one: a pair is linked if it is the best of both its sides.
BEST = """
    SELECT
        CASE WHEN source_dataset_l = 'mch' THEN unique_id_l ELSE unique_id_r END AS record_id,
        CAST(CASE WHEN source_dataset_l = 'mch' THEN unique_id_r ELSE unique_id_l END AS BIGINT)
            AS relation_id
    FROM pairs
    QUALIFY ROW_NUMBER() OVER (PARTITION BY record_id ORDER BY match_weight DESC, relation_id) = 1
        AND ROW_NUMBER() OVER (PARTITION BY relation_id ORDER BY match_weight DESC, record_id) = 1
"""


def answer(links: list[tuple[str, int]], inputs: dict[str, Any]) -> dict[str, Any]:
    return links_told(links, inputs)
