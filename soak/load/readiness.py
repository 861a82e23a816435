"""Is the server ready? A port that listens proves nothing: models may still be loading behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from soak.load.session import Session, SessionError

if TYPE_CHECKING:
    from soak.load.clips import Clip
    from soak.load.endpoint import Endpoint
    from soak.load.scenarios import Scenario

RETRY_S = 0.25
"""Pause between two attempts: short beside the loading of a model, long enough not to disturb it."""


@dataclass(frozen=True)
class Readiness:
    """The first dialogue that was completed."""

    attempts: int
    waited_s: float
    transcript: str


class NotReadyError(Exception):
    """No dialogue was completed in time; the message is one line."""

    def __init__(self, url: str, waited_s: float, attempts: int, last: SessionError | None) -> None:
        """Keep the number of attempts and how the last one failed."""
        self.attempts = attempts
        self.last = last
        why = f"{attempts} attempts, the last one: {last}" if last else "the first attempt was still waiting"
        super().__init__(f"{url} gave no final result within {waited_s:g} s ({why})")


async def wait_for_first_result(
    endpoint: Endpoint, scenario: Scenario, timeout_s: float, clip: Clip
) -> Readiness:
    """Play `scenario` with `clip` until it ends in a final result; raises `NotReadyError`."""
    # the first result may take as long as the loading of a model: only the whole wait has a limit
    endpoint = replace(endpoint, result_timeout_s=timeout_s)
    clock = asyncio.get_running_loop().time
    started_s = clock()
    attempts, last = 0, None
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                attempts += 1
                try:
                    answer = await Session(endpoint, clip).hold(scenario)
                except SessionError as error:
                    last = error
                else:
                    transcript = "" if answer is None else answer.transcript
                    return Readiness(attempts, clock() - started_s, transcript)
                await asyncio.sleep(RETRY_S)
    except TimeoutError:
        raise NotReadyError(endpoint.url, timeout_s, attempts, last) from None


def shortest(clips: tuple[Clip, ...]) -> Clip:
    """Return the clip that asks least of the server."""
    return min(clips, key=lambda clip: clip.duration_s)
