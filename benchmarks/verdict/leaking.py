"""Leaking families: memory that is kept for good and goes on being kept.

§ numbers are sections of the project's catalogue of memory growth; owner/repo#N are public issue threads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict import shapes
from benchmarks.verdict.draw import DAY_S, HOUR_S, Draw
from benchmarks.verdict.healthy import (
    day_scene,
    dead_readings,
    lives,
    machine_quantum,
    machine_scene,
    recount,
    settling_scene,
    swapped_course,
)
from benchmarks.verdict.load import held_by
from benchmarks.verdict.scene import Scene, set_scene
from benchmarks.verdict.sketch import Leak

if TYPE_CHECKING:
    from benchmarks.verdict.sketch import Sketch

EARLY = 0.3
"""Warm-ups of leaking traces are over by this share of the trace, unless the family is about them."""


def per_connection(draw: Draw) -> Sketch:
    """Keep a session object for every closed connection (12 to 50 KB each, §2; 100 MB, F#2164)."""
    scene = set_scene(draw, fewest_connections=60).with_columns("connections_completed")
    return scene.sketch(scene.warm_up(0.5, EARLY), leak=Leak(scene.load.completed, follows="connections"))


def per_hour(draw: Draw) -> Sketch:
    """Leak on a timer, load or no load (1 to 50 KB/s, §2)."""
    scene = set_scene(draw)
    return scene.sketch(scene.warm_up(0.5, EARLY), leak=Leak(scene.x))


def stairs(draw: Draw) -> Sketch:
    """Keep a large block at about even distances, 5 to 25 in all: a heap or an arena that grows in steps."""
    scene = set_scene(draw)
    steps = draw.count(5, 25)
    when = (np.arange(steps) + draw.rng.uniform(0.0, 0.6, steps) + draw.between(0.0, 0.4)) / steps
    course = shapes.stairs_at(scene.x, when, draw.rng.gamma(draw.between(4.0, 30.0), 1.0, steps))
    return scene.sketch(scene.warm_up(0.4, EARLY), leak=Leak(course))


def in_bursts(draw: Draw) -> Sketch:
    """Keep blocks of random size at random times, 12 to 80 in all."""
    scene = set_scene(draw)
    events = draw.count(12, 80)
    course = shapes.stairs_at(
        scene.x, draw.rng.random(events), draw.rng.gamma(draw.between(1.0, 3.0), 1.0, events)
    )
    return scene.sketch(scene.warm_up(0.4, EARLY), leak=Leak(course))


def rare_events(draw: Draw) -> Sketch:
    """Keep something with 2 % probability per connection (§2: each also with 2 % probability per event)."""
    scene = set_scene(draw, fewest_connections=1000).with_columns("connections_completed")
    hits = draw.rng.binomial(np.diff(scene.load.completed, prepend=0.0).astype(np.int64), 0.02)
    kept = draw.rng.gamma(np.maximum(hits * 1.5, 1e-9))
    return scene.sketch(scene.warm_up(0.4, EARLY), leak=Leak(np.cumsum(kept), follows="connections"))


def late_start(draw: Draw) -> Sketch:
    """Begin to leak after 30 to 60 % of the trace (§2: each also starting late)."""
    scene = set_scene(draw)
    begins = draw.between(0.3, 0.6)
    course = np.maximum(0.0, scene.x - begins)
    return scene.sketch(scene.warm_up(0.4, 0.2), leak=Leak(course, onset=begins))


def under_saw_tooth(draw: Draw) -> Sketch:
    """Raise the troughs of a saw-tooth: what each collection leaves behind (§3, compare the troughs)."""
    scene = set_scene(draw)
    teeth = shapes.saw_tooth(draw, scene.x, draw.log_between(8, 120), draw.between(0.02, 0.4))
    disturbance = draw.log_between(0.01, 0.12) * teeth
    return scene.sketch(scene.warm_up(0.4, EARLY), disturbance, Leak(scene.x))


def under_daily_swing(draw: Draw) -> Sketch:
    """Leak per hour or per connection under load that swings by the day, with or without the column."""
    scene, swing = day_scene(draw)
    if draw.chance(0.5):
        return scene.sketch(scene.warm_up(0.4, EARLY), swing, Leak(scene.x))
    scene = scene.with_columns("connections_completed")
    return scene.sketch(scene.warm_up(0.4, EARLY), swing, Leak(scene.load.completed, follows="connections"))


def under_hourly_swing(draw: Draw) -> Sketch:
    """Leak under a job or traffic that returns every half hour to two hours."""
    scene = set_scene(draw, shortest_s=5 * HOUR_S, longest_s=3 * DAY_S)
    swing = draw.log_between(0.005, 0.06) * shapes.hourly(draw, scene.clock.t_s)
    return scene.sketch(scene.warm_up(0.4, EARLY), swing, Leak(scene.x))


def sub_linear(draw: Draw) -> Sketch:
    """Slow down but never stop, as a power 0.5 to 0.8 of time; the truth is the pace of the last half."""
    scene = set_scene(draw)
    return scene.sketch(leak=Leak(scene.x ** draw.between(0.5, 0.8), truth_from=0.5))


def killed_for_memory(draw: Draw) -> Sketch:
    """Rise to the limit, be killed, start again and rise again: 1 to 4 kills (§3: split the series)."""
    scene = set_scene(draw)
    kills = draw.count(1, 4)
    life = 1.0 / (kills + draw.between(0.4, 0.95))
    bounds = life * np.arange(1, kills + 1, dtype=np.float64)
    course = (scene.x % life) / life
    settled = lives(draw, scene, bounds)
    kept = Leak(course, smallest=0.4 * kills, largest=2.0 * kills)
    sketch = recount(draw, scene, bounds).sketch(settled, leak=kept)
    return replace(sketch, missing=dead_readings(draw, scene, bounds))


def during_warm_up(draw: Draw) -> Sketch:
    """Leak under a benign warm-up that takes 30 to 60 % of the trace (§2, last line)."""
    scene = set_scene(draw)
    kind = draw.one_of(shapes.WARM_UPS)
    settled = draw.log_between(0.03, 0.4) * kind(draw, scene.x, draw.between(0.3, 0.6))
    return scene.sketch(settled, leak=Leak(scene.x))


def on_machine_history(draw: Draw) -> Sketch:
    """Leak on a machine whose memory moves by the day, by the job and slowly, for 3 to 8 days."""
    scene = machine_scene(draw)
    begins = draw.between(0.05, 0.4) if draw.chance(0.3) else 0.0
    leak = Leak(np.maximum(0.0, scene.x - begins), onset=begins)
    return replace(scene.sketch(leak=leak), quantum=machine_quantum(draw))


def tiny_with_rests(draw: Draw) -> Sketch:
    """Keep 1 to 3 % of the level in all, under sessions that hold more: the quiet windows show it (§4)."""
    scene = set_scene(draw, fewest_connections=200, resting=1.0).with_columns(
        "connections_completed", "phase"
    )
    leak = Leak(scene.load.completed, follows="connections", largest=0.03)
    held = draw.log_between(0.005, 0.1) * held_by(scene.load, scene.clock)
    return scene.sketch(scene.warm_up(0.4, EARLY), held, leak)


def by_settling_server(draw: Draw) -> Sketch:
    """Keep some kB per connection while the server still settles: 50 KiB shows as 56 kB at first (§7)."""
    scene, settled = settling_scene(draw)
    leak = Leak(scene.load.completed, follows="connections", largest=0.3)
    return replace(scene.sketch(settled, leak=leak), quantum=0.0)


def per_audio_second(draw: Draw) -> Sketch:
    """Keep 64 KB for every second of audio (F#3101), while connections grow longer and shorter."""
    scene = audio_scene(draw)
    return scene.sketch(scene.warm_up(0.5, EARLY), leak=Leak(scene.load.audio_s, follows="audio"))


def audio_scene(draw: Draw) -> Scene:
    """Set a scene whose connections grow longer and shorter over the trace."""
    scene = set_scene(draw, fewest_connections=60)
    lengths = np.exp(draw.between(0.2, 0.6) * shapes.wander(draw, scene.clock, 0.05 * scene.clock.length_s))
    audio_s = np.cumsum(np.diff(scene.load.audio_s, prepend=0.0) * lengths)
    scene = replace(scene, load=replace(scene.load, audio_s=audio_s))
    return scene.with_columns("connections_completed", "audio_s")


def swapped_away(draw: Draw) -> Sketch:
    """Leak while pages go to swap: RSS may even fall, RSS and swap together climb (§3)."""
    scene = set_scene(draw).with_columns("swap_bytes")
    sketch = scene.sketch(scene.warm_up(0.4, EARLY), leak=Leak(scene.x))
    return replace(sketch, swapped=swapped_course(draw, scene))


LEAKING = (
    per_connection,
    per_hour,
    stairs,
    in_bursts,
    rare_events,
    late_start,
    under_saw_tooth,
    under_daily_swing,
    under_hourly_swing,
    sub_linear,
    killed_for_memory,
    during_warm_up,
    on_machine_history,
    tiny_with_rests,
    by_settling_server,
    per_audio_second,
    swapped_away,
)
