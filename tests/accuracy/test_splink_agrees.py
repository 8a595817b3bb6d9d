"""Our query and Splink, from one artefact: the same weight for the same pair."""

from pathlib import Path

import duckdb
import pyarrow.compute as pc
import pytest
from splink import DuckDBAPI, Linker

from connectors.settings import Settings
from etl.births.estimate import splink_settings
from etl.births.fold import folded_births, population_children
from etl.births.linkage import exact_links, open_sides, scored_pairs
from etl.births.model import model_on
from etl.births.train import splink_sides
from tests.support.birth_year import TODAY, birth_year

NOWHERE = Settings(var=Path("nowhere"))
BIRTHS, SEED = 4_000, 20261001


@pytest.mark.filterwarnings("ignore")
def test_every_pair_weighs_what_splink_says() -> None:
    year = birth_year(SEED, BIRTHS, multiplier=3.0)
    births = folded_births(NOWHERE, year.staging, TODAY).births
    children = population_children(NOWHERE, year.staging)
    exact = exact_links(NOWHERE, births, children)
    sides = open_sides(NOWHERE, year.staging, births, children, exact)
    model = model_on(TODAY)
    ours = {
        (row["mch_record_id"], str(row["relation_id"])): row["match_weight"]
        for row in scored_pairs(NOWHERE, sides, model, TODAY).to_pylist()
    }
    api = DuckDBAPI(duckdb.connect())
    tables = zip(("birth", "child"), splink_sides(sides), strict=True)
    linker = Linker(
        [api.register(table, dataset_display_name=name) for name, table in tables],
        splink_settings(model),
        log_level="ERROR",
    )
    for column in ("child_name", "mother_name", "father_name"):
        of_column = sides.shares.filter(pc.equal(sides.shares["column_name"], column))
        lookup = of_column.select(["name", "share"]).rename_columns([column, f"tf_{column}"])
        linker.table_management.register_term_frequency_lookup(
            api.register(lookup, dataset_display_name=f"shares_of_{column}"), column
        )
    theirs = {
        (row["side_id_l"], row["side_id_r"]): row["match_weight"]
        for row in linker.inference.predict().as_duckdbpyrelation().to_arrow_table().to_pylist()
    }
    both = ours.keys() & theirs.keys()
    assert len(both) >= 50
    for pair in both:
        assert ours[pair] == pytest.approx(theirs[pair], abs=1e-6), pair
