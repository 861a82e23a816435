"""`soak model`: the models of the bundled server."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from asr_server.paraformer.catalog import is_built, large_model_dir, resolve_model
from soak.terminal import SafeConsole, say

app = typer.Typer(help="The models of the bundled server.", no_args_is_help=True, add_completion=False)


class BuildableSize(StrEnum):
    """Models that are built rather than bundled."""

    LARGE = "large"


@app.command()
def build(
    size: Annotated[BuildableSize, typer.Argument(help="The model to build.")],
    to: Annotated[
        Path | None, typer.Option(help="Folder to build into; by default the user's cache folder.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Build it even if it is there.")] = False,
) -> None:
    """Build the large model: the published Paraformer geometry, int8, with seeded random weights.

    Its memory is that of the real thing (the values of weights do not change memory); its transcripts mean
    nothing. It takes a few seconds and 500 MB of disk.
    """
    from soak.cli.model_building import build_large

    del size  # there is one
    destination = to or large_model_dir()
    if is_built(destination) and not force:
        say(f"{destination} (already built; --force builds it again)")
        return
    say(str(build_large(destination, SafeConsole(stderr=True))))


@app.command()
def path(name: Annotated[str, typer.Argument(help="tiny, large or a folder.")]) -> None:
    """Print where a model is."""
    say(str(resolve_model(name)))
