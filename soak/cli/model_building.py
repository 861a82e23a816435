"""Building the large model on first use, with a progress bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from asr_server.paraformer.build import build_model
from asr_server.paraformer.catalog import is_built, large_model_dir, resolve_model
from asr_server.paraformer.errors import ModelError
from soak.errors import SoakError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


def ensure_model(name: str, console: Console) -> Path:
    """Return the folder of model `name`; the large one is built when it is not there yet."""
    try:
        if name == "large" and not is_built(large_model_dir()):
            return build_large(large_model_dir(), console)
        return resolve_model(name)
    except ModelError as error:
        raise SoakError(f"--model {name}: {error}") from error


def build_large(destination: Path, console: Console) -> Path:
    """Build the large model into `destination`; raises `SoakError` when it cannot be written."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("large model", total=1.0)
        try:
            return build_model(
                "large",
                destination,
                progress=lambda step, fraction: progress.update(task, description=step, completed=fraction),
            )
        except ModelError as error:
            raise SoakError(str(error)) from error
