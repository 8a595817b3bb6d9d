"""Keys and passwords of this installation: made once, in files that only we can read."""

import os
import secrets
from pathlib import Path


def write_secret(path: Path, value: str) -> None:
    """Write a key or password that only we can read; an existing one is kept.

    The name appears with the whole value or not at all, so that two first runs at once agree on
    one key and a crash leaves no empty one.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            return
    finally:
        part.unlink(missing_ok=True)
