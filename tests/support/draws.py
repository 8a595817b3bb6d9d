"""How much a law draws: little in `make test`, much in the deep sweeps."""

import pytest


def drawing(little: int, much: int) -> pytest.MarkDecorator:
    """Run a law with so many `examples`."""
    return pytest.mark.parametrize("examples", [little, pytest.param(much, marks=pytest.mark.deep)])
