"""Whom to talk to and how, the same for every connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.dialects import Dialect
    from soak.load.plan import LoadPlan


@dataclass(frozen=True)
class Endpoint:
    """A server, its dialect and the limits of patience with it."""

    url: str
    tls: ssl.SSLContext | None
    dialect: Dialect
    connect_timeout_s: float
    result_timeout_s: float
    close_timeout_s: float
    compression: bool = False

    @classmethod
    def from_plan(cls, plan: LoadPlan) -> Endpoint:
        """Take the plan's part that concerns a single connection."""
        return cls(
            url=plan.url,
            tls=_tls_context(plan),
            dialect=plan.dialect,
            connect_timeout_s=plan.connect_timeout_s,
            result_timeout_s=plan.result_timeout_s,
            close_timeout_s=plan.close_timeout_s,
            compression=plan.compression,
        )


def _tls_context(plan: LoadPlan) -> ssl.SSLContext | None:
    if not plan.url.startswith("wss://"):
        return None
    context = ssl.create_default_context()
    if not plan.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
