from pathlib import Path

import platformdirs
import pytest

from asr_server.paraformer.catalog import is_built, large_model_dir, resolve_model
from asr_server.paraformer.model_dir import ModelError


def test_tiny_is_bundled_and_small() -> None:
    tiny = resolve_model("tiny")
    assert is_built(tiny)
    assert sum(path.stat().st_size for path in tiny.rglob("*")) <= 8_000_000


def test_large_says_how_to_build_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _: str(tmp_path))
    assert not is_built(large_model_dir())
    with pytest.raises(ModelError, match="soak model build large"):
        resolve_model("large")


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "online").mkdir()
    assert resolve_model(str(tmp_path)) == tmp_path


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model in"):
        resolve_model(str(tmp_path / "nowhere"))
