"""Reads a model folder in FunASR's layout: `config.yaml`, `am.mvn`, `tokens.json` and the graphs.

Nothing is assumed from a model's size: what the code needs to know it reads from these files and from the
graphs. Every fault is one ModelError line.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from asr_server import regular_file
from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.frontend import FrontendSettings
from asr_server.paraformer.sessions import one_line

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ModelDir", "ModelError", "graph_file", "read_cmvn", "read_model_dir", "read_text"]

Doubles = NDArray[np.float64]

WRONG_VALUES = (TypeError, ValueError, OverflowError, AttributeError)
"""What Python raises where a number was expected and something else is there."""
WINDOWS = ("hamming", "hanning", "povey", "rectangular", "blackman", "sine")
"""Kaldi's window functions."""
WIDEST = {"fs": 192_000, "n_mels": 256, "frame_length": 1000, "frame_shift": 1000, "lfr_m": 100, "lfr_n": 100}
"""Upper bounds of the front end's values, far beyond any model's: more takes memory, or ends the process."""
SHORTEST_MS = 1.0
"""Of a frame, and of the shift between two."""
DEFAULT_TAIL_THRESHOLD = 0.45
DEFAULT_CIF_THRESHOLD = 1.0


@dataclass(frozen=True)
class ModelDir:
    """What the text files of a model folder say."""

    path: Path
    frontend: FrontendSettings
    tokens: tuple[str, ...]
    """Indexed by token id."""
    cif_threshold: float
    """Weight at which a token fires."""
    tail_threshold: float
    """Weight added after the last frame."""
    predictor_bias: int
    """Tokens at the end of an offline result that stand for no speech (`model_conf.predictor_bias`)."""


def read_model_dir(path: Path) -> ModelDir:
    """Read the text files of a model folder; raises ModelError."""
    if not path.is_dir():
        raise ModelError(f"no model folder at {path}")
    config_file = path / "config.yaml"
    config = read_config(config_file)
    frontend = read_frontend(path, config)
    predictor = config_section(config, "predictor_conf", config_file)
    model = config.get("model_conf") or {}
    try:
        threshold = float(predictor.get("threshold", DEFAULT_CIF_THRESHOLD))
        tail_threshold = float(predictor.get("tail_threshold", DEFAULT_TAIL_THRESHOLD))
        if not 0 < threshold < math.inf:
            raise ModelError(f"{config_file}: threshold must be above 0 and finite, not {threshold}")
        if not math.isfinite(tail_threshold):
            raise ModelError(f"{config_file}: tail_threshold must be a number, not {tail_threshold}")
        return ModelDir(
            path=path,
            frontend=frontend,
            tokens=_read_tokens(path / "tokens.json", config),
            cif_threshold=threshold,
            tail_threshold=tail_threshold,
            predictor_bias=int(model.get("predictor_bias", 0)),
        )
    except WRONG_VALUES as error:
        raise ModelError(f"{config_file}: a value has the wrong type: {one_line(error)}") from error


def read_frontend(path: Path, config: dict[str, Any]) -> FrontendSettings:
    """Read `frontend_conf` and `am.mvn` of a model folder; raises ModelError."""
    config_file = path / "config.yaml"
    frontend = config_section(config, "frontend_conf", config_file)
    try:
        shift, scale = read_cmvn(path / "am.mvn", int(frontend["n_mels"]) * int(frontend["lfr_m"]))
        settings = FrontendSettings(
            shift=shift,
            scale=scale,
            sample_rate_hz=int(frontend["fs"]),
            window=str(frontend["window"]),
            n_mels=int(frontend["n_mels"]),
            frame_length_ms=float(frontend["frame_length"]),
            frame_shift_ms=float(frontend["frame_shift"]),
            lfr_m=int(frontend["lfr_m"]),
            lfr_n=int(frontend["lfr_n"]),
        )
    except KeyError as error:
        raise ModelError(f"{config_file}: frontend_conf lacks {error.args[0]}") from error
    except WRONG_VALUES as error:
        raise ModelError(f"{config_file}: a value has the wrong type: {one_line(error)}") from error
    _check_sizes(config_file, settings)
    return settings


def graph_file(path: Path, stem: str, *, quantize: bool | None = None) -> Path:
    """Pick `{stem}_quant.onnx` or else `{stem}.onnx`, unless `quantize` says which; raises ModelError."""
    int8, plain = path / f"{stem}_quant.onnx", path / f"{stem}.onnx"
    chosen = {None: int8 if int8.is_file() else plain, True: int8, False: plain}[quantize]
    if not chosen.is_file():
        names = chosen.name if quantize is not None else f"{int8.name} or {plain.name}"
        raise ModelError(f"no {names} in {path}")
    return chosen


def read_cmvn(path: Path, dim: int) -> tuple[Doubles, Doubles]:
    """Read mean shift and scale, [dim] each, from a Kaldi nnet file; raises ModelError.

    The numbers stand in square brackets after `<AddShift>` and `<Rescale>`.
    """
    text = read_text(path)
    vectors = []
    for component in ("AddShift", "Rescale"):
        found = re.search(rf"<{component}>[^\[]*\[([^\]]*)\]", text)
        if found is None:
            raise ModelError(f"{path} has no <{component}>: not a CMVN file")
        try:
            vector = np.array(found[1].split(), dtype=np.float64)
        except ValueError as error:
            raise ModelError(f"{path}: <{component}> holds something that is no number") from error
        if not np.isfinite(vector).all():
            raise ModelError(f"{path}: <{component}> holds a number that is not finite; copy the model again")
        if len(vector) != dim:
            raise ModelError(f"{path}: <{component}> has {len(vector)} numbers, the features have {dim}")
        vectors.append(vector)
    return vectors[0], vectors[1]


def _check_sizes(path: Path, frontend: FrontendSettings) -> None:
    """Raise ModelError for values that Kaldi's code would end the process for, or that make no sense."""
    if frontend.window not in WINDOWS:
        raise ModelError(f"{path}: window must be one of {', '.join(WINDOWS)}, not {frontend.window!r}")
    positive = {
        "fs": frontend.sample_rate_hz,
        "n_mels": frontend.n_mels,
        "frame_length": frontend.frame_length_ms,
        "frame_shift": frontend.frame_shift_ms,
        "lfr_m": frontend.lfr_m,
        "lfr_n": frontend.lfr_n,
    }
    for name, value in positive.items():
        if not value > 0:
            raise ModelError(f"{path}: {name} must be above 0, not {value}")
        if value > WIDEST[name]:
            raise ModelError(f"{path}: {name} must be at most {WIDEST[name]}, not {value}")
    for name in ("frame_length", "frame_shift"):
        if positive[name] < SHORTEST_MS:
            raise ModelError(f"{path}: {name} must be at least {SHORTEST_MS:g} ms, not {positive[name]}")


def read_text(path: Path) -> str:
    """Read a file of a model folder; raises ModelError."""
    try:
        return regular_file.read_text(path)
    except FileNotFoundError as error:
        raise ModelError(f"no {path.name} in {path.parent}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read {path}: {one_line(error)}") from error


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that reads tuples and names of Python as the lists and texts they are written as.

    Folders of older toolkits hold such tags. One that asks for an object is refused, as by every safe loader.
    """


def _plain_value(loader: _PlainLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


for _tag in ("tuple", "name:", "module:", "str", "unicode"):
    _PlainLoader.add_multi_constructor(f"tag:yaml.org,2002:python/{_tag}", _plain_value)


def read_config(path: Path) -> dict[str, Any]:
    """Read `config.yaml` with a loader that builds nothing but plain values; raises ModelError."""
    try:
        config = yaml.load(read_text(path), _PlainLoader)  # noqa: S506 - derived from the safe loader
    except yaml.YAMLError as error:
        raise ModelError(f"{path} is not YAML: {one_line(error)}") from error
    except RecursionError:
        raise ModelError(f"{path} is nested too deeply to be read; copy the model again") from None
    except (ValueError, OverflowError) as error:  # such as a date that there is not
        raise ModelError(f"{path} holds a value that cannot be read: {one_line(error)}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds no settings")
    return config


def config_section(config: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    """Take a section that must be there; raises ModelError."""
    section = config.get(name)
    if not isinstance(section, dict):
        raise ModelError(f"{path} has no {name}")
    return section


def _read_tokens(path: Path, config: dict[str, Any]) -> tuple[str, ...]:
    """Read `tokens.json`, or what older folders have instead of it: `token_list` in `config.yaml`."""
    where, tokens = f"{path}", config.get("token_list")
    if tokens is not None and not path.is_file():
        where = f"{path.parent / 'config.yaml'}: token_list"
    else:
        try:
            tokens = json.loads(read_text(path))
        except json.JSONDecodeError as error:
            raise ModelError(f"{path} is not JSON: {one_line(error)}") from error
        except RecursionError:
            raise ModelError(f"{path} is nested too deeply to be read; copy the model again") from None
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise ModelError(f"{where} must hold a list of strings")
    return tuple(tokens)
