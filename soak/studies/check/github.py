"""What GitHub's runners read: the job summary and annotations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from soak.foreign_text import for_workflow_command, for_workflow_property
from soak.private_file import explained, open_to_append
from soak.studies.check.findings import Outcome
from soak.studies.profile.words import headline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.studies.check.result import CheckResult

COMMANDS = {Outcome.FAILED: "error", Outcome.UNDECIDED: "warning"}


def workflow_commands(result: CheckResult) -> list[str]:
    """Return a workflow command for each finding that failed or is undecided, and one for the headline."""
    lines = [
        f"::{COMMANDS[finding.outcome]} title={for_workflow_property(f'soak: {finding.name}')}"
        f"::{for_workflow_command(finding.message)}"
        for finding in result.findings
        if finding.outcome in COMMANDS
    ]
    return [*lines, *_culprits(result), f"::notice title=soak check::{for_workflow_command(result.headline)}"]


def failed_start_command(message: str) -> str:
    """Return the workflow command for a server that gave no run to judge."""
    return f"::error title=soak check::{for_workflow_command(message)}"


def is_github(environment: Mapping[str, str]) -> bool:
    """Say whether this runs in a GitHub workflow."""
    return environment.get("GITHUB_ACTIONS") == "true"


def append_job_summary(markdown: str, environment: Mapping[str, str]) -> None:
    """Append to the file that GITHUB_STEP_SUMMARY names, if it is set; raises `SoakError` when it cannot."""
    name = environment.get("GITHUB_STEP_SUMMARY")
    if name:
        path = Path(name)
        with explained(path), os.fdopen(open_to_append(path), "a", encoding="utf-8") as stream:
            stream.write(markdown)


def _culprits(result: CheckResult) -> list[str]:
    """Annotate the line that keeps the memory, for the code's own page."""
    if result.profile is None or not result.profile.culprits:
        return []
    site = result.profile.culprits[0].site
    place = "" if site.file is None else f",file={for_workflow_property(site.file)},line={site.line or 1}"
    return [f"::error title=soak profile{place}::{for_workflow_command(headline(result.profile))}"]
