"""What a recorded target could do, by what its manifest says or by its kind."""

import pytest

from soak.capabilities import ATTACHED
from soak.targets import Capability, capabilities_of


@pytest.mark.parametrize(
    ("kind", "can"),
    [
        ("attached", {"process"}),
        ("command", {"process", "may_be_restarted", "may_be_preloaded", "may_be_stopped"}),
        ("bundled", set(Capability)),
        ("hologram", set()),
    ],
)
def test_recordings_of_old_are_known_by_their_kind(kind: str, can: set[str]) -> None:
    assert capabilities_of({"kind": kind}) == can


def test_what_is_recorded_counts_and_what_is_not_known_is_passed_over() -> None:
    recorded = {"kind": "bundled", "capabilities": [*ATTACHED, "may_be_cloned"]}
    assert capabilities_of(recorded) == ATTACHED
    assert capabilities_of({}) == frozenset()
