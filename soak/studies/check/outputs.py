"""What a check leaves for CI systems, and where."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.foreign_text import for_markdown
from soak.private_file import explained, make_folder, replace_text
from soak.redaction import redacted_text
from soak.studies.check.archive import write_archive
from soak.studies.check.github import append_job_summary, failed_start_command, is_github, workflow_commands
from soak.studies.check.junit import write_failed_start, write_junit
from soak.studies.check.openmetrics import write_openmetrics
from soak.studies.check.summary import render_summary

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from soak.studies.check.result import CheckResult


@dataclass(frozen=True)
class Outputs:
    """Files that are wanted, each None where it is not; a GitHub runner is told in any case."""

    junit: Path | None
    markdown: Path | None
    metrics: Path | None
    archive: Path | None

    def write(self, result: CheckResult) -> None:
        """Write them all; raises `SoakError` when one cannot be written."""
        self._make_folders()
        summary = render_summary(result)
        if self.junit is not None:
            write_junit(result, self.junit)
        if self.markdown is not None:
            replace_text(self.markdown, summary)
        if self.metrics is not None:
            write_openmetrics(result, self.metrics)
        if self.archive is not None:
            write_archive(result.run.path, self.archive)
        _tell_github(summary, workflow_commands(result))

    def write_failed_start(self, message: str) -> None:
        """Say why there is nothing else: the server did not come up, or could not be reached."""
        self._make_folders()
        message = redacted_text(message)
        if self.junit is not None:
            write_failed_start(message, self.junit)
        summary = f"## soak check: the server failed\n\n{for_markdown(message)}\n"
        _tell_github(summary, [failed_start_command(message)])

    def _make_folders(self) -> None:
        for path in filter(None, (self.junit, self.markdown, self.metrics, self.archive)):
            with explained(path):
                make_folder(path.parent, exist_ok=True)


def _tell_github(summary: str, commands: Iterable[str]) -> None:
    append_job_summary(summary, os.environ)
    if is_github(os.environ):
        sys.stderr.writelines(f"{line}\n" for line in commands)
