"""A policy decides for the first time only if it fits together and keeps its golden cases."""

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.subsidy.golden import broken_cases, golden_cases
from etl.subsidy.policy_archive import folder_digest, policy_files
from schemas.policy_check import check_policy
from schemas.refusal import Refusal
from schemas.registry import DECISION_RUN


def check_adoption(connection: Connection, folder: Path) -> None:
    """Let a policy decide that decided before; any other has to pass first.

    Raises:
        Refusal: it does not fit together, or decides a golden case otherwise than the case says.
    """
    digest = folder_digest(policy_files(folder))
    if connection.scalar(sa.select(sa.exists().where(DECISION_RUN.c.policy_folder == digest))):
        return
    against = _against(folder, digest)
    if against:
        raise Refusal(
            "policy_not_adoptable",
            found=f"policy {digest}, against which stand {len(against)}: {'; '.join(against[:3])}",
            expected="a policy that fits together and keeps its golden cases",
            to_do="correct the policy, or change the golden cases with the law; nothing was decided by it",
        )


@lru_cache(maxsize=8)
def _against(folder: Path, digest: str) -> tuple[str, ...]:
    """List what stands against a folder as it is under that digest."""
    findings = check_policy(folder)
    if findings:
        return tuple(f"{finding.code} {finding.place}" for finding in findings)
    broken = broken_cases(golden_cases(folder), folder)
    return tuple(f"golden case {case.programme}: {case.expected} → {case.found}" for case in broken)
