"""What a run comes to, and the exit code that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soak.errors import ExitCode
from soak.judging.document import by_steps, verdict_document
from soak.quantity import counted_in
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soak.record.origin import Origin
    from soak.record.transcripts import Transcripts
    from soak.verdict.run_verdict import RunVerdict

EXIT_CODE_OF = {
    Label.PLATEAU: ExitCode.PLATEAU,
    Label.CLIMBING: ExitCode.CLIMBING,
    Label.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}
SEVERITY = (ExitCode.TARGET_FAILED, ExitCode.CLIMBING, ExitCode.INCONCLUSIVE, ExitCode.PLATEAU)
"""Which exit code speaks for several runs: the first of these that occurs."""


@dataclass(frozen=True)
class Judgement:
    """What a run comes to."""

    verdict: RunVerdict
    transcripts: Transcripts | None = None
    """What became of the transcripts; None where they were not counted. They do not change the verdict."""

    origin: Origin | None = None
    """How the recording was read where it is somebody else's."""

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a verb that judges this run alone; a target that failed outweighs its memory."""
        if self.verdict.evidence.failure is not None:
            return ExitCode.TARGET_FAILED
        return EXIT_CODE_OF[self.verdict.label]

    def to_json_object(self, source: str | None = None) -> dict[str, Any]:
        """Return what `verdict.json` and `--json` hold: the verdict, and `transcripts` beside it."""
        transcripts = None if self.transcripts is None else self.transcripts.to_json_object()
        step = None if self.origin is None else self.origin.step
        with counted_in(step):
            document = verdict_document(self.verdict, source) | {"transcripts": transcripts}
        if self.origin is None:
            return document
        read = {name: getattr(self.origin, name) for name in ("read_as", "series", "step")}
        told = document if step is None else by_steps(document)
        return told | read | {"warnings": list(self.origin.warnings)}


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code that speaks for several runs; an interruption outweighs all."""
    codes = list(codes)
    if ExitCode.INTERRUPTED in codes:
        return ExitCode.INTERRUPTED
    return next(code for code in SEVERITY if code in codes)
