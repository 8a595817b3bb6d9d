"""`padis case` and `padis annual` as a person types them: a whole life, and refusals."""

from contextlib import nullcontext
from datetime import date

import pytest
from typer.testing import CliRunner

from connectors.settings import Settings
from etl.cli import app
from etl.commands.acting import an_account
from schemas.refusal import Refusal
from tests.support.submission import People, publish_people

VILLAGE = "110101001001"
PERSON = "11010100100100000001"
WHO = ("--reason", "材料齐全")


@pytest.fixture(scope="module", autouse=True)
def city(settings: Settings) -> None:
    people = People()
    people.add_many("T", 1)
    publish_people(settings, people)


@pytest.fixture
def padis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "Padis":
    for commands in ("case", "case_lists", "annual", "installation"):
        monkeypatch.setattr(f"etl.commands.{commands}.ready_settings", lambda: nullcontext(settings))
    monkeypatch.setenv("COLUMNS", "200")
    return Padis()


class Padis:
    """The command, as one process."""

    def __call__(self, *words: str) -> str:
        """Run it, and give what it printed.

        Raises:
            Refusal: it was refused.
        """
        ended = CliRunner().invoke(app, list(words))
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        assert ended.exit_code == 0, ended.output
        return ended.output

    def on(self, day: str, by: str, *words: str) -> str:
        return self(*words, "--on", f"2026-{day}", "--as", by, *WHO)


def test_a_person_takes_a_case_from_application_to_payment(padis: Padis) -> None:
    claim = ("case", "apply", PERSON, "--programme", "T", "--category", "death", "--village", VILLAGE)
    tried = padis.on("01-10", "clerk", *claim, "--dry-run")
    assert "nothing kept" in tried
    assert "0 found" in padis("case", "list")
    number = padis.on("01-10", "clerk", *claim).split()[-1]
    assert number in tried
    traced = padis("trace", number)
    assert traced.count("not in payment") == 1
    assert "材料齐全" in traced
    assert PERSON not in traced
    people = [word for each in "abcde" for word in ("--member", each)]
    people += [word for each in "xy" for word in ("--investigator", each)]
    with pytest.raises(Refusal, match="case_meeting_missing"):
        padis.on("02-10", "clerk", "case", "assess", number)
    padis.on("02-10", "clerk", "case", "meeting", number, *people, "--agreed")
    padis.on("02-10", "clerk", "case", "assess", number)
    assert "公示中" in padis.on("02-10", "clerk", "case", "publicise", number)
    padis.on("02-11", "clerk", "case", "object", number, "--kind", "facts")
    with pytest.raises(Refusal, match="case_objection_open"):
        padis.on("03-10", "chair", "case", "pass", number)
    padis.on("02-20", "clerk", "case", "settle", number, "1", "--dismissed")
    padis.on("03-10", "chair", "case", "pass", number)
    with pytest.raises(Refusal, match="case_same_person"):
        padis.on("03-20", "chair", "case", "approve", number)
    padis.on("04-20", "head", "case", "approve", number)
    listed = padis.on("04-21", "bureau", "case", "draw-list", "--programme", "T")
    assert "2026-T-1: 1" in listed
    assert padis("case", "sample", "2026-T-1").split() == [number]
    with pytest.raises(Refusal, match="case_sample_unchecked"):
        padis.on("04-22", "bureau", "case", "file", "2026-T-1", "--dry-run")
    padis.on("04-22", "bureau", "case", "check", "2026-T-1", number, "--complete", "--correct")
    padis.on("04-22", "bureau", "case", "file", "2026-T-1")
    with pytest.raises(Refusal, match="case_filing_nothing"):
        padis.on("04-22", "bureau", "case", "file", "2026-T-1")


def test_nobody_applies_whom_no_night_knows_nor_before_there_was_a_programme(padis: Padis) -> None:
    rest = ("--programme", "T", "--category", "death", "--village", VILLAGE)
    with pytest.raises(Refusal, match="person_not_decided"):
        padis.on("01-10", "clerk", "case", "apply", "1", *rest)
    with pytest.raises(Refusal, match="application_before_programme"):
        padis("case", "apply", PERSON, *rest, "--on", "1800-01-10", "--as", "clerk", *WHO)


@pytest.mark.parametrize(
    "words", [("--as", ""), ("--as", "110101199001011234"), ("--reason", "找 13800138000"), ("--reason", " ")]
)
def test_who_acts_and_why_name_nobody_by_a_number(words: tuple[str, str]) -> None:
    given = {"--as": "clerk", "--reason": "材料齐全"} | dict([words])
    told = [word for option in given.items() for word in option]
    ended = CliRunner().invoke(app, ["case", "resume", "BJ-T-2026-1", *told])
    assert isinstance(ended.exception, Refusal)
    assert ended.exception.code in ("user_missing", "reason_missing")
    assert not words[1].strip() or words[1] not in str(ended.exception)


def test_a_case_shows_who_when_why_what_was_late_and_what_may_follow(padis: Padis) -> None:
    listed = padis("case", "list", "--state", "in_payment", "--division", "110101", "--programme", "T")
    number = next(word for word in listed.split() if word.startswith("BJ-T-"))
    shown = padis("case", "show", number)
    for told in ("材料齐全", "chair", "bureau", "2026-02-10", "dismissed", "2026-T-1", "propose-exit"):
        assert told in shown
    # The district approved after 31 March.
    assert "2026-04-20（逾期" in shown
    assert "2026-03-10（逾期" not in shown
    assert PERSON not in listed + shown


def test_a_narrow_terminal_cuts_no_number_of_a_case(padis: Padis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    listed = padis("case", "list")
    assert "1 found" in listed
    assert "…" not in listed


def test_an_account_is_taken_plainly() -> None:
    assert an_account(" Clerk\u3000Ａ\u200b\t") == "Clerk A"


def test_every_step_of_the_life_has_a_command(padis: Padis) -> None:
    number = next(word for word in padis("case", "list").split() if word.startswith("BJ-T-"))
    assert "暂停" in padis.on("05-10", "head", "case", "suspend", number)
    assert "享受中" in padis.on("05-10", "head", "case", "resume", number)
    with pytest.raises(Refusal, match="ck_case_step_category_changes"):
        padis.on("05-10", "head", "case", "change-category", number)
    padis.on("05-10", "head", "case", "move", number, "--to", "110105002003")
    padis.on("05-11", "clerk", "case", "propose-exit", number, "--exit-reason", "8")
    padis.on("05-11", "chair", "case", "pass-exit", number)
    padis.on("05-11", "head", "case", "confirm-exit", number)
    with pytest.raises(Refusal, match="case_step_not_possible"):
        padis.on("05-11", "head", "case", "resume", number)


def test_an_annual_review_without_cases_has_nothing_to_show_or_sign(padis: Padis) -> None:
    assert "110101001000" not in padis("annual", "status", "--year", "2026")
    assert "0" in padis("annual", "exceptions", "--programme", "T", "--year", "2026")
    assert "T" not in padis("annual", "status", "--division", VILLAGE).split()
    for asked in ("status", "exceptions --programme T"):
        with pytest.raises(Refusal, match="division_unknown"):
            padis("annual", *asked.split(), "--division", "119999001001")
    with pytest.raises(Refusal, match="annual_nothing"):
        padis.on("05-12", "clerk", "annual", "sign", VILLAGE, "--programme", "T", "--year", "2026")
    with pytest.raises(Refusal, match="case_unknown"):
        padis.on("05-12", "clerk", "annual", "visit", "BJ-T-0", "--investigator", "x")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("choice_unknown", "case list --state nope"),
        ("choice_unknown", "case list --programme Q"),
        ("division_unreadable", "case list --division zzz"),
        ("choice_unknown", "cases list --finding nope"),
        ("division_unreadable", "cases statistics --below x"),
        ("division_unreadable", "annual status --division 110101"),
        ("choice_unknown", "annual exceptions --programme Q"),
        ("case_filing_unknown", "case sample zzz"),
        ("division_unreadable", "annual status --division 110100000000"),
        ("user_missing", "annual visit BJ-T-0 --investigator 110101199001011234 --as a --reason b"),
        ("user_missing", "annual visit BJ-T-0 --investigator x --investigator \u200b --as a --reason b"),
    ],
)
def test_what_nothing_can_answer_is_refused_instead_of_found_empty(
    code: str, words: str, padis: Padis
) -> None:
    with pytest.raises(Refusal) as caught:
        padis(*words.split())
    assert caught.value.code == code


@pytest.mark.parametrize("words", ["case list --at-most -5", "annual status --year 99999"])
def test_numbers_out_of_bounds_are_no_answer_either(words: str) -> None:
    assert CliRunner().invoke(app, words.split()).exit_code == 2


def test_a_day_that_is_none_is_refused_before_anything(padis: Padis) -> None:
    with pytest.raises(Refusal, match="business_date_unreadable"):
        padis("case", "suspend", "BJ-T-0", "--as", "head", *WHO, "--on", str(date(2026, 5, 1).year))
