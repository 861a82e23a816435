"""Does a memory limit hold, and is it not far too large? Three runs of one load tell, sometimes a fourth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from soak.config import load_config
from soak.config.length import SETTINGS as LENGTH_SETTINGS
from soak.errors import ExitCode, SoakError, TargetError
from soak.judging import judge_run
from soak.quantity import format_level
from soak.record import read_run
from soak.record.events import Calibrated
from soak.studies.conduct import OwnMemory, PlannedRun, Study, new_folder, read_kept, started
from soak.studies.limit.limited_run import (
    TOO_LITTLE,
    Fate,
    LimitedRun,
    judged_against,
    limited_run,
    needed_bytes,
)
from soak.studies.limit.result import JSON_NAME, SCHEMA_VERSION, write_limit_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.config import SoakConfig
    from soak.record import Run
    from soak.studies.conduct import MadeRun, NotStarted

UNLIMITED, ADVISED, AGAIN, TOO_LITTLE_RUN = "unlimited", "advised", "again", "too-little"


@dataclass(frozen=True)
class LimitPlan:
    """What is run, and which limit is verified."""

    config: str
    """Name or file of the configuration."""
    settings: tuple[str, ...]
    """Settings laid over it, `section.key=value`."""
    overrides: dict[str, dict[str, Any]]
    """Section to key to value, laid over that."""
    limit_bytes: int | None
    """None: the lower one that is advised from the run without a limit."""

    @classmethod
    def of_recorded(
        cls,
        path: Path,
        settings: Sequence[str],
        overrides: dict[str, dict[str, Any]],
        limit_bytes: int | None,
    ) -> Self:
        """Return the plan to run a recorded run of the bundled server again, with the limit advised from it.

        Raises `SoakError` for a run of another server, and for one from which no limit can be advised.
        """
        recorded = read_run(path)
        server, load = recorded.manifest.reference_server, recorded.manifest.configuration.load
        if server is None:
            raise SoakError(f"{path} is no run of the bundled server: give --config and --limit instead")
        limits = judge_run(recorded).verdict.advice["memory_limit_bytes"]
        if not limits:
            raise SoakError(
                f"{path} has no memory readings to advise a limit from: give --config and --limit"
            )
        load = {name: value for name, value in load.items() if name not in LENGTH_SETTINGS}
        laid_over = {
            "server": {**server.to_json_object(), **overrides["server"]},
            "load": {**load, **overrides["load"]},
        }
        return cls("minimal", tuple(settings), laid_over, limit_bytes or limits[0])

    def load_config(self) -> SoakConfig:
        """Return the configuration of all the runs; raises `SoakError` when its settings are wrong."""
        return load_config(self.config, self.settings, self.overrides)


class LimitStudy(Study[LimitedRun]):
    """One load without a limit, with the limit, and with four fifths of what it took at most.

    Where the limit seems to slow the server down, one more run without tells whether it was the machine.
    """

    def __init__(self, plan: LimitPlan, folder: Path) -> None:
        """Verify the limit of `plan`; raises `SoakError` when its settings are wrong."""
        self.plan = plan
        self.folder = folder
        self._config = plan.load_config()

    @classmethod
    def begin(cls, plan: LimitPlan, out: Path) -> Self:
        """Make a folder under `out` for the runs; raises `SoakError` when it cannot be made."""
        plan.load_config()  # before there is a folder
        return cls(plan, new_folder(out, "verify-limit"))

    @classmethod
    def read(cls, folder: Path) -> tuple[Self, list[LimitedRun]]:
        """Return the study in `folder`, and the runs that were made; raises `SoakError`."""
        plan, runs = read_kept(folder / JSON_NAME, "a verify-limit", SCHEMA_VERSION, _read)
        return cls(plan, folder), runs

    def next_run(self, done: Sequence[LimitedRun]) -> PlannedRun | None:
        """Return the run that follows; its limit and its rate of arrivals are those that the first found."""
        by_name = {run.name: run for run in done}
        if UNLIMITED not in by_name:
            return self._planned(UNLIMITED, "without a limit", None, to_follow=2)
        if ADVISED not in by_name:
            limit = self.plan.limit_bytes or self._advised_bytes(by_name[UNLIMITED])
            words = f"with the advised {format_level(limit)}"
            return self._planned(ADVISED, words, limit, by_name[UNLIMITED], to_follow=1)
        if AGAIN not in by_name and by_name[ADVISED].fate in {Fate.SLOWER, Fate.NOT_TOLD}:
            words = "once more without a limit: was it the limit, or the machine?"
            return self._planned(AGAIN, words, None, by_name[UNLIMITED], to_follow=1)
        if TOO_LITTLE_RUN not in by_name:
            low = int(TOO_LITTLE * needed_bytes(by_name[UNLIMITED], self._recorded(by_name[UNLIMITED])))
            return self._planned(TOO_LITTLE_RUN, f"with {format_level(low)}", low, by_name[UNLIMITED])
        return None

    def outcome_of(
        self, done: Sequence[LimitedRun], planned: PlannedRun, made: MadeRun | NotStarted
    ) -> LimitedRun:
        """Return what became of the server; without a limit it must not fail."""
        if planned.name != UNLIMITED:
            return limited_run(planned, made, self._recorded(done[0]))
        made = started(made)
        if made.exit_code is ExitCode.TARGET_FAILED:
            raise TargetError(f"the server failed without any limit: see {made.run.path}")
        return limited_run(planned, made, None)

    def keep(self, done: Sequence[LimitedRun], *, complete: bool) -> None:
        """Write `limit.json`."""
        write_limit_json(self.folder, asdict(self.plan), self.compared(done), complete=complete)

    def compared(self, done: Sequence[LimitedRun]) -> list[LimitedRun]:
        """Return the runs with the limited one compared with the nearest in time that had no limit."""
        again = next((run for run in done if run.name == AGAIN), None)
        if again is None or again.run is None:
            return [run for run in done if run is not again]
        nearest = self._recorded(again)
        return [judged_against(run, nearest, self.folder) if run.name == ADVISED else run for run in done]

    def _planned(
        self,
        name: str,
        words: str,
        limit_bytes: int | None,
        unlimited: LimitedRun | None = None,
        *,
        to_follow: int = 0,
    ) -> PlannedRun:
        load = self._config.load
        calibrated = None if unlimited is None else self._recorded(unlimited).last_event(Calibrated)
        if calibrated is not None:
            load = replace(load, rate_per_s=float(calibrated.rate_per_s))
        config = replace(self._config, name=name, load=load)
        return PlannedRun(config, words, to_follow=to_follow, memory=OwnMemory(limit_bytes))

    def _recorded(self, made: LimitedRun) -> Run:
        """Read what was recorded of a run that was made."""
        if made.run is None:
            raise SoakError(f"{self.folder} holds no run {made.name}: verify the limit anew")
        return read_run(self.folder / made.run)

    def _advised_bytes(self, unlimited: LimitedRun) -> int:
        return int(judge_run(self._recorded(unlimited)).verdict.advice["memory_limit_bytes"][0])


def _read(content: dict[str, Any]) -> tuple[LimitPlan, list[LimitedRun]]:
    plan = content["plan"]
    runs = [LimitedRun.of_json_object(each) for each in content["runs"]]
    return LimitPlan(**{**plan, "settings": tuple(plan["settings"])}), runs
