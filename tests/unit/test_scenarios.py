"""The scenarios that a subsidy must survive: each that the decision lists has its test under that name."""

import ast
import re

import pytest

from connectors.settings import PROJECT

PAGE = PROJECT / "docs" / "decisions" / "0041-lives-in-figures-and-yearly-papers.md"
LISTED = re.findall(r"^\| (.+?) \| `(tests/\S+\.py)::(test_\w+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)


def test_the_page_lists_the_scenarios_of_the_issue() -> None:
    told = " ".join(scenario for scenario, _, _ in LISTED)
    for words in ("announced in May", "four months late", "annual review", "three reruns", "made again"):
        assert words in told


@pytest.mark.parametrize(("scenario", "file", "name"), LISTED, ids=[name for *_, name in LISTED])
def test_a_listed_scenario_has_its_test(scenario: str, file: str, name: str) -> None:
    tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, scenario
