"""What is minimised: cross entropy of the tokens, the number of tokens that fire, and CTC on the encoder.

The online model is trained exactly as it runs: windows of frames that know nothing of each other, attention
of a token over the window in which it fires, memory over the tokens before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from asr_server.training.batches import LEFT, RIGHT, WINDOW
from asr_server.training.network import MASKED_SCORE, length_mask

if TYPE_CHECKING:
    from asr_server.training.batches import Batch
    from asr_server.training.contextual import ContextualModel
    from asr_server.training.geometry import Geometry
    from asr_server.training.weights import Parts

LABEL_SMOOTHING = 0.1
CTC_WEIGHT = 0.5
QUANTITY_WEIGHT = 3.0
"""In long streams what the predictor counts too much or too little adds up: it has to be exact."""
BLANK = 0
LARGEST_PHASE = 0.5
"""How far the weights left over by what came before shift all firings. In long streams they add up."""
FIRED = 1.0 - 1e-4
"""Scaled weights sum to whole numbers but for rounding."""


@dataclass(frozen=True)
class Heard:
    """What a forward pass gives; N counts the longest recording's tokens, T its frames."""

    logits: Tensor
    """[B, N, V]."""
    firing: Tensor
    """Sum of the predictor's weights in each part of a recording: [B, P]."""
    frames: Tensor
    """Encoder output at the frames that count, for CTC: [B, T, D]."""
    frame_lengths: Tensor
    """int [B]."""


class Positions(nn.Module):
    """A table of position encodings; row 0 is zero, for frames that are not there."""

    def __init__(self, count: int, dim: int) -> None:
        """Compute positions 1..count - 1."""
        super().__init__()
        rates = torch.exp(torch.arange(dim // 2) * (-torch.log(torch.tensor(10000.0)) / (dim // 2 - 1)))
        angles = torch.arange(count)[:, None] * rates
        table = torch.cat((torch.sin(angles), torch.cos(angles)), dim=1)
        table[0] = 0.0
        self.register_buffer("table", table, persistent=False)

    def forward(self, frames: Tensor, positions: Tensor, scale: float) -> Tensor:
        """Scale frames [S, F] and add their positions."""
        return frames * scale + self.table[positions]


def hear_online(parts: Parts, geometry: Geometry, positions: Positions, batch: Batch) -> Heard:
    """Run the online model over a batch with the right number of tokens firing."""
    rows = positions(batch.frames, batch.positions, geometry.encoder_dim**0.5)
    mask = length_mask(batch.window_lengths, WINDOW)
    enc = parts.encoder(rows[batch.windows], mask)
    place = torch.arange(WINDOW)
    counts = (place >= LEFT) & (place < batch.window_ends[:, None])
    alphas = parts.predictor(enc, mask).float() * counts

    recordings, steps = len(batch.lengths), int(batch.owners[:, 1].max()) + 1
    recording, step = batch.owners.T
    laid = enc.new_zeros(recordings, steps, WINDOW, enc.shape[2])
    laid[recording, step] = enc
    valid = mask.new_zeros(recordings, steps, WINDOW)
    valid[recording, step] = mask
    weights = alphas.new_zeros(recordings, steps, WINDOW)
    weights[recording, step] = alphas
    enc, valid, weights = laid.flatten(1, 2), valid.flatten(1, 2), weights.flatten(1, 2)

    heard = torch.zeros(recordings, steps, WINDOW, dtype=torch.bool)
    heard[recording, step] = counts
    heard = heard.flatten(1, 2)
    lengths = heard.sum(dim=1)
    counting = length_mask(lengths, int(lengths.max())) > 0
    in_order = weights.new_zeros(counting.shape)
    in_order[counting] = weights[heard]
    # The first window begins with as many frames that are not there as it has look-ahead.
    part_ends = batch.part_ends + RIGHT
    scaled = torch.zeros_like(weights)
    scaled[heard] = scaled_to_parts(in_order, part_ends, batch.part_counts)[counting]

    embeds, fired_at = fire(enc, scaled, batch.target_lengths)
    window_of_key = torch.arange(steps).repeat_interleave(WINDOW)
    reachable = (fired_at[:, :, None] // WINDOW == window_of_key) & (valid[:, None, :] > 0)
    bias = (~reachable).float()[:, None] * MASKED_SCORE
    tokens = length_mask(batch.target_lengths, embeds.shape[1])[:, :, None]
    x = embeds
    for block in parts.decoder.blocks:
        past = x.new_zeros(recordings, geometry.encoder_dim, geometry.kernel_size - 1)
        x, _ = block(x, tokens, enc, bias, past)
    decoder = parts.decoder
    logits = decoder.output_layer(decoder.after_norm(decoder.last_feed_forward(decoder.last_norm(x))))

    frames = enc.new_zeros(*counting.shape, enc.shape[2])
    frames[counting] = enc[heard]
    return Heard(logits, sums_of_parts(in_order, part_ends), frames, lengths)


def encode_offline(
    parts: Parts, geometry: Geometry, positions: Positions, batch: Batch
) -> tuple[Tensor, Tensor, Tensor]:
    """Run encoder and predictor over whole recordings: [B, T, D], mask [B, T], weights [B, T]."""
    mask = length_mask(batch.lengths, int(batch.lengths.max()))
    frames = batch.frames.new_zeros(*mask.shape, batch.frames.shape[1])
    frames[mask > 0] = batch.frames[1:]
    count = torch.arange(1, mask.shape[1] + 1) * (mask > 0)
    enc = parts.encoder(positions(frames, count, geometry.encoder_dim**0.5), mask)
    return enc, mask, parts.predictor(enc, mask).float()


def hear_offline(parts: Parts, geometry: Geometry, positions: Positions, batch: Batch) -> Heard:
    """Run the offline model over a batch with the right number of tokens firing."""
    enc, mask, weights = encode_offline(parts, geometry, positions, batch)
    scaled = scaled_to_parts(weights, batch.part_ends, batch.part_counts)
    embeds, _ = fire(enc, scaled, batch.target_lengths)
    tokens = length_mask(batch.target_lengths, embeds.shape[1])
    hidden, _ = parts.decoder.hidden(enc, mask, embeds, tokens, [None] * len(parts.decoder.blocks))
    firing = sums_of_parts(weights, batch.part_ends)
    return Heard(parts.decoder.output_layer(hidden), firing, enc, batch.lengths)


def embed_contextual(model: ContextualModel, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Run a contextual model up to its decoder, the right number of tokens firing.

    Gives the encoder's output [B, T, D], its mask [B, T] and the embeddings [B, N, D].
    """
    speech = batch.frames.new_zeros(len(batch.lengths), int(batch.lengths.max()), batch.frames.shape[1])
    speech[torch.arange(speech.shape[1]) < batch.lengths[:, None]] = batch.frames[1:]
    enc, mask = model.encode(speech, batch.lengths)
    weights = scaled_to_parts(model.predictor(enc, mask).float(), batch.part_ends, batch.part_counts)
    embeds, _ = fire(enc, weights, batch.target_lengths)
    return enc, mask, embeds


def sums_of_parts(weights: Tensor, ends: Tensor) -> Tensor:
    """Sum weights [B, T] between one of `ends` [B, P] and the next: [B, P]."""
    sums = nn.functional.pad(torch.cumsum(weights, dim=1), (1, 0))
    reached = sums.gather(1, ends.clamp(max=weights.shape[1]))
    return torch.diff(reached, dim=1, prepend=torch.zeros(len(weights), 1))


def scaled_to_parts(weights: Tensor, ends: Tensor, counts: Tensor) -> Tensor:
    """Scale weights [B, T] so that each part sums to its tokens; `ends` and `counts` are [B, P].

    Were recordings scaled as a whole, a miscount in one phrase would give tokens of others the wrong labels.
    """
    factors = counts / sums_of_parts(weights, ends).clamp(min=1e-3)
    frames = torch.arange(weights.shape[1]).expand(len(weights), -1).contiguous()
    parts = torch.searchsorted(ends, frames, right=True).clamp(max=ends.shape[1] - 1)
    return weights * factors.gather(1, parts)


def fire(enc: Tensor, weights: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """CIF with weights [B, T] that sum to `counts`: embeddings [B, N, D], and where each fires, [B, N].

    Every recording begins at a random phase, as a stream does that has been going on.
    """
    with torch.autocast("cpu", enabled=False):
        phase = (torch.rand(len(counts), 1, 1) * 2.0 - 1.0) * LARGEST_PHASE
        starts = torch.arange(int(counts.max()), dtype=torch.float32)[None, :, None] - phase
        ends = torch.cumsum(weights, dim=1)[:, None, :]
        overlap = torch.minimum(ends, starts + 1.0) - torch.maximum(ends - weights[:, None, :], starts)
        embeds = torch.relu(overlap) @ enc.float()
        fired_at = (ends < starts + FIRED).sum(dim=2).clamp(max=ends.shape[2] - 1)
    return embeds, fired_at


def loss_of(heard: Heard, batch: Batch, ctc_head: nn.Linear | None) -> tuple[Tensor, dict[str, float]]:
    """The sum that is minimised, and its parts for the log. CTC is for a beginning; it can be left out."""
    tokens, report = token_loss(heard.logits, batch)
    too_many = heard.firing - batch.part_counts
    quantity = too_many.abs().sum(dim=1).mean()
    # Counting a little too much each time is no more than noise in a part: only the running total tells.
    drift = (too_many.cumsum(dim=1).abs() * (batch.part_counts > 0)).sum(dim=1).mean()
    report |= {"quantity": quantity.item(), "drift": drift.item()}
    loss = tokens + QUANTITY_WEIGHT * (quantity + drift)
    if ctc_head is None:
        return loss, report
    scores = ctc_head(heard.frames).float().log_softmax(dim=2).transpose(0, 1)
    ctc = nn.functional.ctc_loss(
        scores,
        batch.targets.clamp(min=1),
        heard.frame_lengths,
        batch.target_lengths,
        blank=BLANK,
        zero_infinity=True,
    )
    return loss + CTC_WEIGHT * ctc, report | {"ctc": ctc.item()}


def token_loss(
    logits: Tensor, batch: Batch, weights: Tensor | None = None
) -> tuple[Tensor, dict[str, float]]:
    """Cross entropy of logits [B, N, V], and the share of tokens that are wrong; `weights` are [B, N]."""
    losses = nn.functional.cross_entropy(
        logits.float().flatten(0, 1),
        batch.targets.flatten(),
        ignore_index=-1,
        label_smoothing=LABEL_SMOOTHING,
        reduction="none",
    )
    said = batch.targets >= 0
    weights = said.float() if weights is None else weights * said
    loss = (losses * weights.flatten()).sum() / weights.sum()
    wrong = ((logits.argmax(dim=2) != batch.targets) & said).sum() / batch.target_lengths.sum()
    return loss, {"tokens": loss.item(), "wrong": wrong.item()}


def divergence(logits: Tensor, wanted: Tensor, counted: Tensor) -> Tensor:
    """How far the answers [B, N, V] are from the `wanted` ones (Kullback-Leibler), where `counted` [B, N]."""
    each = nn.functional.kl_div(
        logits.float().log_softmax(dim=2),
        wanted.float().log_softmax(dim=2),
        reduction="none",
        log_target=True,
    ).sum(dim=2)
    return (each * counted).sum() / counted.sum()
