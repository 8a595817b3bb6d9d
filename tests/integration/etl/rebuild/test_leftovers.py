"""What is swept and what is not, where a rebuild ends while another one sweeps."""

from dataclasses import replace
from datetime import date

import pytest

from connectors.registry import hold_lock, registry_session
from etl.rebuild import leftovers
from etl.rebuild.branch import branches, make_branch
from etl.rebuild.history import Rebuilt, begin_rebuild, end_rebuild, find_rebuild
from etl.rebuild.leftovers import drop_kept, lock_of, sweep_branches

DAY = date(2026, 6, 1)


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_branch_stays_if_its_rebuild_ended_while_somebody_swept_and_wants_it_kept(
    settings, monkeypatch, is_kept
):
    rebuild_id = f"r20260601_0000000{is_kept:d}"
    with registry_session(settings) as connection:
        begin_rebuild(connection, rebuild_id, DAY, "preview")
    make_branch(replace(settings, shadow=rebuild_id), DAY)
    working = hold_lock(settings, lock_of(rebuild_id), DAY)
    working.__enter__()

    def end_before(settings, name, business_date):
        """Let the rebuild end between the reading of what is on record and the taking of its lock."""
        with registry_session(settings) as connection:
            end_rebuild(connection, Rebuilt(rebuild_id, DAY, "preview", "b", {}, is_kept), 1.0)
        working.__exit__(None, None, None)
        return hold_lock(settings, name, business_date)

    with monkeypatch.context() as patch:
        patch.setattr(leftovers, "hold_lock", end_before)
        assert sweep_branches(settings) == ([] if is_kept else [rebuild_id])
    with registry_session(settings) as connection:
        assert (rebuild_id in branches(connection)) is is_kept
        assert find_rebuild(connection, rebuild_id)["is_kept"] is is_kept
    if is_kept:
        drop_kept(settings, rebuild_id)
