"""The executor of a night: tasks begin with all steps loaded.

Airflow forks a process for each task. What is loaded before, the task finds there; by itself each gate would
load Great Expectations anew, which takes longer than judging.
"""

from airflow.executors.local_executor import LocalExecutor

from etl.warm import load_steps


class WarmExecutor(LocalExecutor):
    """A LocalExecutor that loads the steps once, in the scheduler, before it starts its workers."""

    def start(self) -> None:
        """Load all steps and start the workers."""
        load_steps()
        super().start()
