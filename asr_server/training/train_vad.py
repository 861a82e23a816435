"""Trains the bundled FSMN voice activity detector and writes its folder.

    python -m asr_server.training.vad_scenes SCENES.npz
    python -m asr_server.training.train_vad SCENES.npz asr_server/models/tiny/vad

One core, some minutes. Needs PyTorch, onnx and onnxruntime.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import yaml
from rich.progress import track
from torch import Tensor, nn

from asr_server.training.graphs import quantise
from asr_server.training.model_files import cmvn_text, frontend_conf
from asr_server.training.vad_network import FsmnVad, VadGeometry, export_vad
from asr_server.vad.endpoint import EndpointSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

STACKED = 5
"""`lfr_m`: every input holds two frames before and two after its own."""
BATCH_SCENES = 6
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.01
WARM_UP_STEPS = 100
LABEL_SMOOTHING = 0.005
"""Keeps probabilities off 1: FunASR's Python runtime takes the logarithm of what is left."""
LONGEST_GRADIENT = 1.0
VALIDATION_SCENES = 96
"""Of the training voices: for the threshold, so that the held-out voices decide nothing."""
RESCALE_FLOOR = 0.1


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path, help="made by asr_server.training.vad_scenes")
    parser.add_argument("folder", type=Path, help="where model_quant.onnx, config.yaml and am.mvn go")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    with np.load(arguments.scenes) as file:
        data = {name: torch.from_numpy(file[name]) for name in file.files}
    mel, speech = data["train_mel"], data["train_speech"]
    deviation, mean = torch.std_mean(mel[::10].float(), dim=(0, 1))
    shift, scale = (-mean).repeat(STACKED), (1 / deviation.clamp_min(RESCALE_FLOOR)).repeat(STACKED)
    network = FsmnVad(VadGeometry())
    train(network, mel[VALIDATION_SCENES:], speech[VALIDATION_SCENES:], (shift, scale), arguments.epochs)
    settings = EndpointSettings()
    scores = speech_scores(network, mel[:VALIDATION_SCENES], (shift, scale))
    centre(network, scores, speech[:VALIDATION_SCENES], settings.speech_noise_thres)
    for part in ("train", "held_out"):
        scores = speech_scores(network, data[f"{part}_mel"][:VALIDATION_SCENES], (shift, scale))
        found = scores >= least_score(settings.speech_noise_thres)
        print(f"{part}: {frame_errors(found, data[f'{part}_speech'][:VALIDATION_SCENES])}")
    write_folder(network, shift.numpy(), scale.numpy(), arguments.folder)


def train(network: FsmnVad, mel: Tensor, speech: Tensor, cmvn: tuple[Tensor, Tensor], epochs: int) -> None:
    """Fit the network to the labels: cross entropy between silence and the sum of all other outputs."""
    steps = epochs * (len(mel) // BATCH_SCENES)
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + np.cos(np.pi * step / steps)),
    )
    losses = []
    for rows in track(_batches(len(mel), epochs), total=steps, description="training"):
        with torch.autocast("cpu", torch.bfloat16):
            scores = _scores(network, stack(mel[rows].float(), cmvn))
        wanted = speech[rows].float() * (1 - 2 * LABEL_SMOOTHING) + LABEL_SMOOTHING
        loss = nn.functional.binary_cross_entropy_with_logits(scores, wanted)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if len(losses) % 200 == 0:
            print(f"step {len(losses)} of {steps}: loss {np.mean(losses[-200:]):.4f}", flush=True)


def stack(mel: Tensor, cmvn: tuple[Tensor, Tensor]) -> Tensor:
    """Stack every frame with its neighbours and normalise: [B, T, 80] to [B, T, 400]."""
    side = STACKED // 2
    padded = torch.cat((mel[:, :1].repeat(1, side, 1), mel, mel[:, -1:].repeat(1, side, 1)), dim=1)
    stacked = padded.unfold(1, STACKED, 1).transpose(2, 3).flatten(2)
    return (stacked + cmvn[0]) * cmvn[1]


def speech_scores(network: FsmnVad, mel: Tensor, cmvn: tuple[Tensor, Tensor]) -> Tensor:
    """Give the log odds of speech for every frame: [scenes, T]."""
    with torch.no_grad():
        return torch.cat([_scores(network, stack(part.float(), cmvn)) for part in mel.split(BATCH_SCENES)])


def least_score(speech_noise_thres: float) -> float:
    """Log odds at which speech is more probable than silence by the threshold."""
    return float(np.log((1 + speech_noise_thres) / (1 - speech_noise_thres)))


def centre(network: FsmnVad, scores: Tensor, speech: Tensor, speech_noise_thres: float) -> None:
    """Move the odds so that FunASR's threshold is where misses and false alarms are fewest together."""
    candidates = np.linspace(-4, 4, 161)
    errors = [
        float((scores < cut)[speech].float().mean() + (scores >= cut)[~speech].float().mean())
        for cut in candidates
    ]
    best = candidates[int(np.argmin(errors))]
    with torch.no_grad():
        network.out_linear2.bias[0] -= least_score(speech_noise_thres) - best
    print(f"best cut at log odds {best:+.2f}")


def frame_errors(found: Tensor, speech: Tensor) -> str:
    """Say how many frames were missed and how many are false alarms."""
    missed, false = (~found)[speech].float().mean(), found[~speech].float().mean()
    return f"{100 * missed:.2f} % of speech frames missed, {100 * false:.2f} % of silent frames false alarms"


def write_folder(network: FsmnVad, shift: np.ndarray, scale: np.ndarray, folder: Path) -> None:
    """Write the model in FunASR's layout, the graph as int8."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary) / "model.onnx"
        export_vad(network, plain)
        quantise(plain, folder / "model_quant.onnx")
    (folder / "am.mvn").write_text(cmvn_text(shift, scale), encoding="utf-8")
    (folder / "config.yaml").write_text(config_text(network.geometry), encoding="utf-8")


def config_text(geometry: VadGeometry) -> str:
    """Write `config.yaml` with FunASR's section and key names."""
    endpoint = asdict(EndpointSettings())
    endpoint |= {"sil_pdf_ids": list(endpoint["sil_pdf_ids"]), "do_extend": int(endpoint["do_extend"])}
    config = {
        "frontend": "WavFrontendOnline",
        "frontend_conf": frontend_conf(STACKED, 1),
        "model": "FsmnVADStreaming",
        "model_conf": endpoint,
        "encoder": "FSMN",
        "encoder_conf": asdict(geometry),
    }
    return yaml.safe_dump(config, sort_keys=False)


def _scores(network: FsmnVad, features: Tensor) -> Tensor:
    outputs = network.scores(features, *network.empty_caches(len(features)))[0].float()
    return torch.logsumexp(outputs[..., 1:], dim=-1) - outputs[..., 0]


def _batches(count: int, epochs: int) -> Iterator[Tensor]:
    for _ in range(epochs):
        order = torch.randperm(count)
        yield from order[: count // BATCH_SCENES * BATCH_SCENES].split(BATCH_SCENES)


if __name__ == "__main__":
    main()
