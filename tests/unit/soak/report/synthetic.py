"""Synthetic runs and hand-made verdicts: a server of a given warm-up, leak and load."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from soak.advice.advise import AdviceContext, advise
from soak.analyse.counts import judge_counts
from soak.judging import Judgement, series_of
from soak.record import Run, Transcripts
from soak.record.events import (
    ClipCounts,
    ConnectionFailed,
    Event,
    FirstTranscript,
    LoadEnded,
    RunEnded,
    RunStarted,
    ServerStarted,
    TranscriptCounts,
)
from soak.record.manifest import Manifest
from soak.report.model import ReportModel, report_model
from soak.verdict.combine import combine
from soak.verdict.quantities import JUDGED_COUNTS, Quantity
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import RunEvidence, RunVerdict
from soak.verdict.verdict import Basis, Estimate, JudgedPoints, Label, SeriesVerdict, Settling

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB = 1024.0 * 1024.0
HOUR_S = 3600.0
CHARACTERS_EACH = 9.5
"""Mean length of what is said in a recording."""
CLIPS = (
    ("cmn-m1-04-digits", "三八一零", "三八一零"),
    ("en-f2-03-digits", "seven two nine", "seven two nine"),
    ("cmn-f1-08-digits", "六二八四零九五七", "六二八四零九五七"),
    ("en-m3-01-digits", "five", "nine"),
    ("cmn-m3-11-digits", "一三八零零五六二九四七", "一三八零零五六二九四七"),
    (
        "en-m2-15-digits",
        "nine zero six one three five seven eight",
        "nine zero six one three five seven eight",
    ),
)


@dataclass(frozen=True)
class Scenario:
    """What a synthetic run looks like."""

    name: str = "medium"
    duration_s: float = 600.0
    interval_s: float = 1.0
    start_mib: float = 894.0
    warm_mib: float = 140.0
    rate_per_s: float = 3.0
    leak_bytes_per_connection: float = 0.0
    max_open: int = 8
    seed: int = 1
    model: str = "tiny"

    @property
    def period_s(self) -> float:
        return float(np.clip(self.duration_s / 24, 20, 300))


def samples(scenario: Scenario) -> pd.DataFrame:
    """A ladder that ends, blocks of load with rests between, noise."""
    random = np.random.default_rng(scenario.seed)
    t_s = np.arange(0, scenario.duration_s, scenario.interval_s)
    count = len(t_s)
    into = (t_s - 5) % scenario.period_s
    resting = (into > scenario.period_s - 3 - scenario.interval_s) & (t_s > 5)
    settling = (into > scenario.period_s - 9) & ~resting & (t_s > 5)
    loading = ~resting & ~settling & (t_s > 5)
    phase = np.select([t_s <= 5, resting, settling], ["baseline", "rest", "settle"], "load")
    opened = np.cumsum(np.where(loading, scenario.rate_per_s * scenario.interval_s, 0.0))
    failed = np.floor(opened / 900)
    completed = np.floor(opened - failed)
    open_now = np.where(loading, random.binomial(scenario.max_open, 0.45, count), 0).astype(float)
    ladder = scenario.warm_mib * (1 - np.exp(-np.floor(completed / 12) * 12 / 90))
    kept = scenario.leak_bytes_per_connection * completed
    in_use = scenario.start_mib * 0.55 * MIB + kept + open_now * 0.9 * MIB
    free = ladder * 0.6 * MIB + random.normal(0, 0.15, count) * MIB
    anon = (scenario.start_mib * 0.82 + ladder) * MIB + kept + open_now * 1.1 * MIB
    anon += random.normal(0, 0.25, count) * MIB
    file = np.full(count, scenario.start_mib * 0.18 * MIB)
    busy = np.where(loading, 1.0, np.nan)
    return pd.DataFrame(
        {
            "t_s": t_s + random.normal(0, 0.002, count),
            "rss_bytes": np.round(anon + file),
            "connections_completed": completed,
            "open_connections": open_now,
            "phase": phase,
            "block": np.floor((t_s - 5).clip(0) / scenario.period_s),
            "rss_anon_bytes": np.round(anon),
            "rss_file_bytes": file,
            "rss_shmem_bytes": np.zeros(count),
            "swap_bytes": np.zeros(count),
            "pss_bytes": np.where(np.arange(count) % 30 == 0, anon + file * 0.9, np.nan),
            "uss_bytes": np.where(np.arange(count) % 30 == 0, anon + file * 0.8, np.nan),
            "threads": np.where(t_s < 5, 12, 42).astype(float),
            "fds": 20 + open_now,
            "sockets": 2 + open_now,
            "processes": np.ones(count),
            "cpu_s": np.cumsum(np.where(loading, 0.9, 0.02)) * scenario.interval_s,
            "connections_opened": np.floor(opened),
            "connections_failed": failed,
            "audio_s": completed * 3.1,
            "first_partial_p50_ms": busy * random.normal(140, 12, count),
            "first_partial_p95_ms": busy * random.normal(230, 30, count),
            "first_partial_p99_ms": busy * random.normal(300, 40, count),
            "final_p50_ms": busy * random.normal(310, 25, count),
            "final_p95_ms": busy * random.normal(520, 60, count),
            "final_p99_ms": busy * random.normal(700, 80, count),
            "arrivals_delayed": np.zeros(count),
            "transcripts_changed": np.zeros(count),
            "transcripts_checked": completed,
            "character_errors": np.floor(completed * CHARACTERS_EACH * 0.021),
            "reference_characters": np.floor(completed * CHARACTERS_EACH),
            "server_open_connections": open_now,
            "server_sessions_alive": open_now + random.poisson(1.0, count) * loading,
            "server_decode_queue_tasks": random.poisson(1.2, count) * loading.astype(float),
            "server_audio_s": completed * 3.1,
            "server_decode_s": completed * 0.5,
            "server_heap_in_use_bytes": in_use,
            "server_heap_free_bytes": free.clip(0),
            "server_gc_objects": 61000 + random.normal(0, 40, count),
            "harness_rss_bytes": 92 * MIB + random.normal(0, 0.05, count) * MIB,
            "harness_cpu_s": t_s * 0.021,
            "late_s": np.abs(random.normal(0, 0.004, count)),
        }
    )


def manifest(scenario: Scenario) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "soak_version": "0.1.0",
        "command_line": f"soak run --config {scenario.name} --model {scenario.model} --minutes 10".split(),
        "started_utc": "2025-11-22T18:04:05+00:00",
        "name": scenario.name,
        "configuration": {
            "server": {
                "decoder_thread_num": 32,
                "io_thread_num": 8,
                "model_thread_num": 4,
                "model": scenario.model,
                "cpu_arena": False,
                "arena_extend_strategy": "kNextPowerOfTwo",
                "inject": [],
            },
            "load": {
                "arrival": "rate",
                "rate_per_s": scenario.rate_per_s,
                "max_open": scenario.max_open,
                "pace": "unpaced",
                "mode": "2pass",
                "chunk_size": [5, 10, 5],
            },
            "sample": {"interval_s": scenario.interval_s},
            "judge": {"max_growth_bytes_per_hour": None},
        },
        "host": {
            "cpu_model": "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            "cores": 2,
            "memory_bytes": 8 * 1024**3,
            "kernel": "6.1.0-28-amd64",
            "libc": "glibc 2.36",
            "python": "3.11.2",
            "os": "Debian GNU/Linux 12 (bookworm)",
            "thp": "madvise",
            "cgroup_limit_bytes": None,
        },
        "versions": {"onnxruntime": "1.20.1", "numpy": "2.2.0", "websockets": "15.0"},
        "environment": {},
        "target": {
            "kind": "bundled",
            "pid": 4711,
            "url": "ws://127.0.0.1:39017",
            "command_line": ["python", "-m", "asr_server", "--port", "0", "--decoder-thread-num", "32"],
        },
    }


def verdict(scenario: Scenario, frame: pd.DataFrame) -> SeriesVerdict:
    """A verdict on memory made by a plain fit through the floors of the quiet windows."""
    rests = frame[frame["phase"] == "rest"].groupby("block")
    t_s = rests["t_s"].mean().to_numpy(np.float64)
    floors = rests["rss_bytes"].min().to_numpy(np.float64)
    connections = rests["connections_completed"].max().to_numpy(np.float64)
    warm_up_end_s = 0.3 * scenario.duration_s
    tail = t_s >= warm_up_end_s
    slope, level = np.polyfit(t_s[tail], floors[tail], 1)
    rest = floors[tail] - (slope * t_s[tail] + level)
    spread = 2.1 * rest.std(ddof=2) / np.sqrt(((t_s[tail] - t_s[tail].mean()) ** 2).sum())
    per_hour = Estimate(slope * HOUR_S, (slope - spread) * HOUR_S, (slope + spread) * HOUR_S)
    per_second = np.ptp(connections[tail]) / np.ptp(t_s[tail])
    each = Estimate(
        *(value / HOUR_S / per_second for value in (per_hour.estimate, per_hour.low, per_hour.high))
    )
    climbing = scenario.leak_bytes_per_connection > 0
    start, peak = frame["rss_bytes"].iloc[0], frame["rss_bytes"].max()
    ends = (float(t_s[tail][0]), float(t_s[tail][-1]))
    budget_per_hour = 0.0025 * peak / (scenario.duration_s / HOUR_S)
    finding = {
        "quantity": "memory",
        "level": float(np.median(floors[tail])),
        "judged_s": ends[1] - ends[0],
        "growth": {"per": "connection", **asdict(each)},
        "growth_per_hour": asdict(per_hour),
        "seen_per_hour": spread * HOUR_S * 1.4,
        "seen_per_connection": None,
        "confidence": 0.9,
        "readings": len(frame),
        "grain": 4096.0,
        "budget_over_run": 0.0025 * peak,
        "probability_climbing": 0.97 if climbing else 0.01,
    }
    return SeriesVerdict(
        quantity=Quantity.MEMORY,
        label=Label.CLIMBING if climbing else Label.PLATEAU,
        reasons=(
            Reason(ReasonKind.PERSISTS if climbing else ReasonKind.WITHIN_BUDGET, finding),
            Reason(
                ReasonKind.GROWTH,
                {
                    "per_hour": asdict(per_hour),
                    "per_connection": asdict(each),
                    "per_audio_s": None,
                    "confidence": 0.9,
                    "follows": None,
                },
            ),
            Reason(
                ReasonKind.BASIS,
                {
                    "in_quiet_windows": True,
                    "quiet_windows": len(rests),
                    "points": int(tail.sum()),
                    "readings": len(frame),
                    "per_open_connection": 0.0,
                },
            ),
        ),
        start=float(start),
        end=float(floors[-1]),
        peak=float(peak),
        level=None if climbing else float(np.median(floors[tail])),
        level_from_s=None if climbing else warm_up_end_s,
        growth_per_hour=per_hour,
        growth_per_connection=each,
        confidence=0.9,
        minimum_detectable_per_hour=spread * HOUR_S * 1.4,
        warm_up_end_s=warm_up_end_s,
        budget_per_hour=budget_per_hour,
        budget_over_run=0.0025 * peak,
        probability_climbing=0.97 if climbing else 0.01,
        trend_line=((ends[0], slope * ends[0] + level), (ends[1], slope * ends[1] + level)),
        duration_s=scenario.duration_s,
        samples=len(frame),
        basis=Basis.REST_WINDOWS,
        points=JudgedPoints(t_s, floors, connections),
    )


def events(scenario: Scenario) -> list[Event]:
    failed = [
        ConnectionFailed(t_s=60.0 + n, kind=kind)
        for n, kind in enumerate(("result_timeout", "result_timeout", "handshake"))
    ]
    first = [
        FirstTranscript(
            t_s=6.0 + number,
            clip=clip,
            connection=number + 1,
            reference=reference,
            transcript=transcript,
            character_errors=0 if reference == transcript else 2,
            reference_characters=len(reference.replace(" ", "")),
        )
        for number, (clip, reference, transcript) in enumerate(CLIPS)
    ]
    return [
        RunStarted(t_s=0.0),
        ServerStarted(t_s=0.1, pid=4711),
        *first,
        *failed,
        counted(scenario.duration_s - 1, connections=200),
        LoadEnded(t_s=scenario.duration_s - 1, reason="finished"),
        RunEnded(t_s=scenario.duration_s),
    ]


def counted(t_s: float, connections: int, changed: str = "") -> TranscriptCounts:
    """The event with what became of the clips; one transcript of the clip `changed` did."""
    clips = tuple(
        ClipCounts(
            clip=clip,
            connections=connections,
            transcripts_changed=int(clip == changed),
            character_errors=0 if reference == transcript else 2 * connections,
            reference_characters=connections * len(reference.replace(" ", "")),
        )
        for clip, reference, transcript in CLIPS
    )
    return TranscriptCounts(t_s=t_s, clips=clips)


def judged_run(scenario: Scenario) -> tuple[Run, RunVerdict]:
    frame = samples(scenario)
    path = Path(f"reports/20251122T180405Z-{scenario.name}")
    run = Run(path, Manifest.of(manifest(scenario)), frame, events(scenario), torn=False)
    alike = Scenario(
        duration_s=scenario.duration_s,
        interval_s=scenario.interval_s,
        rate_per_s=scenario.rate_per_s,
        max_open=scenario.max_open,
        seed=scenario.seed,
    )
    return run, joined(RunEvidence(verdict(scenario, frame), resources=counts_under(alike)))


@cache
def counts_under(scenario: Scenario) -> Mapping[Quantity, SeriesVerdict]:
    """The verdicts on the counts, judged once for all runs under the same load: memory does not move them."""
    return judged_counts(samples(scenario))


def judged_counts(frame: pd.DataFrame) -> Mapping[Quantity, SeriesVerdict]:
    counts: dict[str, Any] = {
        name: frame[name].to_numpy(np.float64) for name in JUDGED_COUNTS if name in frame
    }
    return judge_counts(counts, series_of(frame))


def told(run: Run, made: RunVerdict) -> ReportModel:
    """What is told of a run with a hand-made verdict."""
    return report_model(run, Judgement(made, Transcripts.of(run)))


def with_counts(memory: SeriesVerdict, frame: pd.DataFrame) -> RunVerdict:
    """Judge the counts of these samples beside a verdict on memory."""
    return joined(RunEvidence(memory, resources=judged_counts(frame)))


def joined(evidence: RunEvidence) -> RunVerdict:
    """Join the verdicts of these parts."""
    context = AdviceContext(decoder_thread_num=32, io_thread_num=8, model_thread_num=4)
    return combine(evidence, advise(evidence.memory, context))


def with_memory(made: RunVerdict, **changes: Any) -> RunVerdict:
    """The same run with other numbers of memory."""
    return joined(replace(made.evidence, memory=replace(made.memory, **changes)))


def saying(made: RunVerdict, *texts: str) -> RunVerdict:
    """The same verdict with reasons that hold text from a server."""
    said = tuple(Reason(ReasonKind.NEVER_ANSWERED, {"detail": text}) for text in texts)
    return replace(made, reasons=said)


def unjudged(start_bytes: float, peak_bytes: float, reason: Reason) -> RunVerdict:
    """The verdict on a run in which nothing could be estimated."""
    settling = Reason(ReasonKind.SETTLING, {"more_seconds": 540.0, "more_connections": None})
    memory = SeriesVerdict(
        quantity=Quantity.MEMORY,
        label=Label.INCONCLUSIVE,
        reasons=(reason, settling),
        start=float(start_bytes),
        end=float(peak_bytes),
        peak=float(peak_bytes),
        settling=Settling(540.0, None),
    )
    return joined(RunEvidence(memory))
