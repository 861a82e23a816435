"""What `soak profile` ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.judging.judgement import EXIT_CODE_OF

if TYPE_CHECKING:
    from soak.errors import ExitCode
    from soak.studies.profile.result import ProfileResult


def profile_exit_code(result: ProfileResult) -> ExitCode:
    """Return what the heap in use comes to: a stack that climbs while the whole is flat is no leak yet."""
    return EXIT_CODE_OF[result.heap.label]
