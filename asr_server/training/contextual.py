"""The contextual (hotword) Paraformer: an offline Paraformer whose last decoder block also looks at hotwords.

FunASR's `ContextualParaformer`. An LSTM reads every hotword and its state at the last token stands for it. In
the last decoder block, attention over the frames and attention over the hotwords are laid side by side and a
layer without bias mixes them, [2 D] -> [D]. The last hotword is always `NO_HOTWORD`, for all other tokens.

Shapes use B batch, T frames of 60 ms, N tokens, D model width, V vocabulary, H hotwords, L tokens a hotword.
All parts that an offline Paraformer has too carry the names they have there, so its weights fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from asr_server.training.network import (
    MASKED_SCORE,
    CrossAttention,
    Decoder,
    OfflineModel,
    integrate_and_fire,
    layer_norm,
    length_mask,
)

if TYPE_CHECKING:
    from asr_server.training.geometry import Geometry

NO_HOTWORD = 1
"""The token, `<s>`, that ends every list of hotwords as a hotword of its own."""


class HotwordEncoder(nn.Module):
    """`model_eb.onnx`: every prefix of every hotword to one vector."""

    def __init__(self, geometry: Geometry) -> None:
        """Hold an embedding of the tokens and one LSTM layer."""
        super().__init__()
        self.bias_embed = nn.Embedding(geometry.vocabulary_size, geometry.encoder_dim)
        self.bias_encoder = nn.LSTM(geometry.encoder_dim, geometry.encoder_dim)

    def forward(self, hotword: Tensor) -> Tensor:
        """Token ids [H, L] -> the state after every token, [L, H, D] as FunASR's export gives it."""
        states, _ = self.bias_encoder(self.bias_embed(hotword).transpose(0, 1))
        return states

    def last_states(self, hotwords: Tensor, lengths: Tensor) -> Tensor:
        """Token ids [H, L], of which `lengths` [H] count -> the state after each last token, [H, D]."""
        states = self(hotwords)
        return states[(lengths - 1).long(), torch.arange(states.shape[1])]


class ContextualDecoder(Decoder):
    """The SANM decoder whose last block attends over the hotwords too."""

    def __init__(self, geometry: Geometry) -> None:
        """Add the attention over hotwords, and what mixes it in, to a decoder."""
        super().__init__(geometry)
        self.bias_norm = layer_norm(geometry.encoder_dim)
        self.bias_attn = CrossAttention(geometry)
        self.bias_output = nn.Conv1d(geometry.encoder_dim * 2, geometry.encoder_dim, 1, bias=False)

    def biased_hidden(
        self, enc: Tensor, enc_mask: Tensor, embeds: Tensor, embeds_mask: Tensor, bias_embed: Tensor
    ) -> Tensor:
        """What the output layer sees, [B, N, D], with hotwords [B, H, D] in mind."""
        bias = (1.0 - enc_mask)[:, None, None, :] * MASKED_SCORE
        mask = embeds_mask[:, :, None]
        x = embeds
        for block in self.blocks[:-1]:
            x, _ = block(x, mask, enc, bias, None)
        own, heard, _ = self.blocks[-1].halves(x, mask, enc, bias, None)
        named = self.bias_attn(self.bias_norm(own), bias_embed, bias.new_zeros(()))
        mixed = self.bias_output(torch.cat((heard, named), dim=2).transpose(1, 2)).transpose(1, 2)
        return self.after_norm(self.last_feed_forward(self.last_norm(own + mixed)))

    @torch.no_grad()
    def ignore_hotwords(self) -> None:
        """Set the mixing so that the decoder gives what it would without hotwords: where to train from."""
        dim = self.bias_output.out_channels
        self.bias_output.weight.zero_()
        self.bias_output.weight[:, :dim, 0] = torch.eye(dim)


class ContextualModel(OfflineModel):
    """`model.onnx` of the contextual model, and the encoder of the hotwords that it is trained with."""

    decoder: ContextualDecoder

    def __init__(self, geometry: Geometry) -> None:
        """Give an offline model the other decoder and a hotword encoder."""
        super().__init__(geometry)
        self.decoder = ContextualDecoder(geometry)
        self.hotword_encoder = HotwordEncoder(geometry)

    def adopt(self, offline: dict[str, Tensor]) -> None:
        """Take over a trained offline model's weights; until trained further, hotwords change nothing."""
        missing, unknown = self.load_state_dict(offline, strict=False)
        foreign = [name for name in missing if not name.startswith(("hotword_encoder.", "decoder.bias_"))]
        if foreign or unknown:
            raise ValueError(f"the weights are of another network: {foreign + unknown}")
        self.decoder.ignore_hotwords()

    def forward(self, speech: Tensor, speech_lengths: Tensor, bias_embed: Tensor) -> tuple[Tensor, Tensor]:
        """Plain features and hotwords [B, H, D] in; gives logits and token_num."""
        enc, mask = self.encode(speech, speech_lengths)
        embeds, counts = integrate_and_fire(
            enc, self.predictor(enc, mask), speech_lengths, self.tail_threshold
        )
        return self.decode(enc, mask, embeds, counts, bias_embed), counts

    def decode(self, enc: Tensor, mask: Tensor, embeds: Tensor, counts: Tensor, bias_embed: Tensor) -> Tensor:
        """Acoustic embeddings [B, N, D], of which `counts` [B] count, and hotwords [B, H, D] -> logits."""
        embeds_mask = length_mask(counts, embeds.shape[1])
        return self.decoder.output_layer(
            self.decoder.biased_hidden(enc, mask, embeds, embeds_mask, bias_embed)
        )
