"""Paraformer as PyTorch modules: SANM encoder, CIF predictor, SANM decoder.

The architecture is that of "Paraformer: Fast and Accurate Parallel Transformer for Non-autoregressive
End-to-End Speech Recognition" (arXiv 2206.08317) with the SANM blocks of arXiv 2006.01713 and the continuous
integrate-and-fire (CIF) of arXiv 1905.11235. What the exported graphs take and give is FunASR's, so that the
graphs are read by FunASR's own runtimes too.

Shapes use B batch, T frames of 60 ms, N tokens, D model width, V vocabulary, F input features (560).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr_server.training.geometry import Geometry

MASKED_SCORE = -10000.0
"""Added to an attention score that must not count; finite, so that a row that is all padding stays finite."""
FIRING_BIAS = -1.1
"""CIF output bias of an untrained network: sigmoid(-1.1) = 0.25, 2.5 tokens per chunk of ten frames."""
CIF_CONTEXT = 1
"""Frames to either side that the predictor sees."""
NORM_EPSILON = 1e-12


def length_mask(lengths: Tensor, steps: Tensor) -> Tensor:
    """Mark the steps inside each length: int [B], a step count -> float [B, steps]."""
    positions = torch.arange(steps, dtype=lengths.dtype, device=lengths.device)
    return (positions[None, :] < lengths[:, None]).to(torch.float32)


def position_encoding(steps: Tensor, dim: int) -> Tensor:
    """Sines then cosines of positions 1..steps: [1, steps, dim]."""
    half = dim // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float32) * (-math.log(10000.0) / (half - 1)))
    angles = torch.arange(1, steps + 1, dtype=torch.float32)[None, :, None] * rates
    return torch.cat((torch.sin(angles), torch.cos(angles)), dim=2)


def layer_norm(dim: int) -> nn.LayerNorm:
    """Layer normalisation with FunASR's epsilon."""
    return nn.LayerNorm(dim, eps=NORM_EPSILON)


def split_heads(x: Tensor, heads: int, dim: int) -> Tensor:
    """[B, T, dim] -> [B, heads, T, dim / heads]; `dim` is given so that it is a constant in the graph."""
    return x.reshape(x.shape[0], -1, heads, dim // heads).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, heads: int, dim: int) -> Tensor:
    """Scaled dot-product attention: queries [B, N, dim] over keys and values [B, T, dim] -> [B, N, dim]."""
    query, key, value = (split_heads(part, heads, dim) for part in (query, key, value))
    scores = torch.matmul(query * (dim // heads) ** -0.5, key.transpose(-2, -1)) + bias
    mixed = torch.matmul(torch.softmax(scores, dim=-1), value).transpose(1, 2)
    return mixed.reshape(mixed.shape[0], -1, dim)


class SanmAttention(nn.Module):
    """Self-attention plus an FSMN memory (a depthwise convolution) over the values."""

    def __init__(self, in_dim: int, dim: int, heads: int, kernel_size: int) -> None:
        """Map `in_dim` to `dim`."""
        super().__init__()
        self.heads = heads
        self.dim = dim
        self.linear_q_k_v = nn.Linear(in_dim, dim * 3)
        self.linear_out = nn.Linear(dim, dim)
        self.fsmn_block = nn.Conv1d(
            dim, dim, kernel_size, groups=dim, padding=(kernel_size - 1) // 2, bias=False
        )

    def forward(self, x: Tensor, mask: Tensor, bias: Tensor) -> Tensor:
        """[B, T, in], mask [B, T, 1], score bias [B, 1, 1, T] -> [B, T, D]."""
        query, key, value = torch.split(self.linear_q_k_v(x), [self.dim] * 3, dim=-1)
        kept = value * mask
        memory = (self.fsmn_block(kept.transpose(1, 2)).transpose(1, 2) + kept) * mask
        return self.linear_out(attend(query, key, value, bias, self.heads, self.dim)) + memory


class EncoderBlock(nn.Module):
    """One SANM encoder block; the first one changes the width and so has no residual around attention."""

    def __init__(self, in_dim: int, geometry: Geometry) -> None:
        """Map `in_dim` to the encoder's width."""
        super().__init__()
        dim = geometry.encoder_dim
        self.same_width = in_dim == dim
        self.norm1 = layer_norm(in_dim)
        self.self_attn = SanmAttention(in_dim, dim, geometry.attention_heads, geometry.kernel_size)
        self.norm2 = layer_norm(dim)
        self.w_1 = nn.Linear(dim, geometry.linear_units)
        self.w_2 = nn.Linear(geometry.linear_units, dim)

    def forward(self, x: Tensor, mask: Tensor, bias: Tensor) -> Tensor:
        """[B, T, in] -> [B, T, D]."""
        attended = self.self_attn(self.norm1(x), mask, bias)
        x = x + attended if self.same_width else attended
        return x + self.w_2(torch.relu(self.w_1(self.norm2(x))))


class Encoder(nn.Module):
    """The SANM encoder. Its input already carries the position encoding."""

    def __init__(self, geometry: Geometry) -> None:
        """Stack the blocks."""
        super().__init__()
        dims = [geometry.feature_dim] + [geometry.encoder_dim] * (geometry.encoder_blocks - 1)
        self.blocks = nn.ModuleList(EncoderBlock(dim, geometry) for dim in dims)
        self.after_norm = layer_norm(geometry.encoder_dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, T, F], mask [B, T] -> [B, T, D]."""
        bias = (1.0 - mask)[:, None, None, :] * MASKED_SCORE
        for block in self.blocks:
            x = block(x, mask[:, :, None], bias)
        return self.after_norm(x)


class CifPredictor(nn.Module):
    """How much of a token every frame holds: convolution, linear, sigmoid."""

    def __init__(self, dim: int) -> None:
        """See one frame to either side."""
        super().__init__()
        self.cif_conv1d = nn.Conv1d(dim, dim, 2 * CIF_CONTEXT + 1, padding=CIF_CONTEXT)
        self.cif_output = nn.Linear(dim, 1)

    def forward(self, enc: Tensor, mask: Tensor) -> Tensor:
        """[B, T, D], mask [B, T] -> alphas [B, T]."""
        context = torch.relu(self.cif_conv1d(enc.transpose(1, 2))).transpose(1, 2)
        return torch.sigmoid(self.cif_output(context)).squeeze(-1) * mask


class DecoderFeedForward(nn.Module):
    """The decoder's feed-forward: normalised between its two layers, no bias in the second."""

    def __init__(self, geometry: Geometry) -> None:
        """Widen and narrow again."""
        super().__init__()
        self.w_1 = nn.Linear(geometry.encoder_dim, geometry.linear_units)
        self.norm = layer_norm(geometry.linear_units)
        self.w_2 = nn.Linear(geometry.linear_units, geometry.encoder_dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, N, D]."""
        return self.w_2(self.norm(torch.relu(self.w_1(x))))


class FsmnMemory(nn.Module):
    """A depthwise convolution over the tokens: over past ones from a cache, or to both sides without one."""

    def __init__(self, dim: int, kernel_size: int) -> None:
        """Hold one filter per channel."""
        super().__init__()
        self.fsmn_block = nn.Conv1d(dim, dim, kernel_size, groups=dim, bias=False)
        self.past = kernel_size - 1
        left = self.past // 2
        self.pad = nn.ConstantPad1d((left, self.past - left), 0.0)

    def forward(self, x: Tensor, mask: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """[B, N, D], mask [B, N, 1], past [B, D, 10] -> ([B, N, D], the cache for the next call)."""
        kept = x * mask
        tokens = kept.transpose(1, 2)
        window = self.pad(tokens) if past is None else torch.cat((past, tokens), dim=2)
        memory = self.fsmn_block(window).transpose(1, 2)
        return (memory + kept) * mask, window[:, :, -self.past :]


class CrossAttention(nn.Module):
    """Attention of the tokens over the encoder's frames."""

    def __init__(self, geometry: Geometry) -> None:
        """Project tokens and frames."""
        super().__init__()
        dim = geometry.encoder_dim
        self.heads = geometry.attention_heads
        self.dim = dim
        self.linear_q = nn.Linear(dim, dim)
        self.linear_k_v = nn.Linear(dim, dim * 2)
        self.linear_out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, enc: Tensor, bias: Tensor) -> Tensor:
        """[B, N, D] over [B, T, D] -> [B, N, D]."""
        key, value = torch.split(self.linear_k_v(enc), [self.dim] * 2, dim=-1)
        return self.linear_out(attend(self.linear_q(x), key, value, bias, self.heads, self.dim))


class DecoderBlock(nn.Module):
    """One SANM decoder block: feed-forward, FSMN memory, cross attention."""

    def __init__(self, geometry: Geometry) -> None:
        """Put the three layers together."""
        super().__init__()
        dim = geometry.encoder_dim
        self.norm1 = layer_norm(dim)
        self.feed_forward = DecoderFeedForward(geometry)
        self.norm2 = layer_norm(dim)
        self.self_attn = FsmnMemory(dim, geometry.kernel_size)
        self.norm3 = layer_norm(dim)
        self.src_attn = CrossAttention(geometry)

    def forward(
        self, x: Tensor, mask: Tensor, enc: Tensor, bias: Tensor, past: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """[B, N, D] -> ([B, N, D], the FSMN cache for the next call)."""
        own, heard, cache = self.halves(x, mask, enc, bias, past)
        return own + heard, cache

    def halves(
        self, x: Tensor, mask: Tensor, enc: Tensor, bias: Tensor, past: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The two addends of the block's output, from the tokens and from the frames, and the FSMN cache."""
        memory, cache = self.self_attn(self.norm2(self.feed_forward(self.norm1(x))), mask, past)
        own = x + memory
        return own, self.src_attn(self.norm3(own), enc, bias), cache


class Decoder(nn.Module):
    """The SANM decoder: all tokens of a chunk at once."""

    def __init__(self, geometry: Geometry) -> None:
        """Stack the blocks."""
        super().__init__()
        self.blocks = nn.ModuleList(DecoderBlock(geometry) for _ in range(geometry.decoder_blocks))
        self.last_norm = layer_norm(geometry.encoder_dim)
        self.last_feed_forward = DecoderFeedForward(geometry)
        self.after_norm = layer_norm(geometry.encoder_dim)
        self.output_layer = nn.Linear(geometry.encoder_dim, geometry.vocabulary_size)

    def hidden(
        self,
        enc: Tensor,
        enc_mask: Tensor,
        embeds: Tensor,
        embeds_mask: Tensor,
        caches: Sequence[Tensor | None],
    ) -> tuple[Tensor, list[Tensor]]:
        """What the output layer sees, [B, N, D], and the FSMN caches for the next call."""
        bias = (1.0 - enc_mask)[:, None, None, :] * MASKED_SCORE
        x, new_caches = embeds, []
        for block, past in zip(self.blocks, caches, strict=True):
            x, cache = block(x, embeds_mask[:, :, None], enc, bias, past)
            new_caches.append(cache)
        return self.after_norm(self.last_feed_forward(self.last_norm(x))), new_caches


def integrate_and_fire(enc: Tensor, alphas: Tensor, lengths: Tensor, tail: float) -> tuple[Tensor, Tensor]:
    """CIF over whole utterances without a loop: [B, T, D], [B, T], int [B] -> embeds [B, N, D], counts [B].

    Token k gathers the frames whose weights, laid end to end, overlap the interval [k, k + 1). `tail` is
    added after the last frame of every utterance, with a hidden state of zero.
    """
    steps = torch.arange(alphas.shape[1] + 1, dtype=lengths.dtype)
    at_end = (steps[None, :] == lengths[:, None]).to(torch.float32)
    weights = nn.functional.pad(alphas, (0, 1)) + at_end * tail
    hidden = nn.functional.pad(enc, (0, 0, 0, 1))
    ends = torch.cumsum(weights, dim=1)
    counts = torch.floor(ends[:, -1]).to(torch.int32)
    # Room for one token even when none fires: the decoder's convolution takes no empty input.
    tokens = torch.arange(counts.max().clamp(min=1), dtype=torch.float32)[None, :, None]
    overlap = torch.minimum(ends[:, None, :], tokens + 1.0) - torch.maximum(
        (ends - weights)[:, None, :], tokens
    )
    return torch.matmul(torch.relu(overlap), hidden), counts


class OnlineEncoder(nn.Module):
    """`model.onnx` of the online model: encoder and predictor for one window of frames."""

    def __init__(self, geometry: Geometry) -> None:
        """Put encoder and predictor together."""
        super().__init__()
        self.encoder = Encoder(geometry)
        self.predictor = CifPredictor(geometry.encoder_dim)

    def forward(self, speech: Tensor, speech_lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`speech` is scaled and carries its position encoding; gives enc, enc_len, alphas."""
        mask = length_mask(speech_lengths, speech.shape[1])
        enc = self.encoder(speech, mask)
        return enc, mask.sum(dim=1).to(torch.int32), self.predictor(enc, mask)


class OnlineDecoder(nn.Module):
    """`decoder.onnx` of the online model: the decoder with its FSMN caches as inputs and outputs."""

    def __init__(self, geometry: Geometry) -> None:
        """Hold the decoder."""
        super().__init__()
        self.decoder = Decoder(geometry)

    def forward(
        self, enc: Tensor, enc_len: Tensor, embeds: Tensor, embeds_len: Tensor, *caches: Tensor
    ) -> tuple[Tensor, ...]:
        """Gives logits, sample_ids, and the caches of the next call."""
        masks = length_mask(enc_len, enc.shape[1]), length_mask(embeds_len, embeds.shape[1])
        hidden, new_caches = self.decoder.hidden(enc, masks[0], embeds, masks[1], list(caches))
        logits = self.decoder.output_layer(hidden)
        return logits, logits.argmax(dim=-1), *new_caches


class OfflineModel(nn.Module):
    """`model.onnx` of the offline model: scaling, positions, encoder, CIF and decoder in one graph."""

    def __init__(self, geometry: Geometry) -> None:
        """Put the three parts together."""
        super().__init__()
        self.scale = geometry.encoder_dim**0.5
        self.tail_threshold = geometry.tail_threshold
        self.encoder = Encoder(geometry)
        self.predictor = CifPredictor(geometry.encoder_dim)
        self.decoder = Decoder(geometry)

    def forward(self, speech: Tensor, speech_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Plain features in; gives logits and token_num."""
        enc, mask = self.encode(speech, speech_lengths)
        embeds, counts = integrate_and_fire(
            enc, self.predictor(enc, mask), speech_lengths, self.tail_threshold
        )
        embeds_mask = length_mask(counts, embeds.shape[1])
        no_caches = [None] * len(self.decoder.blocks)
        hidden, _ = self.decoder.hidden(enc, mask, embeds, embeds_mask, no_caches)
        return self.decoder.output_layer(hidden), counts

    def encode(self, speech: Tensor, speech_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Plain features [B, T, F] -> enc [B, T, D], mask [B, T]."""
        mask = length_mask(speech_lengths, speech.shape[1])
        positions = position_encoding(speech.shape[1], speech.shape[2])
        return self.encoder(speech * self.scale + positions, mask), mask
