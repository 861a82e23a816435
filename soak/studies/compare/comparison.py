"""What a comparison of two sides comes to, and what several come to together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soak.errors import ExitCode, SoakError
from soak.studies.compare.comparing import Change, compare
from soak.studies.compare.side import differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.studies.compare.comparing import Compared
    from soak.studies.compare.side import Side

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SideComparison:
    """One side against another."""

    before: Side
    after: Side
    unlike: tuple[str, ...]
    """In what the two are unlike, though they were compared all the same."""
    rows: tuple[Compared, ...]

    @property
    def memory_is_worse(self) -> bool:
        """Whether any figure of memory is shown to be worse."""
        return any(row.is_memory and row.change is Change.WORSE for row in self.rows)

    def changed_versions(self) -> dict[str, tuple[str, str]]:
        """Return the versions that differ, before and after, by name."""
        found = {}
        for name in sorted(self.before.versions.keys() | self.after.versions.keys()):
            old, new = (side.versions.get(name, "not recorded") for side in (self.before, self.after))
            if old != new:
                found[name] = (old, new)
        return found


def comparison_of(before: Side, after: Side, *, tolerance: float, allow_unlike: bool) -> SideComparison:
    """Compare `after` with `before`; raises `SoakError` when they are unlike and that is not allowed."""
    unlike = differences(before, after)
    if unlike and not allow_unlike:
        raise SoakError(
            f"{before.name} and {after.name} are not alike ({'; '.join(unlike)}); "
            "--allow-unlike compares them all the same"
        )
    return SideComparison(before, after, tuple(unlike), tuple(compare(before, after, tolerance=tolerance)))


def comparison_exit_code(comparisons: Sequence[SideComparison]) -> ExitCode:
    """Return 1 when any of them shows more memory, else 0."""
    worse = any(comparison.memory_is_worse for comparison in comparisons)
    return ExitCode.CLIMBING if worse else ExitCode.PLATEAU


def to_json_object(before: Side, comparisons: Sequence[SideComparison]) -> dict[str, Any]:
    """Return comparisons with one side as JSON-ready data; NaN is null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "before": before.name,
        "runs_before": len(before.runs),
        "comparisons": [
            {
                "after": each.after.name,
                "runs_after": len(each.after.runs),
                "figures": [row.to_json_object() for row in each.rows],
            }
            for each in comparisons
        ],
    }
