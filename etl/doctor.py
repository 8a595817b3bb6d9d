"""Whether an installation is well: folders, modes, keys, databases, contracts, disk."""

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from rich.table import Table

from connectors.registry import registry_session
from connectors.settings import PROJECT, Settings
from schemas.refusal import Refusal

LEAST_FREE_GB = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_well: bool
    found: str


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; one finding each, nothing is changed."""
    closed = [settings.landing, settings.lake, settings.papers, settings.keys]
    if settings.server_url is None:
        closed.append(settings.postgres)
    return [
        *(_closed_folder(path) for path in closed),
        *(_closed_folder(path) for path in sorted(settings.keys.glob("*")) if path.is_file()),
        _free_disk(settings.var),
        _try("登记库 · registry", lambda: _registry(settings)),
        _try("全员人口库 · population database", lambda: _population(settings)),
        _try("数据契约 · contracts", _contracts),
        _try("政策 · policy", _policy),
        _try("区划 · divisions", lambda: _divisions(settings)),
    ]


def examination_table(findings: list[Finding]) -> Table:
    """Lay the findings out for a person."""
    table = Table(title="体检 · examination")
    for heading in ("项目 · subject", "", "发现 · found"):
        table.add_column(heading)
    for finding in findings:
        table.add_row(finding.subject, "[green]✓[/]" if finding.is_well else "[red]✗[/]", finding.found)
    return table


def _closed_folder(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    is_closed = mode is not None and mode & 0o077 == 0
    return Finding(
        f"{path.parent.name}/{path.name}", is_closed, "missing" if mode is None else f"mode {mode:04o}"
    )


def _free_disk(path: Path) -> Finding:
    free_gb = shutil.disk_usage(path).free / 1e9
    return Finding(
        "磁盘 · free disk", free_gb >= LEAST_FREE_GB, f"{free_gb:.0f} GB, at least {LEAST_FREE_GB} wanted"
    )


def _try(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except Refusal as refusal:
        return Finding(subject, False, str(refusal))
    except sa.exc.SQLAlchemyError as error:
        return Finding(subject, False, f"{type(error).__name__}: run `padis init`")


def _registry(settings: Settings) -> str:
    with registry_session(settings) as connection:
        version = connection.scalar(sa.text("SHOW server_version"))
        revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return f"PostgreSQL {version}, revision {revision}"


def _population(settings: Settings) -> str:
    """Open it as the night does, and hold its tables against their contracts."""
    from connectors.population_db import open_population, population_way
    from etl.night import POPULATION_DATASETS
    from schemas.contract import load_contract

    with open_population(settings) as snapshot:
        for name in POPULATION_DATASETS:
            snapshot.check_table(load_contract(name))
    return f"{len(POPULATION_DATASETS)} tables as promised; {population_way(settings)}"


def _contracts() -> str:
    from schemas.contract import load_contract

    names = sorted(
        path.name.split(".")[0] for path in (PROJECT / "schemas" / "contracts").glob("*.odcs.yaml")
    )
    return ", ".join(f"{name} {load_contract(name).version}" for name in names)


def _policy() -> str:
    from schemas.policy_page import render_policy_page

    return f"{len(render_policy_page().splitlines())} lines of dated, cited values"


def _divisions(settings: Settings) -> str:
    from datetime import date

    from connectors.divisions import division_tree

    tree = division_tree(settings, date.max)
    own = len(list(settings.divisions.glob("*.csv")))
    return f"one tree with {len(tree.changes)} changes, {own} files of this installation"
