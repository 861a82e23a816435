"""Whom to talk to and how, the same for every connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.load.plan import LoadPlan, PlanError
from soak.tls import client_context

if TYPE_CHECKING:
    import ssl

    from soak.dialects import Dialect


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
    """Return how the certificate is checked; raises `PlanError` where the one to trust cannot be read."""
    if not plan.url.startswith("wss://"):
        return None
    try:
        return client_context(verify=plan.verify_tls, certificate=plan.certificate)
    except OSError as error:  # that of SSL is one, too
        raise PlanError(f"load.certificate {plan.certificate}: {error.strerror or error}") from None
