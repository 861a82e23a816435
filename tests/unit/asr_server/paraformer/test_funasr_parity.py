"""Our recognisers beside FunASR's own Python runtime: the same folders and audio, the same token ids.

What it answered is recorded in `data/`: see there, and `asr_server/training/record_reference.py`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.contextual import ContextualRecogniser
from asr_server.paraformer.offline import OfflineRecogniser
from asr_server.paraformer.streaming import OnlineRecogniser
from asr_server.paraformer.tokens import UNSPOKEN

Samples = NDArray[np.float32]
Clip = Callable[[str], Samples]
DATA = Path(__file__).parent / "data"
CHUNK_SIZES = [(5, 10, 5), (4, 8, 4), (8, 8, 4), (2, 6, 3), (5, 20, 5)]
HOTWORDS = ["一", "三七", "九八 四五六", "一二三四五六七八九十", "零 一 二 三 四 五 六 七 八 九 十 百 千"]


def recorded(name: str, clip: Clip, **wanted: Any) -> Iterator[tuple[Mapping[str, Any], Samples]]:
    for utterance in json.loads((DATA / name).read_text(encoding="utf-8")):
        if all(utterance[key] == value for key, value in wanted.items()):
            samples = np.concatenate([clip(part) for part in utterance["clips"]])
            yield utterance, samples[: utterance["samples"]]


def check_equal(
    utterances: Iterator[tuple[Mapping[str, Any], Samples]],
    vocabulary: tuple[str, ...],
    recognise: Callable[[Samples], list[str]],
) -> None:
    right = total = 0
    for utterance, samples in utterances:
        expected = [vocabulary[token_id] for token_id in utterance["ids"]]
        expected = [token for token in expected if token not in UNSPOKEN]
        tokens = recognise(samples)
        assert len(tokens) == len(expected), utterance
        right += sum(a == b for a, b in zip(tokens, expected, strict=True))
        total += len(expected)
    assert total
    # Equal on the machine that recorded it. Another processor may round a last bit of an int8 model
    # differently.
    assert right >= 0.98 * total


@pytest.mark.parametrize("chunk_size", CHUNK_SIZES)
def test_online(online: OnlineRecogniser, clip: Clip, chunk_size: tuple[int, int, int]) -> None:
    check_equal(
        recorded("online.json", clip, chunk_size=list(chunk_size)),
        online.model.tokens,
        lambda samples: online.new_stream(chunk_size).accept(samples, is_final=True),
    )


def test_offline(offline: OfflineRecogniser, clip: Clip) -> None:
    check_equal(recorded("offline.json", clip), offline.model.tokens, offline.recognise)


@pytest.mark.parametrize("hotwords", HOTWORDS)
def test_contextual(contextual: ContextualRecogniser, clip: Clip, hotwords: str) -> None:
    biased = contextual.with_hotwords(hotwords.split())
    check_equal(
        recorded("contextual.json", clip, hotwords=hotwords), contextual.model.tokens, biased.recognise
    )
