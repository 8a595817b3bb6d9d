"""The Great Expectations context: suites of the project, results and pages in `var/quality`, no telemetry."""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.settings import Settings
from quality.suites import SUITES

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

SITE = "padis"
CONTEXT_ID = uuid.UUID("0c1d8f2e-7f4a-5a0e-8a53-5f2d3c1b0a99")
OFFLINE = {"module_name": "quality.offline_view"}


def open_context(settings: Settings) -> EphemeralDataContext:
    """Open a context that lives in this process, reads the suites and keeps results and pages on disk.

    Its configuration is made here, so that no file of settings can drift; telemetry and progress
    bars are off, and its logger is silent, since errors of metrics could quote values.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, ProgressBarsConfig

    configuration = DataContextConfig(
        config_version=4.0,
        fluent_datasources={},
        expectations_store_name="suites",
        validation_results_store_name="results",
        checkpoint_store_name="checkpoints",
        stores={
            "suites": _store("ExpectationsStore", SUITES),
            "results": _store("ValidationResultsStore", settings.quality / "results"),
            "checkpoints": {"class_name": "CheckpointStore", "store_backend": _IN_MEMORY},
            "validation_definition_store": {
                "class_name": "ValidationDefinitionStore",
                "store_backend": _IN_MEMORY,
            },
        },
        data_docs_sites={SITE: _site(settings)},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        data_context_id=CONTEXT_ID,
    )
    return gx.get_context(project_config=configuration, mode="ephemeral")


_IN_MEMORY = {"class_name": "InMemoryStoreBackend"}


def _store(class_name: str, folder: Path) -> dict[str, Any]:
    backend = {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": str(folder),
        "suppress_store_backend_id": True,
    }
    return {"class_name": class_name, "store_backend": backend}


def _site(settings: Settings) -> dict[str, Any]:
    page = OFFLINE | {"class_name": "OfflinePageView"}
    index = OFFLINE | {"class_name": "OfflineIndexPageView"}
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(settings.quality / "docs"),
        },
        "site_index_builder": {
            "module_name": "quality.site_index",
            "class_name": "NewestNightsIndexBuilder",
            "view": index,
        },
        "site_section_builders": {
            "expectations": {"class_name": "DefaultSiteSectionBuilder", "view": page},
            "validations": {"class_name": "DefaultSiteSectionBuilder", "view": page},
            "profiling": "None",
        },
    }
