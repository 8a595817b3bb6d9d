"""The data dictionary: a page made from the contracts, the code sets and the comments of the registry."""

from collections.abc import Iterable

from schemas.code_sets import CODES, load_code_set
from schemas.contract import DATASETS, Contract, load_contract
from schemas.contract_rule import GOALS
from schemas.property import Property
from schemas.registry import METADATA, ZONES

HEAD = """# Data dictionary · 数据字典

Generated from `schemas/contracts/`, `schemas/codes/` and `schemas/registry/`; remade by `make generated`.
本页自动生成，请勿手改。

Classes: public 公开, personal 个人信息, sensitive 敏感个人信息.
Severities: reject 隔离该行, warn 仅计数, halt 整体停止.
"""
LINEAGE_NOTE = """Every staging table also has `landing_id` (落地编号 · landed content the row came from),
`landing_row` (行号 · data row in it, from 1) and `failed_rules` (警告规则 · warnings that the row got).
`quarantine.<dataset>` has the received columns as text, the same way back, and the reject rules that the
row broke.
"""
CLASS_NAMES = {"public": "公开 · public", "personal": "个人 · personal", "sensitive": "敏感 · sensitive"}


def render_dictionary() -> str:
    """Write the page; the same contracts and tables give the same text."""
    parts = [HEAD, "## Datasets · 数据集\n", LINEAGE_NOTE]
    parts += [_dataset(load_contract(name)) for name in DATASETS]
    parts += ["## Code sets · 代码表\n", *_code_sets()]
    parts += ["## Registry · 登记库\n", *_registry()]
    return "\n".join(parts).rstrip() + "\n"


def _dataset(contract: Contract) -> str:
    columns = [
        (_code(entry.name), _code(entry.physical_name), _type(entry), CLASS_NAMES[entry.classification],
         "✓" if entry.is_required else "", entry.description)
        for entry in contract.properties
    ]  # fmt: skip
    rules = [(_code(rule.id), rule.severity, GOALS[rule.dimension], rule.message) for rule in contract.rules]
    return "\n".join(
        [
            f"### {contract.title} — `staging.{contract.name}`\n",
            f"{contract.grain}. {contract.purpose}. "
            f"Contract version {contract.version}, key `{contract.key}`.\n",
            *_table(("Column", "At the source", "Type", "Class", "Required", "Meaning"), columns),
            "",
            *_table(("Rule", "Severity", "Goal", "What it means when broken"), rules),
            "",
        ]
    )


def _type(entry: Property) -> str:
    codes = f"; codes [{entry.code_set}](#codes-{entry.code_set})" if entry.code_set else ""
    fewer = (
        f" ({', '.join(entry.codes)})"
        if entry.code_set and entry.codes != load_code_set(entry.code_set).codes
        else ""
    )
    return f"{entry.logical_type}{codes}{fewer}"


def _code_sets() -> list[str]:
    parts = []
    for name in sorted(path.stem for path in CODES.glob("*.yaml")):
        codes = load_code_set(name)
        listed = ", ".join(f"`{code}` {label}" for code, label in codes.labels.items())
        parts.append(f'<a id="codes-{name}"></a>**{name}** — {codes.title} ({codes.source}): {listed}\n')
    return parts


def _registry() -> list[str]:
    parts = []
    for zone in ZONES:
        for table in sorted(METADATA.tables.values(), key=lambda table: table.name):
            if table.schema != zone:
                continue
            key = [column.name for column in table.primary_key]
            columns = [
                (
                    _code(column.name),
                    str(column.type).lower(),
                    "✓" if column.name in key else "",
                    column.comment or "",
                )
                for column in table.columns
            ]
            parts.append(f"### `{zone}.{table.name}`\n\n{table.comment}\n")
            parts += [*_table(("Column", "Type", "Key", "Meaning"), columns), ""]
    return parts


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "—"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(head), "|" + "---|" * len(head), *(line(row) for row in rows)]
