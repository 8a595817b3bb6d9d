"""`padis policy`: the law as data, held against itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

policy = typer.Typer(no_args_is_help=True, help="政策 · policy as data: check that it fits together.")

PolicyOption = Annotated[
    Path | None, typer.Option("--policy", metavar="DIR", help="政策目录 · another policy folder than ours.")
]


@policy.command("check")
def check(folder: PolicyOption = None) -> None:
    """检查 · gaps, overlaps, values without a source, names that nobody declares or asks for."""
    from rich.console import Console
    from rich.table import Table

    from schemas.policy import POLICY
    from schemas.policy_check import check_policy

    findings = check_policy((folder or POLICY).resolve())
    if not findings:
        Console().print("政策无误 · the policy fits together")
        return
    table = Table("代码 · code", "位置 · place", "发现 · found", "处理 · to do")
    for finding in findings:
        table.add_row(finding.code, finding.place, finding.found, finding.to_do)
    Console().print(table)
    raise typer.Exit(1)
