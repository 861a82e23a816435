"""Trains the tiny models on a corpus, one after another.

    python -m asr_server.training.train online CORPUS.npz --out start.pt
    python -m asr_server.training.train online CORPUS.npz --start start.pt --out online.pt --strength mild
    python -m asr_server.training.train offline CORPUS.npz --start start.pt --out offline.pt --strength mild
    python -m asr_server.training.train contextual CORPUS.npz --start offline.pt --out contextual.pt

The offline model begins with an online one's weights, or goes on with its own. The contextual model keeps
those of the offline one but for the end of its decoder, so that without hotwords it hears the same. What
is bundled can be read back to begin with: see restore.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from asr_server.training.augment import STRENGTHS
from asr_server.training.batches import Batch, Batches, Mixture, stack
from asr_server.training.contextual import ContextualModel
from asr_server.training.corpus import Corpus
from asr_server.training.geometry import TINY
from asr_server.training.hotword_lists import as_tensors, draw_hotwords, names_in, respell
from asr_server.training.objectives import (
    Positions,
    divergence,
    embed_contextual,
    hear_offline,
    hear_online,
    loss_of,
    token_loss,
)
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
STRAYING_WEIGHT = 3.0
"""How much it counts to answer as the offline model does where hotwords change nothing."""

NextLoss = Callable[[], tuple[Tensor, dict[str, float]]]


class Trainee(nn.Module):
    """The parts of a model, and what only training needs."""

    def __init__(self, *, with_ctc: bool) -> None:
        """Put a CTC output on top of the encoder if `with_ctc`."""
        super().__init__()
        self.parts = Parts(TINY)
        self.ctc_head = nn.Linear(TINY.encoder_dim, TINY.vocabulary_size) if with_ctc else None


def main() -> None:
    """Run the command line."""
    arguments = read_arguments()
    torch.manual_seed(arguments.seed)
    corpus = Corpus(arguments.corpus)
    state: dict[str, Any] = {}
    for path in arguments.start or ():
        state |= torch.load(path, weights_only=True)
    if not state:
        shift, scale = normalisation(corpus)
        state = {"shift": torch.from_numpy(shift), "scale": torch.from_numpy(scale)}
    mixture = Mixture(arguments.batch, arguments.longest_join, strength=STRENGTHS[arguments.strength])
    if arguments.kind == "contextual":
        favoured = [index for index in range(len(corpus)) if names_in(corpus[index].ids.tolist())]
        mixture = replace(mixture, favoured=tuple(favoured))
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
        weights = state.get(arguments.kind, state.get("online"))
        module, next_loss = plain_training(arguments.kind, weights, iter(loader))
        if arguments.only_predictor:
            module.requires_grad_(requires_grad=False)
            module.parts.predictor.requires_grad_()
    optimise(module, schedule, next_loss, keep)


def read_arguments() -> argparse.Namespace:
    """Read what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["online", "offline", "contextual"])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--start",
        type=Path,
        nargs="+",
        help="weights to begin with; to go on with contextual, offline ones too",
    )
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--peak-rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=24, help="recordings")
    parser.add_argument("--longest-join", type=int, default=4, help="most phrases in one recording")
    parser.add_argument(
        "--only-predictor", action="store_true", help="change only how many tokens fire; not for contextual"
    )
    parser.add_argument("--strength", choices=list(STRENGTHS), default="full", help="of the augmentation")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.kind != "online" and not arguments.start:
        parser.error(f"{arguments.kind} needs --start")
    return arguments


def plain_training(
    kind: str, weights: dict[str, Tensor] | None, batches: Iterator[Batch]
) -> tuple[Trainee, NextLoss]:
    """Train all of an online or an offline model; with CTC unless it begins with weights that have none."""
    trainee = Trainee(with_ctc=weights is None or any(name.startswith("ctc_head.") for name in weights))
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
    """Train what looks at hotwords, and the end of the decoder.

    Where no hotword changes the spelling, the answer wanted is that of the offline model that it began as.
    """
    offline = {
        name.removeprefix("parts."): state["offline"][name] for name in state["offline"] if "parts." in name
    }
    plain, model = ContextualModel(TINY).requires_grad_(requires_grad=False), ContextualModel(TINY)
    plain.adopt(offline)
    model.adopt(offline)
    if "contextual" in state:
        trained = state["contextual"]
        biased = {name: value for name, value in trained.items() if name.startswith(BIASED_PARTS)}
        model.load_state_dict(model.state_dict() | biased)
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
        enc, mask, embeds = embed_contextual(model, batch)
        vectors = model.hotword_encoder.last_states(*as_tensors(hotwords))[None].expand(len(enc), -1, -1)
        logits = model.decode(enc, mask, embeds, batch.target_lengths, vectors)
        loss, report = token_loss(logits, batch, 1.0 + RESPELLED_WEIGHT * respelled)
        unbiased = plain.decode(enc, mask, embeds, batch.target_lengths, vectors.detach())
        strayed = divergence(logits, unbiased, (targets >= 0) & ~respelled)
        hit = (logits.argmax(dim=2) == targets)[respelled]
        report |= {"strayed": strayed.item(), "asked": hit.float().mean().item() if len(hit) else 1.0}
        return loss + STRAYING_WEIGHT * strayed, report

    return model, next_loss


def normalisation(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale [560] that bring the corpus's features to mean 0 and deviation 1 in every mel bin."""
    frames = np.concatenate([corpus[index].mel for index in range(min(len(corpus), NORMALISING_UTTERANCES))])
    rows = stack(frames).reshape(-1, 7, frames.shape[1])
    mean, deviation = rows.mean(axis=(0, 1)), np.maximum(rows.std(axis=(0, 1)), RESCALE_FLOOR)
    return np.tile(-mean, 7).astype(np.float64), np.tile(1.0 / deviation, 7).astype(np.float64)


if __name__ == "__main__":
    main()
