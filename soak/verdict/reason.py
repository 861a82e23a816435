"""Why a verdict is what it is: facts, without a word of prose."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ReasonKind(StrEnum):
    """What a reason is about. What facts each has is written where it is made."""

    # what a series comes to: the first of its reasons
    NOTHING_READ = "nothing_read"
    TOO_FEW_POINTS = "too_few_points"
    TOO_COARSE = "too_coarse"
    WITHIN_BUDGET = "within_budget"
    PERSISTS = "persists"
    UNDECIDED = "undecided"

    # what else a series shows
    SETTLING = "settling"
    GROWTH = "growth"
    NO_WARM_UP = "no_warm_up"
    WARM_UP = "warm_up"
    SENSITIVITY = "sensitivity"
    BASIS = "basis"
    RESTARTED = "restarted"
    LEFT_OVER = "left_over"

    # what only a run shows
    SERVER_DIED = "server_died"
    NEVER_ANSWERED = "never_answered"
    HEAP_OUTWEIGHS = "heap_outweighs"
    HEAP_BESIDE = "heap_beside"
    HEAP_DECIDES = "heap_decides"
    STOPPED_EARLY = "stopped_early"
    WENT_TO_ITS_END = "went_to_its_end"
    NO_END = "no_end"
    EVENTS_UNUSED = "events_unused"

    # where its growth sits
    CULPRITS = "culprits"
    WHERE_IT_GREW = "where_it_grew"
    SOCKETS_LEFT = "sockets_left"
    GIVEN_BACK = "given_back"


@dataclass(frozen=True)
class Reason:
    """One reason of a verdict."""

    kind: ReasonKind
    facts: Mapping[str, Any] = field(default_factory=dict)
    """By name, JSON-serialisable; None is what is not known."""

    def to_json_object(self) -> dict[str, Any]:
        """Return it as an entry of `reasons_structured` in `verdict.json`."""
        return {"kind": str(self.kind), "facts": dict(self.facts)}
