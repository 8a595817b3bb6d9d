"""The machine's Chromium, driven as a person would use Airflow's pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from sandbox.local.environment import HOST
from schemas.business_date import BEIJING

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A page may wait for a machine that is busy with what was asked of it.
PATIENCE_MS = 60_000
# Nothing but the installation is asked: the machine may have no way out, and the browser would wait for one.
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
WINDOW: ViewportSize = {"width": 1420, "height": 1060}


def chromium() -> str:
    """Tell where Chromium is.

    Raises:
        AssertionError: there is none on the machine.
    """
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    assert found, "found: no Chromium on this machine; expected: one on PATH; to do: apt-get install chromium"
    return found


@contextmanager
def signed_in_page(port: int, user: str, password: str) -> Iterator[Page]:
    """Sign in on Airflow's own page, in Beijing; give a page that is signed in."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # Its sandbox asks for rights that root and containers seldom have; it opens our own pages alone.
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=[*QUIET], chromium_sandbox=False
        )
        page = browser.new_page(
            base_url=f"http://{HOST}:{port}", viewport=WINDOW, locale="en-GB", timezone_id=BEIJING.key
        )
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/auth/login/")
        page.locator("#username").fill(user)
        page.locator("#password").fill(password)
        page.get_by_role("button", name="Sign In").click()
        expect(page.get_by_role("link", name="Dags").first).to_be_visible()
        yield page
        browser.close()


def backfill_in_form(
    page: Page, dag_id: str, first: date, last: date, *, runs: int, picture: Path
) -> dict[str, Any]:
    """Fill in and send the backfill form of a DAG, both dates at midnight, *All Runs*; give what it sent.

    Raises:
        AssertionError: the form foresaw another number of runs, or was not taken.
    """
    page.goto(f"/dags/{dag_id}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog").filter(has_text=dag_id)
    form.get_by_text("Backfill", exact=True).click()
    for number, day in enumerate((first, last)):
        form.get_by_test_id("datetime-input").nth(number).click()
        page.get_by_placeholder("YYYY/MM/DD").fill(f"{day:%Y/%m/%d}")
        page.get_by_placeholder("HH:mm").fill("00:00")
        page.keyboard.press("Escape")
    form.get_by_text("All Runs", exact=True).click()
    expect(form.get_by_text(f"{runs} runs will be triggered")).to_be_visible()
    page.screenshot(path=picture)
    with page.expect_response(lambda response: response.url.endswith("/api/v2/backfills")) as answered:
        form.get_by_role("button", name="Run Backfill").click()
    assert answered.value.ok, answered.value.text()
    sent: dict[str, Any] = answered.value.request.post_data_json
    return sent


def picture_of_runs(page: Page, dag_id: str, runs: int, picture: Path) -> None:
    """Open the list of a DAG's runs, which has so many, and take a picture of it."""
    page.goto(f"/dags/{dag_id}/runs")
    expect(page.get_by_role("heading", name=f"{runs} Dag Runs")).to_be_visible()
    page.screenshot(path=picture)
