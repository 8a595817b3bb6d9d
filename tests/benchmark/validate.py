"""Validate the persons of a city: the compiled suite beside Great Expectations on pandas.

    python -m tests.benchmark.validate compare 1000000
    python -m tests.benchmark.validate grow 1000000 2000000 4000000

Prints one line of JSON. Times are seconds of the wall clock, medians of three runs, each in a process of its
own that has imported everything before the clock starts; memory is the peak of that process, imports and all.
"""

import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from connectors.settings import Settings
from tests.benchmark.city import build_persons
from tests.benchmark.validations import by_gx, compiled
from tests.support.measured import measuring

RUNS = 3


def measured(settings: Settings, persons: int, *functions: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Run functions in turn, three times each, over the same persons."""
    persons_version = build_persons(settings, persons)
    runs: dict[str, list[Any]] = {function.__name__: [] for function in functions}
    with measuring("tests.benchmark.validations") as measurer:
        for _ in range(RUNS):
            for function in functions:
                runs[function.__name__].append(
                    measurer.run(function, str(settings.var), str(persons_version))
                )
    return {
        name: {
            "seconds": round(statistics.median(run.result["seconds"] for run in taken), 3),
            "runs": [round(run.result["seconds"], 3) for run in taken],
            "processor_seconds": round(statistics.median(run.cpu_seconds for run in taken), 1),
            "peak_mb": round(statistics.median(run.peak_bytes for run in taken) / 1e6),
            "digests": sorted({run.result["digest"] for run in taken}),
            "statistics": taken[0].result["statistics"],
            "left": taken[0].result["left"],
        }
        for name, taken in runs.items()
    }


def compare(settings: Settings, persons: int) -> dict[str, Any]:
    """Measure both at one size: their ratio, and whether every result is the same."""
    sides = measured(settings, persons, by_gx, compiled)
    ratio = sides["by_gx"]["seconds"] / sides["compiled"]["seconds"]
    is_same = sides["by_gx"]["digests"] == sides["compiled"]["digests"]
    return {"persons": persons, "ratio": round(ratio, 1), "same_results": is_same, **sides}


def main(task: str, *sizes: str) -> None:
    """Measure at the sizes asked for and print what came out."""
    with tempfile.TemporaryDirectory(prefix="padis-bench-") as folder:
        settings = Settings(var=Path(folder))
        if task == "compare":
            told: Any = [compare(settings, int(size)) for size in sizes]
        else:
            told = [{"persons": int(size), **measured(settings, int(size), compiled)} for size in sizes]
    packages = ("duckdb", "great_expectations", "pandas", "pyarrow")
    machine = {"processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    print(
        json.dumps({"task": task, "measured": told, **machine, **{name: version(name) for name in packages}})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
