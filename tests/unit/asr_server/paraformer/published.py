"""Makes folders as ModelScope delivers them out of the bundled ones: other types, outputs and texts."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

CONFIG_HEAD = """\
# This is an example that demonstrates how to configure a model file.
model: %s
model_conf:
    ctc_weight: 0.0
    lsm_weight: 0.1
    length_normalized_loss: true
    predictor_weight: 1.0
    predictor_bias: 0
    sampling_ratio: 0.75
    inner_dim: 512
"""
CONFIG_TAIL = """\
specaug: SpecAugLFR
specaug_conf:
    apply_time_warp: false
    freq_mask_width_range: !!python/tuple
    - 0
    - 30
    lfr_rate: 6
train_conf:
  accum_grad: 1
  val_scheduler_criterion:
      - valid
      - acc
  best_model_criterion:
  -   - valid
      - acc
      - max
optim: adam
optim_conf:
   lr: 0.0005
encoder_class: !!python/name:funasr.models.sanm.encoder.SANMEncoder ''
dataset: AudioDataset
tokenizer: CharTokenizer
tokenizer_conf:
  unk_symbol: <unk>
  split_with_space: true
ctc_conf:
    ctc_type: builtin
normalize: null
"""


def publish(source: Path, target: Path, model: str) -> Path:
    """Copy a folder: graphs without `_quant`, long `config.yaml`, `am.mvn` in Kaldi's own formatting."""
    target.mkdir()
    for graph in source.glob("*.onnx"):
        shutil.copyfile(graph, target / graph.name.replace("_quant", ""))
    text = (source / "config.yaml").read_text(encoding="utf-8")
    body = re.sub(r"(?m)^(model:.*|model_conf:|  predictor_bias:.*|  inner_dim:.*)\n", "", text)
    config = CONFIG_HEAD % model + body + CONFIG_TAIL
    (target / "config.yaml").write_text(config, encoding="utf-8")
    shutil.copyfile(source / "tokens.json", target / "tokens.json")
    rows = (source / "am.mvn").read_text(encoding="utf-8").splitlines()
    (target / "am.mvn").write_text("".join(f"{row} \n" for row in rows), encoding="utf-8")
    (target / "configuration.json").write_text('{"framework": "onnx"}', encoding="utf-8")
    return target


def with_token_list(folder: Path) -> None:
    """Move the tokens into `config.yaml`, where folders of FunASR 0.x have them."""
    tokens = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
    rows = "".join(f"- {json.dumps(token, ensure_ascii=False)}\n" for token in tokens)
    with (folder / "config.yaml").open("a", encoding="utf-8") as config:
        config.write(f"token_list:\n{rows}")
    (folder / "tokens.json").unlink()


def with_long_lengths(graph: Path) -> None:
    """Let a graph take and give its whole numbers in 64 bits."""
    model = onnx.load(graph)
    for value in model.graph.input:
        if value.type.tensor_type.elem_type == TensorProto.INT32:
            value.type.tensor_type.elem_type = TensorProto.INT64
            short = f"{value.name}_short"
            for node in model.graph.node:
                node.input[:] = [short if name == value.name else name for name in node.input]
            model.graph.node.insert(0, helper.make_node("Cast", [value.name], [short], to=TensorProto.INT32))
    for value in model.graph.output:
        if value.type.tensor_type.elem_type == TensorProto.INT32:
            value.type.tensor_type.elem_type = TensorProto.INT64
            short = f"{value.name}_short"
            for node in model.graph.node:
                node.output[:] = [short if name == value.name else name for name in node.output]
                node.input[:] = [short if name == value.name else name for name in node.input]
            model.graph.node.append(helper.make_node("Cast", [short], [value.name], to=TensorProto.INT64))
    onnx.save(model, graph)


def with_timestamps(graph: Path) -> None:
    """Add the outputs of the timestamp variant, `us_alphas` and `us_cif_peak`."""
    model = onnx.load(graph)
    for name in ("us_alphas", "us_cif_peak"):
        model.graph.node.append(helper.make_node("ReduceMean", ["speech"], [name], axes=[2], keepdims=0))
        shape = ["batch_size", "alphas_length"]
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    onnx.save(model, graph)


def with_order(graph: Path, first: Sequence[str]) -> None:
    """Put some inputs and outputs in front of the others."""
    model = onnx.load(graph)
    for values in (model.graph.input, model.graph.output):
        ordered = sorted(values, key=lambda value: first.index(value.name) if value.name in first else 99)
        del values[:]
        values.extend(ordered)
    onnx.save(model, graph)


def with_failure_where_nothing_fires(graph: Path) -> None:
    """Let a graph fail for an utterance without tokens, as published ones do in their decoder."""
    model = onnx.load(graph)
    numbers = {"here": [0], "nowhere": [5]}
    model.graph.initializer.extend(
        helper.make_tensor(name, TensorProto.INT64, [1], value) for name, value in numbers.items()
    )
    model.graph.initializer.append(helper.make_tensor("table", TensorProto.FLOAT, [1], [1.0]))
    for node in model.graph.node:
        node.output[:] = ["logits_before" if name == "logits" else name for name in node.output]
    model.graph.node.extend(
        [
            helper.make_node("Cast", ["token_num"], ["fired"], to=TensorProto.BOOL),
            helper.make_node("Where", ["fired", "here", "nowhere"], ["place"]),
            helper.make_node("Gather", ["table", "place"], ["one"]),
            helper.make_node("Mul", ["logits_before", "one"], ["logits"]),
        ]
    )
    onnx.save(model, graph)
