"""Model folders damaged at random: each is read, or refused in one line that names the file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr_server.paraformer.catalog import OFFLINE, VAD, resolve_model
from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.model_dir import read_model_dir
from asr_server.vad.model_dir import read_vad_dir

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = max(200, settings().max_examples)

values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=10),
        st.sampled_from([0, -1, 10**400, 1e-300, float("nan"), float("inf"), "nan", "1e400"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner)),
    max_leaves=4,
)
SPOILED = [
    b"nan",
    b"inf",
    b"1e999",
    b"-",
    b"[" * 5000,
    b"\0",
    b"\xff",
    b"&a [*a]",
    b"!!binary x",
    b"",
    b" \n",
]


@pytest.fixture(params=[(OFFLINE, read_model_dir), (VAD, read_vad_dir)], ids=["offline", "vad"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[[Path], object]]:
    """A folder that may be damaged, and who reads it."""
    kind, read = request.param
    return Path(shutil.copytree(resolve_model("tiny") / kind, tmp_path / "model")), read


def refusal(read: Callable[[Path], object], path: Path) -> str | None:
    """Why a folder is refused; None if it can be read."""
    try:
        read(path)
    except ModelError as error:
        return str(error)
    return None


def assert_read_or_refused(read: Callable[[Path], object], path: Path) -> None:
    message = refusal(read, path)
    if message is not None:
        assert "\n" not in message
        assert str(path) in message
        assert len(message) < 1000


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_that_are_changed_are_told_in_one_line(
    folder: tuple[Path, Callable[[Path], object]], data: st.DataObject
) -> None:
    path, read = folder
    name = data.draw(st.sampled_from(sorted(each.name for each in path.iterdir() if "onnx" not in each.name)))
    whole = (path / name).read_bytes()
    try:
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 20)))
        spoiled = data.draw(st.one_of(st.sampled_from(SPOILED), st.binary(max_size=8)))
        (path / name).write_bytes(
            whole[:start] + spoiled + whole[data.draw(st.sampled_from([end, len(whole)])) :]
        )
        assert_read_or_refused(read, path)
    finally:
        (path / name).write_bytes(whole)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_settings_of_any_kind_are_told_in_one_line(
    folder: tuple[Path, Callable[[Path], object]], data: st.DataObject
) -> None:
    path, read = folder
    text = (path / "config.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    try:
        sections = sorted(name for name in config if isinstance(config[name], dict))
        section = data.draw(st.sampled_from(sections))
        key = data.draw(st.sampled_from([None, *sorted(config[section])]))
        if key is None:
            config[section] = data.draw(values)
        else:
            config[section][key] = data.draw(values)
        (path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        assert_read_or_refused(read, path)
    finally:
        (path / "config.yaml").write_text(text, encoding="utf-8")
