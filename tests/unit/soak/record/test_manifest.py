"""The manifest: typed, of any version, and never the cause of a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest

from soak.errors import SoakError
from soak.record import Manifest, read_run
from soak.record.manifest import BUDGET, read_manifest

REFERENCE = Path(__file__).parents[4] / "reports" / "reference"


def read(**content: Any) -> Manifest:
    return read_manifest(json.dumps({"schema_version": 1, **content}), "manifest.json")


@pytest.mark.parametrize("name", ["minimal", "high-hour"])
def test_what_is_read_is_what_would_be_written(name: str) -> None:
    text = (REFERENCE / name / "manifest.json").read_text(encoding="utf-8")
    written = read_manifest(text, "manifest.json").to_json_object()
    assert written.pop("judge_asked").keys() == set(BUDGET)
    assert written == json.loads(text)


def test_what_another_version_wrote_is_kept() -> None:
    manifest = read(host={"cores": 2, "sockets": 1}, later={"a": [1]})
    assert manifest.host.cores == 2
    assert manifest.to_json_object() == {
        "schema_version": 1,
        "host": {"cores": 2, "sockets": 1},
        "later": {"a": [1]},
    }


def test_of_an_older_judges_settings_only_the_budget_was_asked_for() -> None:
    older = read(configuration={"judge": {"relative_budget": 0.01, "confidence": 0.7}})
    assert older.judge_asked == {"relative_budget": 0.01}
    assert read(configuration={"judge": {"relative_budget": 0.01}}, judge_asked={}).judge_asked == {}


def test_a_command_line_of_one_text_is_read_as_words() -> None:
    assert read(command_line="soak run --minutes 10").command_line == ("soak", "run", "--minutes", "10")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"schema_version": 1, "host": {"cores": "many"}}', r"host\.cores: input should be a valid integer"),
        ('{"schema_version": 1, "host": [1]}', r"host: input should be a valid dictionary"),
        ('{"schema_version": 1, "command_line": [1]}', r"command_line\.0: input should be a valid string"),
        ('{"schema_version": 1, "target": {"start_time": 1e300}}', r"target\.start_time: .*less than"),
        ('{"schema_version": 1, "judge_asked": {"confidence": "x"}}', r"judge_asked\.confidence"),
        (
            '{"schema_version": 1, "columns": [{"name": "a b", "owner": "x", "unit": "s", "label": "a"}]}',
            "a b",
        ),
        ('{"schema_version": 1, "columns": [{"name": "a"}]}', r"columns\.0\.owner is missing"),
        ('{"schema_version": 1' + ', "a": {"b": ' + "[" * 5000 + "]" * 5000 + "}}", "recursion limit"),
        ('{"schema_version": true}' + " ", "upgrade soak"),
        ("[]", "is not a JSON object"),
        ("", "cannot read"),
    ],
)
def test_a_manifest_that_is_none_gets_one_line_that_names_file_and_key(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "samples.csv").write_text("t_s,rss_bytes\n0,100\n")
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(SoakError, match=message) as caught:
        read_run(tmp_path)
    assert "manifest.json" in str(caught.value)
    assert "\n" not in str(caught.value)
