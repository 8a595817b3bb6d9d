"""The first page of the Data Docs: the validations of the newest nights, however many have been kept.

Named in the site's configuration and imported by Great Expectations alone, as `quality.offline_view` is.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier
from great_expectations.render.renderer.site_builder import DefaultSiteIndexBuilder

# Pages of earlier nights stay where they are: docs/validations/<dataset>/<date>/.
NIGHTS_LISTED = 31


class NewestNightsIndexBuilder(DefaultSiteIndexBuilder):
    """Lists a month of nights, and takes from each result what a row shows.

    Great Expectations' own reads every result that was ever kept as a whole, on every night.
    """

    def _build_validation_and_profiling_result_site_keys(
        self, skip_and_clean_missing: bool
    ) -> list[ValidationResultIdentifier]:
        # Dataset, business date, the same as an instant, version.
        pages = self.target_store.store_backends[ValidationResultIdentifier].list_keys()
        results: Any = self.data_context.validation_results_store.store_backend
        nights = sorted({page[-3] for page in pages})[-NIGHTS_LISTED:]
        key: Any = ValidationResultIdentifier
        return [key.from_tuple(page) for page in pages if page[-3] in nights and results.has_key(page)]

    def _add_validations_to_index_links(
        self,
        index_links_dict: OrderedDict[str, Any],
        validation_and_profiling_result_site_keys: Sequence[Any],
    ) -> None:
        results: Any = self.data_context.validation_results_store.store_backend
        listed: Any = self.add_resource_info_to_index_links_dict
        keys = sorted(
            validation_and_profiling_result_site_keys, key=lambda key: key.run_id.run_time, reverse=True
        )
        for key in keys:
            told = json.loads(results.get(key.to_tuple()))
            listed(
                index_links_dict=index_links_dict,
                expectation_suite_name=key.expectation_suite_identifier.name,
                section_name="validations",
                batch_identifier=key.batch_identifier,
                run_id=key.run_id,
                validation_success=told["success"],
                run_time=key.run_id.run_time,
                run_name=key.run_id.run_name,
                asset_name=told["meta"]["batch_spec"]["data_asset_name"],
                batch_kwargs={},
                batch_spec=told["meta"]["batch_spec"],
            )
