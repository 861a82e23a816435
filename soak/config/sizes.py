"""Sizes as people write them on a command line."""

from __future__ import annotations

from pydantic import ByteSize, TypeAdapter, ValidationError

from soak.analyse import JudgeSettings
from soak.errors import SoakError


def size_bytes(option: str, text: str) -> int:
    """Read a size such as `2GiB` in bytes; raises `SoakError` in one line that names the option."""
    try:
        size = int(TypeAdapter(ByteSize).validate_python(text))
    except ValidationError:
        raise SoakError(f"{option} {text}: write a size such as 512MiB or 2GiB") from None
    if size <= 0:
        raise SoakError(f"{option} {text}: it must be above 0")
    return size


def growth_budget(text: str) -> float:
    """Read the value of --max-growth, such as `5MiB`, in bytes per hour; raises `SoakError` in one line."""
    try:
        budget = float(TypeAdapter(ByteSize).validate_python(text))
        JudgeSettings(max_growth_bytes_per_hour=budget)
    except ValidationError:
        raise SoakError(f"--max-growth {text}: write a size per hour such as 500KiB or 5MiB") from None
    except ValueError as error:
        raise SoakError(f"--max-growth {text}: {error}") from None
    return budget
