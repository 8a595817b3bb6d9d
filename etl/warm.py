"""Load all steps at once, for who runs many of them or measures them.

As a program it forks commands from a process that has loaded the steps, as Airflow's tasks are: who begins
anew loads for some seconds, a good part of a small night.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# The packages of the steps and of what they load only when they use it.
PACKAGES = ("quality", "etl")


def load_steps() -> None:
    """Import every module of the steps; none connects to anything by being imported."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)


def fork_commands(orders: "Connection[int | None, tuple[Any, Any]]") -> None:
    """Take orders until there are no more.

    Of words and a file `padis` is begun with these words, in a group of processes of its own; what it prints
    is added to the file, and its number is the answer. Of a number and options of `waitpid` the answer is
    how that command ended: its exit status, below zero the signal that killed it; None while it runs.
    """
    load_steps()
    with suppress(EOFError):
        while True:
            what, how = orders.recv()
            if isinstance(what, int):
                pid, status = os.waitpid(what, how)
                orders.send(os.waitstatus_to_exitcode(status) if pid else None)
            elif child := os.fork():
                # Both say so: neither then goes on before the group is there.
                os.setpgid(child, child)
                orders.send(child)
            else:
                orders.close()
                _become(what, how)


def _become(words: Sequence[str], printed: Path) -> None:
    from etl.cli import main

    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(printed, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for instead, own in enumerate((nothing, file, file)):
        os.dup2(own, instead)
    sys.argv = ["padis", *words]
    main()


if __name__ == "__main__":
    fork_commands(Connection(int(sys.argv[1])))
