"""Which versions may stand for what a rebuild would make."""

import pytest

from connectors.lake import DatasetVersion
from etl.shadow import steps_in_shadow
from schemas.refusal import Refusal

POPULATION = ("population_person", "family_child", "marriage")


def versions(*names):
    return [DatasetVersion(f"staging.{name}", 1) for name in names]


@pytest.mark.parametrize("names", [(), POPULATION, ("mch_birth",), (*POPULATION, "mch_birth")])
def test_versions_of_whole_steps_are_taken(names):
    assert [step.name for step in steps_in_shadow(versions(*names))]


@pytest.mark.parametrize("names", [POPULATION[:1], (*POPULATION[1:], "mch_birth")])
def test_versions_of_a_part_of_a_step_are_refused_since_the_step_would_make_the_given_ones_too(names):
    with pytest.raises(Refusal) as raised:
        list(steps_in_shadow(versions(*names)))
    assert raised.value.code == "using_incomplete"
    missing = set(POPULATION) - set(names)
    assert all(f"staging.{name}" in str(raised.value) for name in missing)
