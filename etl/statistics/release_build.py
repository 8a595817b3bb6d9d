"""Build the files of a release: counted, compared with the release before, laid out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from connectors.lake import DatasetVersion
from connectors.settings import Settings
from connectors.spreadsheet import csv_bytes
from etl.statistics.code_version import code_versions
from etl.statistics.corrections import Change, changes_table, find_changes
from etl.statistics.count import Counted, Places, count_statistics
from etl.statistics.period import Period
from etl.statistics.publish import parquet_bytes
from etl.statistics.release_files import Frozen, file_name
from etl.statistics.sheet import Caption
from etl.statistics.workbook import workbook_bytes

Manifest = dict[str, object]


@dataclass(frozen=True)
class Edition:
    """Which release is built: of which period, the how manieth, as known when, and why again."""

    period: Period
    number: int
    known_on: date
    reason: str | None = None

    @property
    def caption(self) -> Caption:
        """Say it above every table."""
        name = f"第{self.number}次发布 Release {self.number}"
        return Caption(
            self.period.last, self.period.caption, self.known_on,
            f"{name} (更正 correction)" if self.number > 1 else name, self.reason or "",
        )  # fmt: skip


@dataclass(frozen=True)
class Built:
    """The files of a release without its manifest, and what the manifest tells of them."""

    files: Mapping[str, bytes]
    facts: Manifest
    changes: list[Change]


def build_release(
    settings: Settings,
    edition: Edition,
    before: Frozen | None = None,
    repeated: Frozen | None = None,
) -> Built:
    """Count a period and lay it out; equal input gives equal bytes.

    A correction keeps the divisions of the release `before` it: what was published is told under the same
    names. To build a release once more, give it as `repeated`: its dataset versions are read again.

    Raises:
        Refusal: persons or births have never been published.
    """
    kept = repeated or before
    counted = count_statistics(
        settings,
        edition.period.last,
        edition.period.first,
        known_on=edition.known_on,
        pinned=_pinned(repeated) if repeated else None,
        places=Places(kept.divisions, kept.retired) if kept else None,
    )
    if repeated:
        # A night that was added before the first one since is no part of what was published.
        counted = replace(counted, first_night=date.fromisoformat(repeated.manifest["first_night"]))
    facts = _facts(counted, edition)
    changes = _changes(before, counted, facts) if before else []
    contents = {
        "cube": parquet_bytes(counted.cube),
        "months": parquet_bytes(counted.months),
        "divisions": parquet_bytes(counted.places.divisions),
        "retired": parquet_bytes(counted.places.retired),
        "workbook": workbook_bytes(counted, edition.caption, changes),
        **({"changes": csv_bytes(changes_table(changes))} if before else {}),
    }
    named = {file_name(kind, edition.period.name, edition.number): c for kind, c in contents.items()}
    return Built(named, {**facts, "changed_cells": len(changes)}, changes)


def _pinned(repeated: Frozen) -> dict[str, DatasetVersion]:
    versions = [DatasetVersion.parse(name) for name in repeated.manifest["inputs"] if "@" in name]
    return {version.name: version for version in versions}


def _facts(counted: Counted, edition: Edition) -> Manifest:
    return {
        "period": edition.period.name,
        "number": edition.number,
        "first_day": str(edition.period.first),
        "last_day": str(edition.period.last),
        "known_on": str(edition.known_on),
        "first_night": str(counted.first_night),
        "reason": edition.reason,
        "cells": counted.cube.num_rows + counted.months.num_rows,
        "inputs": list(counted.inputs),
        "fingerprints": dict(counted.fingerprints or {}),
        "policy_versions": list(counted.policy_versions),
        "code": code_versions(),
    }


def _changes(before: Frozen, counted: Counted, facts: Manifest) -> list[Change]:
    now = Frozen(facts, counted.cube, counted.months, *counted.places)
    return find_changes(before.cells, now.cells, (before.manifest, facts))
