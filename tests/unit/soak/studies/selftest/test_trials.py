import pytest

from asr_server.inject import KINDS
from soak.config import load_config
from soak.errors import SoakError
from soak.studies.selftest.trials import (
    DEFAULT_CONNECTIONS,
    SPECIMENS,
    Share,
    TrialScenario,
    controls,
    quick_trials,
    trial_of,
    trials_of,
)
from soak.verdict.attribution import Culprit

EVERYTHING = trials_of(list(SPECIMENS))


def test_every_kind_is_tried_at_full_and_at_a_tenth_and_every_scenario_has_its_control() -> None:
    assert list(SPECIMENS) == list(KINDS)
    tried = {(each.injection.kind, each.share) for each in EVERYTHING if each.injection}
    assert tried == {(kind, share) for kind in KINDS for share in (Share.FULL, Share.TENTH)}
    assert {each.scenario for each in EVERYTHING if not each.injection} == set(TrialScenario)
    assert len({each.name for each in EVERYTHING}) == len(EVERYTHING)


@pytest.mark.parametrize("trial", EVERYTHING, ids=lambda trial: trial.name)
def test_every_trial_is_a_valid_configuration(trial: object) -> None:
    assert trial in EVERYTHING
    chosen = EVERYTHING[EVERYTHING.index(trial)]
    config = load_config("minimal", chosen.settings(DEFAULT_CONNECTIONS))
    assert config.server.inject == ((str(chosen.injection),) if chosen.injection else ())
    assert config.load.connections == DEFAULT_CONNECTIONS


def test_a_tenth_is_a_tenth_of_what_shows() -> None:
    trials = {each.name: each.injection for each in EVERYTHING}
    full, tenth = trials["native-full"], trials["native-tenth"]
    assert full is not None
    assert tenth is not None
    assert tenth.size_bytes == pytest.approx(full.size_bytes / 10, abs=1)
    sockets = trials["socket-tenth"]
    assert sockets is not None
    assert (sockets.size_bytes, sockets.probability) == (4096, 0.1)


def test_only_full_sizes_must_be_found_and_only_what_ends_must_not() -> None:
    named = {each.name: each for each in EVERYTHING}
    assert named["session-full"].must_climb
    assert not named["session-tenth"].must_climb
    assert not named["native-segment-full"].must_climb
    assert {name for name, each in named.items() if each.must_not_climb} == {
        "cache-full", "cache-tenth",
        "control", "control-cut-off", "control-compressed", "control-unique-hotwords",
    }  # fmt: skip


def test_the_quick_ones_have_a_control_and_each_resource() -> None:
    assert [each.name for each in quick_trials()] == [
        "control", "session-full", "native-full", "socket-full", "thread-full", "session-tenth",
    ]  # fmt: skip


def test_an_unknown_kind_is_refused_in_one_line() -> None:
    with pytest.raises(
        SoakError, match="--kind sesion: there is no such kind; there are session, state"
    ) as caught:
        trials_of(["native", "sesion"])
    assert "\n" not in str(caught.value)


def test_tenths_can_be_left_out_and_clean_runs_be_many() -> None:
    assert [trial.name for trial in trials_of(["fd"], (Share.FULL,))] == ["control", "fd-full"]
    assert [trial.injection for trial in controls(3)] == [None, None, None]


def test_every_kind_has_a_name_for_what_it_leaks() -> None:
    named = {kind: trial_of(kind, Share.FULL).culprit for kind in SPECIMENS}
    assert named["native"] is Culprit.NATIVE
    assert named["session"] is Culprit.PYTHON
    with pytest.raises(ValueError, match="nothing is injected"):
        _ = controls(1)[0].culprit
