"""An ASGI application that reads a body and answers with its length.

Environment: `KEEP` bytes of every body are kept for ever (0: none), `HOLD_S` seconds pass before the answer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
KEEP = int(os.environ.get("KEEP", "0"))
HOLD_S = float(os.environ.get("HOLD_S", "0"))
kept: list[bytes] = []


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve one request."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if KEEP:
        kept.append(body[:KEEP])
    await asyncio.sleep(HOLD_S)
    answer = str(len(body)).encode()
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
