"""The sizes of the networks, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from asr_server.training.vocabularies import TINY_TOKENS


@dataclass(frozen=True)
class Geometry:
    """The sizes of one Paraformer; the fields carry FunASR's names where it has one."""

    vocabulary_size: int
    encoder_dim: int
    """`encoder_conf.output_size`."""
    attention_heads: int
    linear_units: int
    """Width of the feed-forward layers."""
    encoder_blocks: int
    decoder_blocks: int
    feature_dim: int = 560
    """80 mel bins times 7 stacked frames."""
    kernel_size: int = 11
    """Taps of every FSMN memory; the streaming decoder caches one fewer."""
    tail_threshold: float = 0.45
    """CIF weight added after the last frame, so that a last token more than half seen still fires."""


TINY = Geometry(
    vocabulary_size=len(TINY_TOKENS),
    encoder_dim=128,
    attention_heads=4,
    linear_units=256,
    encoder_blocks=4,
    decoder_blocks=2,
)
"""The bundled model."""

LARGE = Geometry(
    vocabulary_size=8404,
    encoder_dim=512,
    attention_heads=4,
    linear_units=2048,
    encoder_blocks=50,
    decoder_blocks=16,
)
"""The published Paraformer-large, online and offline."""
