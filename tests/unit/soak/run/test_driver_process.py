"""How a load driver that breaks down ends a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from soak.errors import ExitCode, SoakError
from soak.run.driver_process import DriverProcess

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("script", "words", "exit_code"),
    [
        ("exit 1", "the load driver ended with status 1: KeyError: 'lost'", ExitCode.SOAK_FAILED),
        ("echo nonsense", "report this as a bug of soak", ExitCode.SOAK_FAILED),
        ("exit 2", "the load driver ended with status 2", ExitCode.USAGE),
    ],
)
async def test_a_driver_that_breaks_down_says_nothing_about_the_server(
    tmp_path: Path, script: str, words: str, exit_code: ExitCode
) -> None:
    log = tmp_path / "driver.log"
    log.write_text("Traceback\nKeyError: 'lost'\n")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("sh", "-c", script, stdin=pipe, stdout=pipe)
    with pytest.raises(SoakError, match=words) as caught:
        [message async for message in DriverProcess(process, log).messages()]
    assert caught.value.exit_code is exit_code
    await process.wait()
