"""The committed policy page is what the policy files say."""

from connectors.settings import PROJECT
from schemas.policy_page import render_policy_page


def test_the_policy_page_is_up_to_date() -> None:
    assert (PROJECT / "docs" / "policy.md").read_text(encoding="utf-8") == render_policy_page()


def test_the_page_shows_values_without_a_start_date_as_unused() -> None:
    page = render_policy_page()
    assert "| undated, not used · 起始日不明，不计算 |  | 74000 | 110000 |" in page
    assert "| undated, not used · 起始日不明，不计算 |  | 90000 | 110000 |" in page
