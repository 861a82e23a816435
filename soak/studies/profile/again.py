"""A run that climbs, once more under a profiler."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from soak.redaction import redacted
from soak.studies.conduct import conduct
from soak.studies.profile.choice import profiler_for
from soak.studies.profile.rhythm import DEFAULT_CONNECTIONS, profiled_load
from soak.studies.profile.study import ProfileStudy
from soak.studies.profile.target import Profiled
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from soak.config import SoakConfig
    from soak.studies.conduct import MadeRun
    from soak.studies.profile.result import ProfileResult
    from soak.targets import Target


def command_line() -> str:
    """Return the command that is running, as one types it."""
    return shlex.join(redacted(["soak", *sys.argv[1:]]))


def study_of(config: SoakConfig, target: Target, console: Console) -> ProfileStudy:
    """Return the profile of a run's load, over the usual number of connections at most.

    Raises `SoakError`, in one line, where the server cannot be profiled or something is not installed: make
    it before the run, so that this is known at once and not after a day.
    """
    load = profiled_load(
        config.load, min(config.load.connections or DEFAULT_CONNECTIONS, DEFAULT_CONNECTIONS)
    )
    return ProfileStudy(
        replace(config, load=load), Profiled(target, profiler_for(target)), command_line(), console
    )


def profile_if_climbing(
    made: MadeRun, study: ProfileStudy, out: Path, console: Console
) -> ProfileResult | None:
    """Make the profile of a run whose memory climbs, and leave `profile.json` beside its verdict, too.

    None where memory does not climb. Raises as `conduct` does.
    """
    if made.judgement.verdict.memory_label is not Label.CLIMBING:
        return None
    console.print("Memory climbs: the same load once more, under a profiler.", highlight=False)
    (result,) = conduct(study, (), out, console)
    result.write(made.run.path)
    return result
