"""Trains the tiny models on a corpus, one after another.

    python -m asr_server.training.train online CORPUS.npz --out start.pt
    python -m asr_server.training.train online CORPUS.npz --start start.pt --out online.pt --strength mild
    python -m asr_server.training.train offline CORPUS.npz --start start.pt --out offline.pt --strength mild
    python -m asr_server.training.train contextual CORPUS.npz --start offline.pt --out contextual.pt

The offline model begins with an online one's weights. The contextual model keeps those of the offline one
but for the end of its decoder, so that without hotwords it hears the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from asr_server.training.augment import STRENGTHS
from asr_server.training.batches import Batch, Batches, Mixture, stack
from asr_server.training.contextual import ContextualModel
from asr_server.training.corpus import Corpus
from asr_server.training.geometry import TINY
from asr_server.training.hotword_lists import as_tensors, draw_hotwords, names_in, respell
from asr_server.training.objectives import Positions, hear_offline, hear_online, loss_of, token_loss
from asr_server.training.optimise import Schedule, optimise
from asr_server.training.weights import Parts

POSITIONS = 6000
NORMALISING_UTTERANCES = 2000
RESCALE_FLOOR = 1e-3
"""Smallest standard deviation that normalisation divides by."""
BIASED_PARTS = (
    *("hotword_encoder.", "decoder.bias_", "decoder.last_norm"),
    *("decoder.last_feed_forward", "decoder.after_norm", "decoder.output_layer"),
)
"""What hotwords may change."""
RESPELLED_WEIGHT = 5.0
"""How much more a token counts that a hotword spells the other way: there are few of them."""

NextLoss = Callable[[], tuple[Tensor, dict[str, float]]]


class Trainee(nn.Module):
    """The parts of a model, and what only training needs."""

    def __init__(self) -> None:
        """Put a CTC output on top of the encoder."""
        super().__init__()
        self.parts = Parts(TINY)
        self.ctc_head = nn.Linear(TINY.encoder_dim, TINY.vocabulary_size)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["online", "offline", "contextual"])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="weights to begin with")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--peak-rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=24, help="recordings")
    parser.add_argument("--strength", choices=list(STRENGTHS), default="full", help="of the augmentation")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.kind != "online" and not arguments.start:
        parser.error(f"{arguments.kind} needs --start")
    torch.manual_seed(arguments.seed)
    corpus = Corpus(arguments.corpus)
    if arguments.start:
        state = torch.load(arguments.start, weights_only=True)
    else:
        shift, scale = normalisation(corpus)
        state = {"shift": torch.from_numpy(shift), "scale": torch.from_numpy(scale)}
    mixture = Mixture(arguments.batch, strength=STRENGTHS[arguments.strength])
    if arguments.kind == "contextual":
        favoured = [index for index in range(len(corpus)) if names_in(corpus[index].ids.tolist())]
        mixture = replace(mixture, favoured=tuple(favoured), longest_join=2)
    batches = Batches(
        arguments.corpus, state["shift"].numpy(), state["scale"].numpy(), mixture, arguments.seed
    )
    loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=4)

    def keep(weights: dict[str, Tensor]) -> None:
        """Replace the file when the new one is whole."""
        working = arguments.out.with_suffix(".part")
        torch.save({"shift": state["shift"], "scale": state["scale"], arguments.kind: weights}, working)
        working.replace(arguments.out)

    schedule = Schedule(arguments.steps, arguments.peak_rate)
    if arguments.kind == "contextual":
        module, next_loss = contextual_training(state, iter(loader), arguments.seed)
    else:
        module, next_loss = plain_training(arguments.kind, state.get("online"), iter(loader))
    optimise(module, schedule, next_loss, keep)


def plain_training(
    kind: str, weights: dict[str, Tensor] | None, batches: Iterator[Batch]
) -> tuple[Trainee, NextLoss]:
    """Train all of an online or an offline model."""
    trainee = Trainee()
    if weights is not None:
        trainee.load_state_dict(weights)
    positions = Positions(POSITIONS, TINY.feature_dim)
    hear = hear_online if kind == "online" else hear_offline

    def next_loss() -> tuple[Tensor, dict[str, float]]:
        batch = next(batches)
        return loss_of(hear(trainee.parts, TINY, positions, batch), batch, trainee.ctc_head)

    return trainee, next_loss


def contextual_training(
    state: dict[str, dict[str, Tensor]], batches: Iterator[Batch], seed: int
) -> tuple[ContextualModel, NextLoss]:
    """Train what looks at hotwords, and the end of the decoder; begin with either kind of weights."""
    model = ContextualModel(TINY)
    if "contextual" in state:
        model.load_state_dict(state["contextual"])
    else:
        offline = state["offline"]
        model.adopt({name.removeprefix("parts."): offline[name] for name in offline if "parts." in name})
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(BIASED_PARTS))
    random = np.random.default_rng([seed, 1])
    strangers: list[tuple[int, ...]] = []

    def next_loss() -> tuple[Tensor, dict[str, float]]:
        batch = next(batches)
        said = [row[row >= 0].tolist() for row in batch.targets]
        strangers.extend(name for ids in said for name in names_in(ids))
        hotwords = draw_hotwords(said, strangers[-1000:], random)
        targets = batch.targets.clone()
        for row, ids in zip(targets, said, strict=True):
            row[: len(ids)] = torch.tensor(respell(ids, hotwords))
        respelled = targets != batch.targets
        batch = replace(batch, targets=targets)
        speech = batch.frames.new_zeros(len(batch.lengths), int(batch.lengths.max()), TINY.feature_dim)
        speech[torch.arange(speech.shape[1]) < batch.lengths[:, None]] = batch.frames[1:]
        lists = as_tensors(hotwords)
        logits, _, _ = model.forward_training(speech, batch.lengths, batch.target_lengths, *lists)
        loss, report = token_loss(logits, batch, 1.0 + RESPELLED_WEIGHT * respelled)
        hit = (logits.argmax(dim=2) == targets)[respelled]
        return loss, report | {"asked": hit.float().mean().item() if len(hit) else 1.0}

    return model, next_loss


def normalisation(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale [560] that bring the corpus's features to mean 0 and deviation 1 in every mel bin."""
    frames = np.concatenate([corpus[index].mel for index in range(min(len(corpus), NORMALISING_UTTERANCES))])
    rows = stack(frames).reshape(-1, 7, frames.shape[1])
    mean, deviation = rows.mean(axis=(0, 1)), np.maximum(rows.std(axis=(0, 1)), RESCALE_FLOOR)
    return np.tile(-mean, 7).astype(np.float64), np.tile(1.0 / deviation, 7).astype(np.float64)


if __name__ == "__main__":
    main()
