"""Give counts back as Great Expectations' own results: it judges them, writes them and renders them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from great_expectations.validator.v1_validator import Validator

from quality.compiled.count import Counted, Tally
from quality.verdict import has_errored

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.core.suite_parameters import SuiteParameterDict
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration


class CountedValidator(Validator):
    """A validator that answers from counts where it has them, and looks at the rows where it has not.

    Order, parameters, `mostly`, percentages and the shape of results are Great Expectations' own.
    """

    def __init__(
        self,
        definition: BatchDefinition[Any],
        result_format: dict[str, Any],
        counted: Counted,
        rows: pd.DataFrame,
    ) -> None:
        super().__init__(definition, result_format=result_format, batch_parameters={"dataframe": rows})
        self._asked = {"result_format": result_format}
        self._counted = counted

    def _validate_expectation_configs(
        self,
        expectation_configs: list[ExpectationConfiguration],
        expectation_parameters: SuiteParameterDict[Any, Any] | None = None,
    ) -> list[ExpectationValidationResult]:
        wrapped = self._wrapped_validator
        ordered = wrapped.process_expectations_for_validation(expectation_configs, expectation_parameters)
        uncounted = [entry for entry in ordered if self._tally(entry) is None]
        looked_at = wrapped.graph_validate(uncounted, runtime_configuration=copy.deepcopy(self._asked))
        errored = [result for result in looked_at if has_errored(result.exception_info or {})]
        # Like Great Expectations itself: what errored first, the rest in order.
        judged = iter(result for result in looked_at if result not in errored)
        told = {str(result.expectation_config.id) for result in errored if result.expectation_config}
        counted = [entry for entry in ordered if str(entry.id) not in told]
        return errored + [
            next(judged) if tally is None else self._judged(entry, tally)
            for entry, tally in ((entry, self._tally(entry)) for entry in counted)
        ]

    def _tally(self, configuration: ExpectationConfiguration) -> Tally | None:
        return self._counted.tallies.get(str(configuration.id))

    def _judged(self, configuration: ExpectationConfiguration, tally: Tally) -> ExpectationValidationResult:
        configuration.kwargs["batch_id"] = self._wrapped_validator.active_batch_id
        expectation = configuration.to_domain_obj()
        # What `metrics_validate` does, but asking which metrics are needed: that took most of the time.
        judged = expectation._validate(
            metrics=Answers(tally), runtime_configuration=copy.deepcopy(self._asked)
        )
        return expectation._build_evr(judged)


class Answers(dict[str, Any]):
    """The metrics of one expectation, answered from its tally."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - any metric
        """Answer one metric.

        Raises:
            LookupError: no count answers it, so that nothing is taken for zero.
        """
        if name == "table.row_count":
            return self._tally.rows
        if name == "column_values.nonnull.unexpected_count":
            return self._tally.missing
        if name.endswith(".unexpected_count"):
            return self._tally.unexpected
        if name.endswith((".unexpected_values", ".unexpected_index_list")):
            return []
        if name.endswith(".unexpected_index_query"):
            return None
        raise LookupError(f"no count answers the metric {name}")
