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


@pytest.mark.parametrize("name", ["staging.mch_births", "mch_birth", "returned.mch_birth", "core.x"])
def test_a_version_of_what_no_step_makes_is_refused_with_the_names_that_there_are(name):
    with pytest.raises(Refusal) as raised:
        list(steps_in_shadow([*versions("mch_birth"), DatasetVersion(name, 1)]))
    assert raised.value.code == "using_unknown"
    assert name in raised.value.found
    assert all(f"staging.{dataset}" in raised.value.expected for dataset in (*POPULATION, "mch_birth"))


def test_two_versions_of_one_dataset_are_refused():
    with pytest.raises(Refusal) as raised:
        list(steps_in_shadow([*versions("mch_birth"), DatasetVersion("staging.mch_birth", 2)]))
    assert raised.value.code == "using_twice"
