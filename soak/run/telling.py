"""What a run came to, on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.report.terminal import render_terminal

if TYPE_CHECKING:
    from rich.console import Console

    from soak.run.session import SoakResult


def tell(result: SoakResult, console: Console) -> None:
    """Print what a run came to, and the end of the server's log where the server ended."""
    console.print(render_terminal(result.report))
    failure = result.report.failure
    if failure is not None and failure.died:
        console.print(f"Last lines of the server's log:\n{failure.log_tail}", markup=False)
