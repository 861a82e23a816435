"""The world that the judge learns from: the same for everybody, and true to what it says."""

from __future__ import annotations

import numpy as np
import pytest

from soak.learn.seen import seen
from soak.learn.world import example, world
from soak.learn.world.draw import Draw
from soak.learn.world.process import HEALTHY, LEAKS, NOISES, Part, Registered
from soak.learn.world.scene import set_scene

SEED = 11


def test_a_trace_is_the_same_wherever_it_is_made() -> None:
    for index in range(20):
        one, other = example((SEED, index)), example((SEED, index))
        assert np.array_equal(one.recorded.values, other.recorded.values)
        assert one.growth == other.growth
    assert not np.array_equal(example((SEED, 0)).recorded.values, example((SEED, 1)).recorded.values)


def test_every_trace_can_be_a_recording() -> None:
    for index in range(300):
        recorded = example((SEED, index)).recorded
        assert np.all(np.diff(recorded.t_s) > 0)
        assert np.all(recorded.values > 0)
        assert np.allclose(recorded.values / recorded.grain, np.rint(recorded.values / recorded.grain))
        if recorded.connections is not None:
            assert np.all(np.diff(recorded.connections) >= 0)


def test_about_half_of_the_traces_leak() -> None:
    leaking = sum(example((SEED, index)).growth > 0 for index in range(600))
    assert 250 < leaking < 350


@pytest.mark.parametrize("registered", LEAKS, ids=lambda each: each.process.__name__)
def test_a_leak_gains_what_it_says(registered: Registered) -> None:
    """Of many leaks of a kind the gain over the trace is, in the middle, the growth that is called true.

    One that begins late, or slows down or quickens, gains less or more before it has its pace to come.
    """
    gained, lasting = [], []
    for index in range(200):
        part = registered.process(set_scene(draw(index)))
        gained.append(float(part.memory[-1] - part.memory[0]))
        lasting.append(part.lasting)
        assert part.lasting > 0
    name = registered.process.__name__
    if name not in {"starting_late", "slowing", "quickening"}:
        assert np.median(np.array(gained) / np.array(lasting)) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("registered", HEALTHY, ids=lambda each: each.process.__name__)
def test_what_is_healthy_lasts_not(registered: Registered) -> None:
    for index in range(50):
        part = registered.process(set_scene(draw(index)))
        assert part.lasting == 0
        assert np.all(np.isfinite(part.memory))


@pytest.mark.parametrize("registered", NOISES, ids=lambda each: each.process.__name__)
def test_noise_stays_where_it_was(registered: Registered) -> None:
    sizes = [float(np.std(registered.process(set_scene(draw(index))).memory)) for index in range(100)]
    assert np.all(np.isfinite(sizes))
    assert np.median(sizes) < 6


def test_the_judge_is_shown_numbers_without_a_unit() -> None:
    for index in range(100):
        shown = seen((SEED, index))
        assert np.all(np.isfinite(shown.channels))
        assert np.all(np.isfinite(shown.scalars))
        assert np.abs(shown.channels).max() < 50


def test_a_process_of_ones_own_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `process.py` shows it: a function, its ranges, and one line that registers it."""

    def ever_larger_table(scene: object) -> Part:
        size = scene.size  # type: ignore[attr-defined]
        return Part(np.full(size, 0.5))

    monkeypatch.setattr(world, "HEALTHY", [Registered(ever_larger_table, 1.0)])
    monkeypatch.setattr(world, "LEAKING", 0.0)
    heights = [
        np.median(example((SEED, i)).recorded.values / example((SEED, i)).recorded.level) for i in range(40)
    ]
    assert max(heights) > 1.4


def draw(index: int) -> Draw:
    return Draw(np.random.default_rng((SEED, index)))
