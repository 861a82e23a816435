"""The text files of FunASR's model layout, as our models have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    import numpy as np

    from asr_server.training.geometry import Geometry


def config_text(geometry: Geometry, kind: str) -> str:
    """Write `config.yaml` for an "online", "offline" or "contextual" model, with FunASR's key names."""
    online, contextual = kind == "online", kind == "contextual"
    names = {"online": "ParaformerStreaming", "offline": "Paraformer", "contextual": "ContextualParaformer"}
    config = {
        "model": names[kind],
        "model_conf": {"predictor_bias": 0} | ({"inner_dim": geometry.encoder_dim} if contextual else {}),
        "encoder": "SANMEncoderChunkOpt" if online else "SANMEncoder",
        "encoder_conf": {
            "output_size": geometry.encoder_dim,
            "attention_heads": geometry.attention_heads,
            "linear_units": geometry.linear_units,
            "num_blocks": geometry.encoder_blocks,
            "input_layer": "pe_online" if online else "pe",
            "normalize_before": True,
            "kernel_size": geometry.kernel_size,
            "sanm_shift": 0,
            "selfattention_layer_type": "sanm",
        },
        "decoder": "ContextualParaformerDecoder" if contextual else "ParaformerSANMDecoder",
        "decoder_conf": {
            "attention_heads": geometry.attention_heads,
            "linear_units": geometry.linear_units,
            "num_blocks": geometry.decoder_blocks,
            "att_layer_num": geometry.decoder_blocks,
            "kernel_size": geometry.kernel_size,
            "sanm_shift": 5 if online else 0,
        },
        "predictor": "CifPredictorV2",
        "predictor_conf": {
            "idim": geometry.encoder_dim,
            "threshold": 1.0,
            "l_order": 1,
            "r_order": 1,
            "tail_threshold": geometry.tail_threshold,
        },
        "frontend": "WavFrontendOnline" if online else "WavFrontend",
        "frontend_conf": frontend_conf(7, 6),
        "lang": "zh-cn",
    }
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def frontend_conf(lfr_m: int, lfr_n: int) -> dict[str, object]:
    """Return a front end's section: 25 ms of audio every 10 ms, `lfr_m` stacked at every `lfr_n`-th."""
    return {
        "fs": 16000,
        "window": "hamming",
        "n_mels": 80,
        "frame_length": 25,
        "frame_shift": 10,
        "lfr_m": lfr_m,
        "lfr_n": lfr_n,
        "dither": 0.0,
    }


def cmvn_text(shift: np.ndarray, scale: np.ndarray) -> str:
    """Write `am.mvn`: a Kaldi nnet of one shift and one rescale, as FunASR's are."""
    dim = len(shift)
    rows = []
    for component, vector in (("AddShift", shift), ("Rescale", scale)):
        numbers = " ".join(f"{value:.6g}" for value in vector)
        rows += [f"<{component}> {dim} {dim}", f"<LearnRateCoef> 0 [ {numbers} ]"]
    return "\n".join(["<Nnet>", f"<Splice> {dim} {dim}", "[ 0 ]", *rows, "</Nnet>", ""])
