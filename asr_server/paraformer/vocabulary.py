"""Token ids to words, and the check that a model folder's tokens are those of its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.tokens import UNSPOKEN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from asr_server.paraformer.model_dir import ModelDir
    from asr_server.paraformer.sessions import GraphSession

LOGITS = "logits"


def check_vocabulary(model: ModelDir, graph: GraphSession) -> None:
    """Raise ModelError unless `tokens.json` has as many tokens as the graph has logits."""
    logits = next(output for output in graph.outputs if output.name == LOGITS)
    size = logits.shape[-1] if logits.shape else None
    if isinstance(size, int) and size != len(model.tokens):
        raise ModelError(
            f"{model.path / 'tokens.json'} has {len(model.tokens)} tokens, {graph.path.name} gives {size} "
            "logits: the files are not of one model"
        )


def spoken_words(model: ModelDir, token_ids: NDArray[np.integer]) -> list[str]:
    """Look token ids up and leave out the marks that stand for no speech."""
    words = (model.tokens[token_id] for token_id in token_ids.tolist())
    return [word for word in words if word not in UNSPOKEN]
