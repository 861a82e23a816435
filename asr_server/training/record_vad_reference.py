"""Records what FunASR's own Python runtime (the PyPI package funasr-onnx) finds with the bundled VAD.

Run it in an environment of its own, with this repository on the path of nothing: it imports only funasr-onnx.

    pip install --no-deps funasr-onnx==0.4.3
    pip install "numpy<=1.26.4" onnxruntime pyyaml kaldi-native-fbank
    python asr_server/training/record_vad_reference.py VAD_DIR OUT.json CLIP.wav CLIP.wav

Two kinds of cases: audio through the whole detector, packet by packet, and scripted probabilities through the
end-point rules alone, under many settings. The package cannot take every packet (see `PACKETS`).
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import types
import wave
from pathlib import Path
from typing import Any

import numpy as np

PACKETS = (800, 960, 1600, 4000, 9600)
"""Samples. Every packet but the last must complete a feature vector: the package raises UnboundLocalError
for others (`vad_scorer` is set inside `if feats.size != 0`), so packets under 10 ms, and first ones under
45 ms, cannot be recorded."""
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"max_end_silence_time": 400},
    {"max_end_silence_time": 200},
    {"do_extend": 0},
    {"speech_noise_thres": 0.8, "speech_2_noise_ratio": 1.3},
    {"max_single_segment_time": 2000},
    {"window_size_ms": 300, "sil_to_speech_time_thres": 200, "speech_to_sil_time_thres": 100},
    {"lookback_time_start_point": 50, "lookahead_time_end_point": 30},
    {"detect_mode": 0, "max_start_silence_time": 500},
)
SCRIPTS_PER_SETTING = 6
SCRIPT_FRAMES = 900
PROBABILITIES_OF_SILENCE = (0.02, 0.15, 0.45, 0.9, 0.999)


def load_package() -> tuple[Any, Any]:
    """Import the package's detector and its state machine, without what only its other models use."""
    for name in ("librosa", "jieba", "sentencepiece"):
        sys.modules.setdefault(name, types.ModuleType(name))
    from funasr_onnx.utils.e2e_vad import E2EVadModel  # noqa: PLC0415
    from funasr_onnx.vad_bin import Fsmn_vad_online  # noqa: PLC0415

    return Fsmn_vad_online, E2EVadModel


def read_wav(path: Path) -> np.ndarray:
    """Read 16-bit mono samples as float32 in [-1, 1)."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768.0


def scene(clips: list[np.ndarray], pauses_s: tuple[float, ...]) -> np.ndarray:
    """Clips in turn, each followed by a pause of faint noise, the same in every numpy."""
    hiss = (np.arange(160_000, dtype=np.int64) * 1_103_515_245 % 65_537 % 41 - 20).astype(
        np.float32
    ) / 32768.0
    parts = [
        part
        for number, pause_s in enumerate(pauses_s)
        for part in (clips[number % len(clips)], hiss[: int(pause_s * 16000)])
    ]
    return np.concatenate(parts)


def events(segments: list[Any]) -> list[list[Any]]:
    """Flatten the package's answer to starts and ends in ms."""
    flat = []
    for start_ms, end_ms in (pair for batch in segments for pair in batch):
        flat += [["start", start_ms]] * (start_ms != -1) + [["end", end_ms]] * (end_ms != -1)
    return flat


class RecordedVad:
    """The package's online detector, giving its events and every frame's probability of silence."""

    def __init__(self, detector: type, vad_dir: Path) -> None:
        """Load the int8 graph."""
        self._model = detector(str(vad_dir), quantize=True, intra_op_num_threads=1)
        self._infer = self._model.infer
        self._model.infer = self._keep
        self._silence: list[float] = []

    def _keep(self, inputs: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        scores, caches = self._infer(inputs)
        self._silence += scores[0, :, 0].tolist()
        return scores, caches

    def detect(self, samples: np.ndarray, packet: int) -> tuple[list[list[Any]], list[float]]:
        """Stream one utterance: whole packets, then the rest, which may be empty, flagged final."""
        self._silence = []
        state: dict[str, Any] = {}
        found = []
        whole = len(samples) // packet * packet
        for start in range(0, whole, packet):
            found += events(self._model(samples[start : start + packet], param_dict=state))
        state["is_final"] = True
        found += events(self._model(samples[whole:], param_dict=state))
        return found, self._silence


def record_audio(vad: RecordedVad, clips: list[Path]) -> list[dict[str, Any]]:
    """Scenes with pauses, cut to several lengths and into several packets."""
    spoken = [read_wav(path) for path in clips]
    cases = []
    for pauses_s, lengths in (
        ((1.2, 0.5, 1.5), (None, 20_000, 31_337, 48_160)),
        ((0.05,) * 45, (None,)),
    ):
        whole = scene(spoken, pauses_s)
        for packet in PACKETS:
            for length in lengths:
                samples = whole[:length]
                found, silence = vad.detect(samples, packet)
                case = {"pauses_s": pauses_s, "packet": packet, "samples": len(samples), "events": found}
                if len(samples) < 160_000 and packet in {960, 9600}:
                    case["silence"] = [round(value, 5) for value in silence]
                cases.append(case)
    return cases


def record_scripts(state_machine: type) -> list[dict[str, Any]]:
    """Random runs of likely and unlikely silence, in chunks of random size, the last one flagged final."""
    random = np.random.default_rng(0)
    cases = []
    for settings in SETTINGS:
        for _ in range(SCRIPTS_PER_SETTING):
            runs, frames = [], 0
            while frames < SCRIPT_FRAMES:
                longest = int(random.choice([4, 20, 120]))
                run = [int(random.integers(1, longest + 1)), float(random.choice(PROBABILITIES_OF_SILENCE))]
                runs.append(run)
                frames += run[0]
            silence = np.repeat([value for _, value in runs], [count for count, _ in runs])
            machine, found, position = state_machine(dict(settings)), [], 0
            while position < len(silence):
                chunk = silence[position : position + int(random.integers(1, 30))]
                position += len(chunk)
                scores = np.stack([chunk, 1 - chunk], axis=1)[None].astype(np.float32)
                waveform = np.zeros((1, 400 + 160 * (len(chunk) + 3)), np.float32)
                found += events(
                    machine(
                        scores,
                        waveform,
                        is_final=position == len(silence),
                        max_end_sil=settings.get("max_end_silence_time", 800),
                        online=True,
                    )
                )
            cases.append({"settings": settings, "runs": runs, "events": found})
    return cases


def main() -> None:
    """Run the command line."""
    vad_dir, target, *clips = (Path(argument) for argument in sys.argv[1:])
    detector, state_machine = load_package()
    with contextlib.redirect_stdout(io.StringIO()):  # its state machine prints while it works
        audio = record_audio(RecordedVad(detector, vad_dir), clips)
        scripts = record_scripts(state_machine)
    recorded = {"clips": [path.name for path in clips], "audio": audio, "scripts": scripts}
    rows = {
        name: json.dumps(value) if name == "clips" else "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
        for name, value in recorded.items()
    }
    body = ",\n".join(f'"{name}": {text}' for name, text in rows.items())
    target.write_text("{\n" + body + "\n}\n", encoding="utf-8")
    count = sum(len(case["events"]) for case in (*audio, *scripts))
    print(f"{len(audio)} cases of audio and {len(scripts)} scripts with {count} events")


if __name__ == "__main__":
    main()
