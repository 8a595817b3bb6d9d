"""Files that a command writes for its user alone: nobody else reads them, and where they may lie."""

import os
import secrets
from pathlib import Path

from connectors.settings import Settings
from schemas.refusal import Refusal


def check_personal_zone(settings: Settings, path: Path, to_do: str) -> None:
    """Refuse a file with personal values that would lie outside the personal zones.

    Raises:
        Refusal: `outside_personal_zone`.
    """
    zones = (settings.papers, settings.lake, settings.landing)
    if not any(path.resolve().is_relative_to(zone.resolve()) for zone in zones):
        names = ", ".join(f"{zone.name}/" for zone in zones)
        raise Refusal(
            "outside_personal_zone",
            found="保密区以外的含个人信息文件 · a file with personal values outside the personal zones",
            expected=f"本系统的 {names} · a path below one of these of this installation",
            to_do=to_do,
        )


def check_not_published(settings: Settings, path: Path) -> None:
    """Refuse a file of somebody's own among what everybody reads.

    Raises:
        Refusal: `private_file_published`.
    """
    for public in (settings.mart, settings.quality, settings.run, settings.logs):
        if path.resolve().is_relative_to(public.resolve()):
            raise Refusal(
                "private_file_published",
                found=f"{public.name}/ 中的文件 · a file below {public.name}/",
                expected="自用文件不入公共区 · another folder: what lies there has no personal value",
                to_do="另选文件夹 · choose another folder",
            )


def write_private(path: Path, content: bytes) -> None:
    """Put a file in place at once, readable by its owner alone from its first byte on.

    Raises:
        Refusal: `private_file_unwritable`: the path is a folder, or nothing can be written there.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put(path, content)
    except OSError as error:
        raise Refusal(
            "private_file_unwritable",
            found=f"不可写 · a path that cannot be written ({type(error).__name__})",
            expected="可写文件夹中的文件名 · the name of a file in a folder of yours",
            to_do="另选文件 · choose another file",
        ) from None


def _put(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
