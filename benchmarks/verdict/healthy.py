"""Healthy families: growth that ends, or comes back, and must never be called a leak.

§ numbers are sections of the project's catalogue of memory growth; owner/repo#N are public issue threads.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict import load as loads
from benchmarks.verdict import shapes
from benchmarks.verdict.draw import DAY_S, HOUR_S, Draw
from benchmarks.verdict.noise import autoregressive, spikes, standardised
from benchmarks.verdict.scene import Scene, set_scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.verdict.sketch import Sketch

    Curve = Callable[[Draw, NDArray[np.float64], float], NDArray[np.float64]]


def flat(draw: Draw) -> Sketch:
    """Keep a noisy plateau: 1.21 to 1.30 GB for days (§3)."""
    return set_scene(draw).sketch()


def first_touch_ladder(draw: Draw) -> Sketch:
    """Climb as threads first touch their arenas: 1.5 → 2.1 GB with 32 decoder threads (F#2164)."""
    return warming(draw, shapes.ladder, latest_end=0.5, largest=0.6, earliest_end=0.04)


def exponential_warm_up(draw: Draw) -> Sketch:
    """Warm up with one time constant: 111 → 143 → 166 → 171 MB by call 750, arena off (§3)."""
    return warming(draw, shapes.exponential, latest_end=0.6, largest=0.8, earliest_end=0.05)


def two_time_constants(draw: Draw) -> Sketch:
    """Warm up quickly, then slowly: 882 → 893 → 894 MB, a tail that ends late (§7)."""
    return warming(draw, shapes.two_time_constants, latest_end=0.6, largest=0.6, earliest_end=0.1)


def warming(draw: Draw, curve: Curve, *, earliest_end: float, latest_end: float, largest: float) -> Sketch:
    """Rise along `curve` by 2 % to `largest` of the level, done at a share of the trace between the ends."""
    scene = set_scene(draw)
    end = draw.log_between(earliest_end, latest_end, widen=0.1)
    return scene.sketch(draw.log_between(0.02, largest) * curve(draw, scene.x, end))


def logarithmic_warm_up(draw: Draw) -> Sketch:
    """Grow with the logarithm of time, in a third of the traces to the very end (vosk-api#209)."""
    scene = set_scene(draw)
    to_the_end = draw.chance(0.35)
    end = 1.0 if to_the_end else draw.between(0.15, 0.7)
    size = draw.log_between(0.01, 0.06) if to_the_end else draw.log_between(0.02, 0.6)
    return scene.sketch(size * shapes.logarithmic(draw, scene.x, end))


def few_large_steps(draw: Draw) -> Sketch:
    """Take 2 to 4 early steps, each about half the last (onnxruntime_backend#102, onnxruntime#17451)."""
    scene = set_scene(draw)
    end = draw.log_between(0.05, 0.4, widen=0.1)
    return scene.sketch(draw.log_between(0.05, 0.8) * shapes.few_large_steps(draw, scene.x, end))


def settling_server(draw: Draw) -> Sketch:
    """Be the FunASR server of §7: a quick warm-up, then first touches that grow ever rarer."""
    scene, settled = settling_scene(draw)
    return replace(scene.sketch(settled), quantum=0.0)


def settling_scene(draw: Draw) -> tuple[Scene, NDArray[np.float64]]:
    """Set a quiet scene of 6 minutes to 4 hours, and give the warm-up of a real server with its tail."""
    scene = quiet_scene(draw, 4 * HOUR_S)
    quick = draw.log_between(0.01, 0.3) * draw.one_of(shapes.WARM_UPS)(
        draw, scene.x, draw.log_between(0.01, 0.1)
    )
    return scene, quick + draw.log_between(0.001, 0.02) * shapes.slowing_touches(draw, scene.x)


def regular_saw_tooth(draw: Draw) -> Sketch:
    """Collect garbage at a fixed threshold: teeth alike (§3, compare the troughs)."""
    scene = set_scene(draw)
    teeth = shapes.saw_tooth(draw, scene.x, draw.log_between(6, 150), draw.between(0.01, 0.08))
    return scene.sketch(scene.warm_up(), draw.log_between(0.01, 0.3) * teeth)


def irregular_saw_tooth(draw: Draw) -> Sketch:
    """Collect garbage when the load decides: teeth of uneven length and height."""
    scene = set_scene(draw)
    teeth = shapes.saw_tooth(draw, scene.x, draw.log_between(8, 100), draw.between(0.15, 0.6))
    return scene.sketch(scene.warm_up(), draw.log_between(0.01, 0.2) * teeth)


def spiky(draw: Draw) -> Sketch:
    """Spike upward on expensive requests (F#2643), by up to a third of the level."""
    scene = set_scene(draw)
    size = draw.log_between(0.003, 0.04)
    return scene.sketch(scene.warm_up(), size * standardised(spikes(draw, scene.clock)))


def hourly_swing(draw: Draw) -> Sketch:
    """Follow a job or traffic that returns every half hour to two hours."""
    scene = set_scene(draw, shortest_s=5 * HOUR_S, longest_s=3 * DAY_S)
    swing = draw.log_between(0.005, 0.1) * shapes.hourly(draw, scene.clock.t_s)
    return scene.sketch(scene.warm_up(), swing)


def day_scene(draw: Draw) -> tuple[Scene, NDArray[np.float64]]:
    """Set a scene of 2 to 8 days whose load swings daily, and give its sessions' memory."""
    scene = set_scene(draw, shortest_s=2.0 * DAY_S, resting=0.0)
    profile = np.maximum(0.05, 1.0 + draw.between(0.3, 0.8) * shapes.daily(draw, scene.clock.t_s))
    load = loads.drive(draw, scene.clock, profile, None, draw.log_between(0.2, loads.FASTEST_PER_S))
    swing = draw.log_between(0.01, 0.2) * loads.held_by(load, scene.clock)
    return replace(scene, load=load), swing


def daily_swing_with_open_connections(draw: Draw) -> Sketch:
    """Hold more sessions by day than by night, with the column that explains it (§3)."""
    scene, swing = day_scene(draw)
    return scene.with_columns("open_connections").sketch(scene.warm_up(), swing)


def daily_swing_unexplained(draw: Draw) -> Sketch:
    """Swing by the day with nothing recorded that explains it; noise grows with the load in half of them."""
    scene, swing = day_scene(draw)
    if draw.chance(0.5):
        scene = replace(scene, noise=scene.noise * scene.load.rate_per_s / scene.load.rate_per_s.mean())
    return scene.without_columns("open_connections").sketch(scene.warm_up(), swing)


def longer_inputs(draw: Draw) -> Sketch:
    """Step up whenever a longer input than ever comes (+39 MB on one, arena on; +1.4 GB, F#2643)."""
    scene = set_scene(draw, fewest_connections=100)
    arrivals = np.diff(scene.load.completed, prepend=0.0)
    course = shapes.records(draw, arrivals, draw.between(2.0, 6.0))
    return scene.sketch(draw.log_between(0.02, 0.4) * (course - course[-1]) + 0.3 * scene.warm_up())


def one_late_step(draw: Draw) -> Sketch:
    """Step once, late, to a level that stays: a new concurrency record, a model loaded on demand (§3)."""
    scene = set_scene(draw)
    step = draw.log_between(0.01, 0.25) * (scene.x > draw.between(0.35, 0.85, widen=0.05))
    return scene.sketch(scene.warm_up() + step - step[-1])


def decline_after_trim(draw: Draw) -> Sketch:
    """Fall, once or in stages or slowly, as retained memory is trimmed: 478 → 375 MiB (§7)."""
    scene = set_scene(draw)
    begin = draw.between(0.1, 0.6)
    size = draw.log_between(0.02, 0.3)
    if draw.chance(0.5):
        when = begin + draw.rng.uniform(0.0, 0.3, draw.count(1, 5))
        return scene.sketch(
            scene.warm_up() - shapes.stairs_at(scene.x, when, np.full(when.size, size / when.size))
        )
    fallen = 1.0 - np.exp(-np.maximum(0.0, scene.x - begin) / draw.log_between(0.01, 0.3))
    return scene.sketch(scene.warm_up() - size * fallen)


def swapped_out(draw: Draw) -> Sketch:
    """Lose pages to swap: RSS falls while RSS and swap together stay (§3); the column is recorded in most."""
    scene = set_scene(draw)
    if draw.chance(0.8):
        scene = scene.with_columns("swap_bytes")
    sketch = scene.sketch(scene.warm_up())
    return replace(sketch, swapped=swapped_course(draw, scene))


def swapped_course(draw: Draw, scene: Scene) -> NDArray[np.float64]:
    """Move 3 to 30 % of the level to swap, slowly or in stages."""
    when = draw.rng.uniform(0.15, 0.9, draw.count(2, 12))
    stages = shapes.stairs_at(scene.x, when, draw.rng.dirichlet(np.ones(when.size)))
    slow = 1.0 / (1.0 + np.exp(-(scene.x - draw.between(0.3, 0.7)) / draw.between(0.02, 0.1)))
    return draw.log_between(0.03, 0.3) * (stages if draw.chance(0.5) else slow)


def restarts(draw: Draw) -> Sketch:
    """Be restarted 1 to 5 times, with a warm-up after each and a few readings missing (§3)."""
    scene = set_scene(draw)
    bounds = np.sort(draw.rng.uniform(0.05, 0.9, draw.count(1, 5)))
    missing = dead_readings(draw, scene, bounds)
    return replace(recount(draw, scene, bounds).sketch(lives(draw, scene, bounds)), missing=missing)


def lives(draw: Draw, scene: Scene, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each life the same kind of warm-up, over by a third of the mean life."""
    kind = draw.one_of(shapes.WARM_UPS)
    end = draw.between(0.05, 0.33) / (bounds.size + 1)
    size = draw.log_between(0.1, 0.6)
    settled = np.empty_like(scene.x)
    edges = [0.0, *bounds, 1.1]
    for begin, finish in itertools.pairwise(edges):
        alive = (scene.x >= begin) & (scene.x < finish)
        settled[alive] = size * kind(draw, scene.x[alive] - begin, end)
    return settled


def recount(draw: Draw, scene: Scene, bounds: NDArray[np.float64]) -> Scene:
    """Let a quarter of the counters begin anew with each life: those that the server reports itself."""
    if not draw.chance(0.25):
        return scene
    first = np.searchsorted(scene.x, [0.0, *bounds])
    life = np.searchsorted(bounds, scene.x, side="right")
    anew = scene.load.completed - scene.load.completed[first][life]
    return replace(scene, load=replace(scene.load, completed=anew)).without_columns("audio_s")


def dead_readings(draw: Draw, scene: Scene, bounds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Lose 0 to 4 readings while the server is down."""
    missing = np.zeros(scene.x.size, dtype=np.bool_)
    for begin in np.searchsorted(scene.x, bounds):
        missing[begin : begin + int(draw.rng.integers(0, 5))] = True
    return missing


def strongly_autocorrelated(draw: Draw) -> Sketch:
    """Wander with a long memory about a level that does not move (1/50 to 1/8 of the trace)."""
    scene = set_scene(draw)
    memory = draw.log_between(0.02, 0.12, widen=0.1) * scene.x.size
    size = draw.log_between(0.001, 0.02)
    return scene.sketch(scene.warm_up(0.4), size * autoregressive(draw, scene.x.size, memory))


def integer_rounded(draw: Draw) -> Sketch:
    """Be read as whole MiB, or as 0.1 or 1 % of a machine: many ties, with less noise than a quantum."""
    scene = set_scene(draw)
    quantum = draw.log_between(0.001, 0.03)
    noise = quantum * draw.between(0.1, 0.8) * standardised(scene.noise)
    return replace(scene.sketch(scene.warm_up(0.4)), disturbance=noise, quantum=quantum)


def machine_history(draw: Draw) -> Sketch:
    """Be a whole machine for 3 to 8 days: days, a week-end, jobs that come and go, wander, whole percent."""
    scene = machine_scene(draw)
    return replace(scene.sketch(), quantum=machine_quantum(draw))


def machine_scene(draw: Draw) -> Scene:
    """Set a scene of 3 to 8 days in which jobs, days and a wander of hours move a machine's memory."""
    scene = set_scene(draw, shortest_s=3 * DAY_S, resting=0.0)
    t_s = scene.clock.t_s
    day = draw.log_between(0.002, 0.04) * shapes.daily(draw, t_s)
    job = draw.log_between(0.002, 0.03) * shapes.jobs(draw, scene.x, 40)
    slow = draw.log_between(0.001, 0.015) * shapes.wander(
        draw, scene.clock, draw.log_between(1, 12, widen=0.3) * HOUR_S
    )
    quick = draw.log_between(0.001, 0.01) * autoregressive(draw, t_s.size, draw.log_between(1, 20))
    moved = replace(scene, noise=scene.noise + day + job + slow + quick)
    return (
        moved
        if draw.chance(0.2)
        else moved.without_columns("connections_completed", "open_connections", "audio_s")
    )


def machine_quantum(draw: Draw) -> float:
    """Give 1 % or 0.1 % of a machine that is 30 to 95 % full, as a share of the level; rarely one page."""
    return draw.one_of((0.01, 0.01, 0.001, 1e-6)) / draw.between(0.3, 0.95)


def creep_that_ends(draw: Draw) -> Sketch:
    """Creep with a high R² over thousands of connections, slower and slower, and then not at all (§7, 1)."""
    return creeping(draw, draw.between(0.35, 0.8))


def creep_cut_short(draw: Draw) -> Sketch:
    """Stop recording the same creep while it still goes on, at 60 to 97 % of it: never yet a leak."""
    return creeping(draw, 1.0 / draw.between(0.6, 0.97))


def creeping(draw: Draw, end: float) -> Sketch:
    """Creep by 1 to 6 % of the level until a share of the trace, after a quick warm-up in most."""
    scene = quiet_scene(draw, DAY_S)
    settled = draw.log_between(0.01, 0.06) * creep(draw, scene.x / end)
    if draw.chance(0.7):
        settled += draw.log_between(0.01, 0.2) * draw.one_of(shapes.WARM_UPS)(
            draw, scene.x, draw.between(0.01, 0.1)
        )
    return replace(scene.sketch(settled), quantum=draw.one_of((0.0, 0.0, 0.0, 0.001)))


def quiet_scene(draw: Draw, longest_s: float) -> Scene:
    """Set a scene of one server with little noise under a steady load, as a soak on one machine gives."""
    scene = set_scene(draw, longest_s=longest_s, fewest_connections=400)
    quiet = draw.log_between(0.0003, 0.002) * standardised(scene.noise)
    return replace(scene, noise=quiet).with_columns("connections_completed")


def creep(draw: Draw, progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rise from -1 to 0 at progress 1, in many small first touches.

    The slope falls steadily, or in 2 to 4 straight pieces (6.1, then 4.1, then 0 kB per connection).
    """
    progress = np.minimum(progress, 1.0)
    if draw.chance(0.5):
        slowing = 1.0 - (1.0 - progress) ** draw.between(1.3, 2.2)
    else:
        pieces = int(draw.rng.integers(2, 5))
        knots = np.concatenate([[0.0], np.cumsum(draw.rng.uniform(0.5, 1.5, pieces))])
        rises = np.diff(knots) * np.cumprod(draw.rng.uniform(0.4, 0.75, pieces))
        heights = np.concatenate([[0.0], np.cumsum(rises)])
        slowing = np.interp(progress, knots / knots[-1], heights / heights[-1])
    touches = draw.count(30, 400)
    landed = np.floor(slowing * touches + draw.between(0.0, 1.0)) / touches
    return landed - 1.0


def late_bounded_cache(draw: Draw) -> Sketch:
    """Fill a cache with a huge cap at a steady pace, full only at 30 to 75 % of the trace (§2, last line)."""
    scene = set_scene(draw, fewest_connections=100)
    full = draw.between(0.3, 0.75)
    done = scene.load.completed / scene.load.completed[-1]
    return scene.sketch(
        draw.log_between(0.02, 0.5) * (np.minimum(done / full, 1.0) - 1.0) + 0.3 * scene.warm_up()
    )


def throughput_change(draw: Draw) -> Sketch:
    """Retain what follows rate × 5 s: 453 → 472 MiB when a loop goes from 12 to 32 per second (§7, 2)."""
    scene = set_scene(draw, resting=0.0)
    changes = draw.rng.uniform(0.15, 0.85, draw.count(1, 3))
    speeds = draw.rng.permutation(np.linspace(1.0, draw.between(1.5, 3.0), changes.size + 1))
    edges = np.clip((scene.x[:, None] - changes) / draw.one_of((0.001, 0.05, 0.12)), 0.0, 1.0)
    # changes that overlap may take off more than there is
    profile = np.maximum(np.asarray(speeds[0] + edges @ np.diff(speeds), dtype=np.float64), 0.0)
    load = loads.drive(draw, scene.clock, profile, None, draw.log_between(1.0, loads.FASTEST_PER_S / 2))
    retained = draw.log_between(0.01, 0.06) * profile
    moved = replace(scene, load=load).with_columns("connections_completed")
    return moved.sketch(scene.warm_up() + retained - retained[-1])


HEALTHY = (
    flat,
    first_touch_ladder,
    exponential_warm_up,
    two_time_constants,
    logarithmic_warm_up,
    few_large_steps,
    settling_server,
    regular_saw_tooth,
    irregular_saw_tooth,
    spiky,
    hourly_swing,
    daily_swing_with_open_connections,
    daily_swing_unexplained,
    longer_inputs,
    one_late_step,
    decline_after_trim,
    swapped_out,
    restarts,
    strongly_autocorrelated,
    integer_rounded,
    machine_history,
    creep_that_ends,
    creep_cut_short,
    late_bounded_cache,
    throughput_change,
)
