"""Waiting for what blocks, without waiting for it in the end.

The threads of `asyncio.to_thread` are waited for when the loop ends, and again when the program does: one
that hangs holds up both. These are left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


async def in_daemon_thread(call: Callable[[], Result], name: str) -> Result:
    """Return what `call` returns, or raise what it raises; a wait that is cancelled leaves it running."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Result] = loop.create_future()

    def take(result: Result | None, error: BaseException | None) -> None:
        if answer.done():  # cancelled, at the end of the run
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # it is one where there is no error

    def work() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # noqa: BLE001 - it is raised again where it is waited for
            error = raised
        with contextlib.suppress(RuntimeError):  # the run is over, and its loop is closed
            loop.call_soon_threadsafe(take, result, error)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await answer
