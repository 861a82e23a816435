"""Growth that lasts, scaled to about 1 over the trace, with the pace it will go on at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.learn.world.process import Axis, Part, leak

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.learn.world.scene import Scene

    Floats = NDArray[np.float64]


def _axis(scene: Scene) -> tuple[Floats, Axis]:
    """Return the share of the work that is done, by connections or by time."""
    if scene.draw.chance(0.6):
        return scene.connections / max(float(scene.connections[-1]), 1e-12), Axis.CONNECTIONS
    return scene.t_s / scene.length_s, Axis.TIME


@leak(weight=6.0)
def steady(scene: Scene) -> Part:
    """A session, a buffer, a socket kept for each connection, or a timer's garbage for each second."""
    x, axis = _axis(scene)
    return Part(x, 1.0, axis)


@leak(weight=1.5)
def starting_late(scene: Scene) -> Part:
    """Begin within the trace: a feature first used, or free memory that is filled first and hides it."""
    x, axis = _axis(scene)
    onset = scene.draw.between(0.02, 0.75)
    return Part(np.maximum(x - onset, 0.0) / (1.0 - onset), 1.0 / (1.0 - onset), axis)


@leak(weight=1.2)
def rare(scene: Scene) -> Part:
    """A few large pieces: one event in many keeps something (2 % of connections, an abrupt close)."""
    x, axis = _axis(scene)
    events = scene.draw.whole(5, 300)
    places = scene.draw.uniform(events)
    sizes = np.exp(scene.draw.between(0.0, 1.0) * scene.draw.normal(events))
    order = np.argsort(places)
    kept = np.concatenate([[0.0], np.cumsum(sizes[order])])
    mean = float(np.exp(0.5 * np.var(np.log(sizes)))) * events
    return Part(kept[np.searchsorted(places[order], x)] / mean, 1.0, axis)


@leak(weight=1.6)
def in_chunks(scene: Scene) -> Part:
    """Steady, but memory is taken in equal steps (CPython's arenas of 1 MiB, heaps of 64 MiB, huge pages)."""
    x, axis = _axis(scene)
    chunks, phase = scene.draw.log_between(1.8, 120), scene.draw.rng.random()
    return Part(np.floor(x * chunks + phase) / chunks, 1.0, axis)


@leak(weight=0.8)
def in_bursts(scene: Scene) -> Part:
    """Only now and then, and then fast: a path that some clients take."""
    x, axis = _axis(scene)
    bursts, on = scene.draw.whole(3, 40), scene.draw.between(0.1, 0.6)
    whole, part = np.divmod(x * bursts + scene.draw.rng.random(), 1.0)
    return Part((whole + np.minimum(part / on, 1.0)) / bursts, 1.0, axis)


@leak(weight=0.5)
def slowing(scene: Scene) -> Part:
    """Ever slower, but without an end in sight; its pace is that of the later half."""
    x, axis = _axis(scene)
    exponent = scene.draw.between(0.75, 0.97)
    x = (x + scene.ran_before) / (1.0 + scene.ran_before)
    grown = x**exponent
    half = grown[-1] - np.interp(0.5, x, grown) if scene.ran_before == 0 else (grown[-1] - grown[0]) / 2
    return Part(grown, 2.0 * float(half), axis)


@leak(weight=0.5)
def quickening(scene: Scene) -> Part:
    """Ever faster: each kept thing makes the next larger (a log that is kept whole, a quadratic buffer)."""
    x, axis = _axis(scene)
    exponent = scene.draw.between(1.1, 2.0)
    return Part(x**exponent, 2.0 * (1.0 - 0.5**exponent), axis)


@leak(weight=0.8)
def wavering(scene: Scene) -> Part:
    """At a pace that wavers with what clients ask for."""
    x, axis = _axis(scene)
    nodes = np.exp(scene.draw.between(0.2, 0.7) * scene.draw.normal(scene.draw.whole(3, 16)))
    pace = np.interp(x, np.linspace(0, 1, nodes.size), nodes)
    grown = np.cumsum(pace * np.diff(x, prepend=x[0]))
    return Part(grown / max(float(grown[-1]), 1e-12), 1.0, axis)
