"""Reads the text files of an FSMN VAD folder in FunASR's layout: `config.yaml` and `am.mvn`.

Every fault is one ModelError line.
"""

from __future__ import annotations

import math
import reprlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.model_dir import config_section, read_config, read_frontend
from asr_server.vad.endpoint import EndpointSettings

if TYPE_CHECKING:
    from pathlib import Path

    from asr_server.paraformer.frontend import FrontendSettings

NOT_NEGATIVE = (
    "max_end_silence_time",
    "max_start_silence_time",
    "speech_to_sil_time_thres",
    "lookback_time_start_point",
    "lookahead_time_end_point",
)
LONGEST_SEGMENT_MS = 600_000
"""Ten times the default: the audio of a segment is kept for the second pass."""
_SHORT = reprlib.Repr()
"""Writes values short: aliases of YAML can stand for gigabytes."""
WIDEST_WINDOW_MS = 10_000
"""More than any end-point rule means; it bounds the audio that a silent connection keeps."""


@dataclass(frozen=True)
class VadDir:
    """What the text files of a VAD folder say."""

    path: Path
    frontend: FrontendSettings
    endpoint: EndpointSettings


def read_vad_dir(path: Path) -> VadDir:
    """Read the text files of a VAD folder; raises ModelError."""
    if not path.is_dir():
        raise ModelError(f"no VAD folder at {path}")
    config_file = path / "config.yaml"
    config = read_config(config_file)
    endpoint = _read_endpoint(config_section(config, "model_conf", config_file), config_file)
    frontend = read_frontend(path, config)
    if endpoint.sample_rate != frontend.sample_rate_hz:
        raise ModelError(
            f"{config_file}: model_conf has sample_rate {endpoint.sample_rate}, "
            f"frontend_conf has fs {frontend.sample_rate_hz}; make them equal"
        )
    frame_ms = frontend.frame_shift_ms * frontend.lfr_n
    if endpoint.frame_in_ms != frame_ms:
        raise ModelError(
            f"{config_file}: model_conf has frame_in_ms {endpoint.frame_in_ms}, "
            f"frontend_conf gives frames of {frame_ms:g} ms; make them equal"
        )
    return VadDir(path, frontend, endpoint)


def _read_endpoint(section: dict[str, Any], path: Path) -> EndpointSettings:
    """Take the settings that are there, FunASR's defaults for the rest, and check that they make sense."""
    given: dict[str, Any] = {}
    for name, default in asdict(EndpointSettings()).items():
        value = section.get(name, default)
        try:
            if name == "sil_pdf_ids":
                given[name] = tuple(int(number) for number in value)
            else:
                given[name] = type(default)(value)
        except (TypeError, ValueError, OverflowError):
            raise ModelError(
                f"{path}: {name} in model_conf is {_SHORT.repr(value)}, which is no number"
            ) from None
    settings = EndpointSettings(**given)
    _check_endpoint(settings, path)
    return settings


def _check_endpoint(settings: EndpointSettings, path: Path) -> None:
    """Raise ModelError for settings under which nothing, or nonsense, would be found."""
    frame_ms = settings.frame_in_ms
    at_least = dict.fromkeys(NOT_NEGATIVE, 0) | {
        "frame_in_ms": 1,
        "noise_frame_num_used_for_snr": 1,
        "sil_to_speech_time_thres": frame_ms,
        "window_size_ms": settings.sil_to_speech_time_thres,
        "max_single_segment_time": settings.window_size_ms,
    }
    for name, smallest in at_least.items():
        value = getattr(settings, name)
        if value < smallest:
            raise ModelError(f"{path}: {name} in model_conf must be at least {smallest}, not {value}")
    for name, value in asdict(settings).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ModelError(f"{path}: {name} in model_conf must be a number, not {value}")
    if settings.max_single_segment_time > LONGEST_SEGMENT_MS:
        raise ModelError(
            f"{path}: max_single_segment_time in model_conf must not exceed {LONGEST_SEGMENT_MS} ms"
        )
    if settings.window_size_ms + settings.lookback_time_start_point > WIDEST_WINDOW_MS:
        raise ModelError(
            f"{path}: window_size_ms and lookback_time_start_point in model_conf must not exceed "
            f"{WIDEST_WINDOW_MS} ms together"
        )
    if not settings.sil_pdf_ids or len(settings.sil_pdf_ids) != settings.silence_pdf_num:
        raise ModelError(
            f"{path}: model_conf has silence_pdf_num {settings.silence_pdf_num} but "
            f"{len(settings.sil_pdf_ids)} sil_pdf_ids; make them agree"
        )
