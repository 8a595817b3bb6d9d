"""Load all steps at once, for who runs many of them or measures them."""

import importlib
import pkgutil

# The packages of the steps and of what they load only when they use it.
PACKAGES = ("quality", "etl")


def load_steps() -> None:
    """Import every module of the steps; none connects to anything by being imported."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
