"""The executor of a night: tasks begin with all steps loaded.

Airflow forks a process for each task. What is loaded before, the task finds there; by itself each gate would
load Great Expectations anew, which takes longer than judging.
"""

import importlib
import pkgutil

from airflow.executors.local_executor import LocalExecutor

# The packages of the steps and of what they load only when they use it.
PACKAGES = ("quality", "etl")


class WarmExecutor(LocalExecutor):
    """A LocalExecutor that loads the steps once, in the scheduler, before it starts its workers."""

    def start(self) -> None:
        """Load all steps and start the workers."""
        load_steps()
        super().start()


def load_steps() -> None:
    """Import every module of the steps; none connects to anything by being imported."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
