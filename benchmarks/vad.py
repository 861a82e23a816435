"""Which detector cuts sentences better, the energy rule or the bundled FSMN network, and what does each cost?

Plays the bundled recordings with pauses between them, clean and over noises of several kinds and strengths,
and compares the segments with where the clean recordings have speech. Recordings of people, which neither has
been made for, can be given too:

    python -m benchmarks.vad [--recordings FOLDER_OF_WAV_FILES]
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import wave
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from asr_server.paraformer.catalog import VAD, resolve_model
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.training.vad_noise import TRAINED_KINDS, UNTRAINED_KINDS, make_noise, rms
from asr_server.training.vad_scenes import FRAME_LENGTH, FRAME_SHIFT, speech_frames
from asr_server.vad.energy import EnergyVad
from asr_server.vad.events import SegmentStarted
from asr_server.vad.fsmn import FsmnVad
from soak.load.clips import load_clips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asr_server.vad.events import VadModel

Floats = NDArray[np.float32]

RATE_HZ = 16000
FRAME_MS = 10
PACKET_SAMPLES = 960
SNRS_DB = (20, 10, 5, 0)
QUIET_DB = -30.0
"""How much the quiet condition takes off the recordings, whose peaks are at -3 dBFS."""
SHORT_PAUSE_S, LONG_PAUSES_S = 0.35, (1.2, 3.0)
"""One sentence, or two: FunASR's rules cut at 0.56 s, the energy rule at 0.8 s."""
MARGIN_MS = 250
"""What a segment may add on either side by design; beyond, covered silence is a false alarm."""
REPEATS = 2
MOST_RECORDINGS = 25


@dataclass(frozen=True)
class Scene:
    """Samples, and where the sentences are: (first, last + 1) frames of 10 ms."""

    samples: Floats
    sentences: tuple[tuple[int, int], ...]


@dataclass
class Score:
    """What a detector did over some scenes."""

    speech_frames: int = 0
    missed_frames: int = 0
    silent_frames: int = 0
    false_frames: int = 0
    sentences: int = 0
    right_sentences: int = 0
    """Covered by one segment that holds no other sentence."""
    extra_segments: int = 0
    """Without any speech in them."""
    start_errors_ms: list[int] = field(default_factory=list)
    end_errors_ms: list[int] = field(default_factory=list)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=Path, help="WAV files of people, 16 bit mono, any rate")
    parser.add_argument("--cost-only", action="store_true")
    arguments = parser.parse_args()
    detectors: dict[str, VadModel] = {
        "energy": EnergyVad(),
        "FSMN": FsmnVad.load(resolve_model("tiny") / VAD, RuntimeSettings()),
    }
    clips = [np.frombuffer(clip.pcm, "<i2").astype(np.float32) / np.float32(32768) for clip in load_clips()]
    if arguments.cost_only:
        print_cost(clips, detectors)
        return
    print(f"{len(clips)} bundled recordings, each condition {REPEATS} times in another order\n")
    print_quality(clips, detectors)
    if arguments.recordings is not None:
        people = read_recordings(arguments.recordings)
        print(f"\n{len(people)} recordings of {arguments.recordings.name}\n")
        print_quality(people, detectors)
    print_cost(clips, detectors)


def print_quality(clips: list[Floats], detectors: dict[str, VadModel]) -> None:
    """One row for each condition and both detectors."""
    print(f"{'':20}{'missed':^15}{'false alarm':^15}{'sentences cut':^15}{'segments of':^15}")
    print(f"{'':20}{'speech, %':^15}{'silence, %':^15}{'rightly, %':^15}{'noise / min':^15}")
    names = list(detectors)
    print(f"{'condition':20}" + "".join(f"{names[0]:>7} {names[1]:>6} " for _ in range(4)))
    totals = {name: Score() for name in detectors}
    for condition, scenes in conditions(clips):
        scores = {name: score_all(detector, scenes) for name, detector in detectors.items()}
        for name, score in scores.items():
            add(totals[name], score)
        print(row(condition, scores))
    print(row("all", totals))
    for name, total in totals.items():
        print(f"{name}: {boundaries(total)}")


def row(condition: str, scores: dict[str, Score]) -> str:
    """Format a condition's figures, the detectors side by side."""
    columns = [
        [100 * score.missed_frames / max(score.speech_frames, 1) for score in scores.values()],
        [100 * score.false_frames / max(score.silent_frames, 1) for score in scores.values()],
        [
            100 * score.right_sentences / score.sentences if score.sentences else math.nan
            for score in scores.values()
        ],
        [score.extra_segments * 60_000 / FRAME_MS / max(score.silent_frames, 1) for score in scores.values()],
    ]
    return f"{condition:20}" + "".join(f"{left:7.1f} {right:6.1f} " for left, right in columns)


def boundaries(score: Score) -> str:
    """Say how far the segments of the rightly cut sentences begin and end from the speech."""
    parts = []
    for what, errors_ms in (("start", score.start_errors_ms), ("end", score.end_errors_ms)):
        middle = statistics.median(errors_ms)
        low, high = np.percentile(errors_ms, [5, 95])
        parts.append(f"{what} {middle:+.0f} ms (5 to 95 %: {low:+.0f} to {high:+.0f})")
    return "segments against speech: " + ", ".join(parts)


def conditions(clips: list[Floats]) -> Iterator[tuple[str, list[Scene]]]:
    """Every condition with its scenes; seeds are fixed."""
    plain = [make_scene(clips, np.random.default_rng(seed)) for seed in range(REPEATS)]
    yield "clean", plain
    yield "clean, 30 dB quieter", [_changed(scene, scene.samples * 10 ** (QUIET_DB / 20)) for scene in plain]
    for kind in (*TRAINED_KINDS, *UNTRAINED_KINDS):
        for snr_db in SNRS_DB:
            random = np.random.default_rng(SNRS_DB.index(snr_db) + 10)
            noisy = [_over(scene, kind, snr_db, clips, random) for scene in plain]
            yield f"{kind}, {snr_db} dB", noisy
    random = np.random.default_rng(20)
    for kind in (*TRAINED_KINDS, *UNTRAINED_KINDS):
        noise = make_noise(kind, 60 * RATE_HZ, clips, random) * np.float32(0.03)
        yield f"{kind} alone", [Scene(noise, ())]


def make_scene(clips: list[Floats], random: np.random.Generator) -> Scene:
    """All recordings in random order; three pauses in ten are too short to end a sentence."""
    samples: list[Floats] = [np.zeros(RATE_HZ, np.float32)]
    sentences: list[tuple[int, int]] = []
    position, goes_on = RATE_HZ, False
    for index in random.permutation(len(clips)):
        clip = trimmed(clips[int(index)])
        spoken = np.flatnonzero(speech_frames(clip)) + position // FRAME_SHIFT
        begin = sentences.pop()[0] if goes_on else int(spoken[0])
        sentences.append((begin, int(spoken[-1]) + 1))
        goes_on = bool(random.random() < 0.3)
        pause_s = SHORT_PAUSE_S if goes_on else random.uniform(*LONG_PAUSES_S)
        whole = -(-(len(clip) + int(pause_s * RATE_HZ)) // FRAME_SHIFT) * FRAME_SHIFT
        samples.append(np.concatenate((clip, np.zeros(whole - len(clip), np.float32))))
        position += whole
    return Scene(np.concatenate([*samples, np.zeros(2 * RATE_HZ, np.float32)]), tuple(sentences))


def trimmed(clip: Floats) -> Floats:
    """Take off the silence at both ends."""
    spoken = np.flatnonzero(speech_frames(clip)) * FRAME_SHIFT
    return clip[spoken[0] : spoken[-1] + FRAME_LENGTH]


def _over(scene: Scene, kind: str, snr_db: float, clips: list[Floats], random: np.random.Generator) -> Scene:
    """Add a noise, so much below the speech (silence between words left out)."""
    frames = scene.samples[: len(scene.samples) // FRAME_SHIFT * FRAME_SHIFT].reshape(-1, FRAME_SHIFT)
    inside = np.concatenate([frames[begin:end] for begin, end in scene.sentences])
    loud = inside[np.abs(inside).max(axis=1) > 0.01]
    level = rms(loud.ravel()) / 10 ** (snr_db / 20)
    noise = make_noise(kind, len(scene.samples), clips, random) * np.float32(level)
    return _changed(scene, np.clip(scene.samples + noise, -1, 1))


def _changed(scene: Scene, samples: NDArray[np.floating]) -> Scene:
    """Pass through 16 bits, as audio reaches the server."""
    return Scene((np.round(samples * 32768) / 32768).astype(np.float32), scene.sentences)


def segments_of(detector: VadModel, samples: Floats) -> list[tuple[int, int]]:
    """Stream the samples in packets of 60 ms; give the segments in frames of 10 ms."""
    stream = detector.new_stream()
    found: list[tuple[int, int]] = []
    start = 0
    for position in range(0, len(samples), PACKET_SAMPLES):
        packet = samples[position : position + PACKET_SAMPLES]
        for event in stream.accept(packet, is_final=position + PACKET_SAMPLES >= len(samples)):
            if isinstance(event, SegmentStarted):
                start = event.start_ms
            else:
                found.append((start // FRAME_MS, event.end_ms // FRAME_MS))
    return found


def score_all(detector: VadModel, scenes: list[Scene]) -> Score:
    """Judge the detector on some scenes."""
    total = Score()
    for scene in scenes:
        add(total, score_one(segments_of(detector, scene.samples), scene))
    return total


def score_one(segments: list[tuple[int, int]], scene: Scene) -> Score:
    """Compare segments with sentences."""
    count, margin = len(scene.samples) // FRAME_SHIFT, MARGIN_MS // FRAME_MS
    speech, near, covered = (np.zeros(count, bool) for _ in range(3))
    for begin, end in scene.sentences:
        speech[begin:end] = True
        near[max(begin - margin, 0) : end + margin] = True
    for begin, end in segments:
        covered[begin:end] = True
    score = Score(
        speech_frames=int(speech.sum()),
        missed_frames=int((speech & ~covered).sum()),
        silent_frames=int((~near).sum()),
        false_frames=int((covered & ~near).sum()),
        sentences=len(scene.sentences),
    )
    holds = [
        [sentence for sentence in scene.sentences if sentence[0] < end and begin < sentence[1]]
        for begin, end in segments
    ]
    score.extra_segments = sum(not held for held in holds)
    for sentence in scene.sentences:
        mine = [index for index, held in enumerate(holds) if sentence in held]
        if len(mine) == 1 and len(holds[mine[0]]) == 1:
            begin, end = segments[mine[0]]
            score.right_sentences += 1
            score.start_errors_ms.append((begin - sentence[0]) * FRAME_MS)
            score.end_errors_ms.append((end - sentence[1]) * FRAME_MS)
    return score


def add(total: Score, score: Score) -> None:
    """Sum up figures of scenes."""
    for name, value in vars(score).items():
        setattr(total, name, getattr(total, name) + value)


def read_recordings(folder: Path) -> list[Floats]:
    """Read up to 25 recordings of 1 to 8 s, at 16 kHz, peaks at -3 dBFS."""
    found: list[Floats] = []
    for path in sorted(folder.rglob("*.wav")):
        with wave.open(str(path)) as file:
            rate_hz, frames = file.getframerate(), file.readframes(file.getnframes())
        samples = np.frombuffer(frames, "<i2").astype(np.float32) / 32768
        if not 1.0 <= len(samples) / rate_hz <= 8.0:
            continue
        common = math.gcd(rate_hz, RATE_HZ)
        resampled = resample_poly(samples, RATE_HZ // common, rate_hz // common)
        found.append((resampled * 0.7 / np.abs(resampled).max()).astype(np.float32))
    random = np.random.default_rng(0)
    return [found[int(index)] for index in random.permutation(len(found))[:MOST_RECORDINGS]]


def print_cost(clips: list[Floats], detectors: dict[str, VadModel]) -> None:
    """CPU time per second of audio, on one thread, in packets of 60 ms; the best of five runs."""
    scene = make_scene(clips, np.random.default_rng(0))
    audio_s = len(scene.samples) / RATE_HZ
    print(f"\nCPU per second of audio, one stream over {audio_s:.0f} s in packets of 60 ms")
    work: dict[str, Callable[[], object]] = {
        name: partial(segments_of, detector, scene.samples) for name, detector in detectors.items()
    }
    for name, detector in detectors.items():
        if isinstance(detector, FsmnVad):
            blocks = len(scene.samples) // PACKET_SAMPLES
            work |= {f"{name}, network alone": partial(run_network, detector, blocks)}
    costs: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(5):  # in turns, so that all meet the same neighbours
        for name, do in work.items():
            began_s = time.process_time()
            do()
            costs[name].append((time.process_time() - began_s) / audio_s)
    for name, seconds in costs.items():
        best_s = min(seconds)
        print(f"{name:20}{1000 * best_s:7.2f} ms, {100 * best_s:.2f} % of a core for each live stream")


def run_network(detector: FsmnVad, blocks: int) -> None:
    """Run the graph as often as a stream does, and nothing else."""
    graph = detector.graph
    feeds = dict(zip(graph.cache_names, graph.empty_caches, strict=True))
    frames = PACKET_SAMPLES // FRAME_SHIFT
    feeds["speech"] = np.zeros((1, frames, detector.model.frontend.feature_dim), np.float32)
    for _ in range(blocks):
        graph.session.run(feeds)


if __name__ == "__main__":
    main()
