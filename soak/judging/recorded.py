"""What the judge reads of a recorded run: its series, and the settings that were asked for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from soak.analyse import JudgeSettings, Series
from soak.errors import SoakError
from soak.record.recorded import first_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from soak.record import Run
    from soak.record.origin import Origin


def series_of(samples: pd.DataFrame) -> Series:
    """Take from a table of samples what the judge reads; absent or wholly empty columns become None."""
    return Series(
        t_s=samples["t_s"].to_numpy(np.float64),
        values=samples["rss_bytes"].to_numpy(np.float64),
        connections_completed=numbers(samples, "connections_completed"),
        open_connections=numbers(samples, "open_connections"),
        phase=samples["phase"].to_numpy(np.str_) if "phase" in samples else None,
        swap_bytes=numbers(samples, "swap_bytes"),
        audio_s=numbers(samples, "audio_s"),
    )


def numbers(samples: pd.DataFrame, column: str) -> NDArray[np.float64] | None:
    """Return a column with NaN for gaps; None where it is absent or wholly empty."""
    if column not in samples or samples[column].isna().all():
        return None
    return samples[column].to_numpy(np.float64)


def _settings_of(origin: Origin) -> JudgeSettings:
    """Return the settings for a file of somebody else: its grain, its axis, and what its falls mean."""
    settings = JudgeSettings()
    changes: dict[str, Any] = {"grain_bytes": max(settings.grain_bytes, origin.grain_bytes)}
    if origin.step is not None:
        changes["in_steps"] = True
    if origin.falls_are_releases:
        changes["max_restarts"] = 0
    return dataclasses.replace(settings, **changes)


def held_bytes(samples: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return what the program held, as read from outside: heap in use, with small Python objects where any.

    NaN for no reading; None where it was never read.
    """
    in_use, python = (numbers(samples, column) for column in ("heap_in_use_bytes", "python_in_use_bytes"))
    return in_use if in_use is None or python is None else in_use + python


def recorded_settings(run: Run, asked: Mapping[str, float] | None = None) -> JudgeSettings:
    """Return the judge's settings with what the run asked for, or the defaults for a bare CSV.

    Thresholds that the run did not ask to change are those of today's judge, so that an old run is judged as
    a new one. `asked` is what is asked for now, by the names of the settings; it comes last.
    """
    settings = _of_the_run(run) if run.origin is None else _settings_of(run.origin)
    return dataclasses.replace(settings, **(asked or {}))  # type: ignore[arg-type]  # names of settings


def _of_the_run(run: Run) -> JudgeSettings:
    """Return what the run was configured with; raises `SoakError` for what cannot be."""
    asked = run.manifest.judge_asked
    known = dataclasses.asdict(JudgeSettings())
    try:
        # what only another version of the judge knows is left out
        return TypeAdapter(JudgeSettings).validate_python(
            known | {name: value for name, value in asked.items() if name in known}
        )
    except ValidationError as error:
        raise SoakError(f"{run.path}: the judge's settings of the recording: {first_fault(error)}") from error
