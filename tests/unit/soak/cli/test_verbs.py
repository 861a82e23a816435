"""The map of the product comes at once: what a verb needs is imported when the verb is called."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from soak.cli.verbs import VERBS

HEAVY = ("asr_server", "matplotlib", "numpy", "onnxruntime", "pandas", "plotly", "pydantic", "scipy")
SCRIPT = """
import sys
import soak.cli
sys.argv = ["soak", *{arguments!r}]
try:
    soak.cli.main()
except SystemExit:
    pass
print(*sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)
"""


def _imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(arguments=arguments, heavy=HEAVY)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_the_help_imports_nothing_that_takes_long() -> None:
    assert not _imported("--help")
    assert not _imported("--version")


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_a_verb_imports_nothing_that_takes_long_either(name: str) -> None:
    # typer itself imports pydantic where there is one; the light part of asr_server names models and kinds
    assert not _imported(name, "--help") - {"asr_server", "pydantic"}


def test_analyze_draws_nothing_and_recognises_no_speech(tmp_path: Path) -> None:
    readings = tmp_path / "readings.csv"
    readings.write_text("t_s,rss_bytes\n0,1\n1,1\n")
    assert not _imported("analyze", str(readings)) & {"matplotlib", "plotly"}


@pytest.mark.parametrize("name", VERBS)
def test_the_map_says_of_a_verb_what_its_own_help_begins_with(name: str) -> None:
    module = importlib.import_module(VERBS[name].module)
    app = getattr(module, "app", None)
    text = app.info.help if app is not None else inspect.getdoc(getattr(module, name.replace("-", "_")))
    assert isinstance(text, str)
    assert " ".join(text.partition("\n\n")[0].split()) == VERBS[name].summary


def test_the_contract_that_no_verb_imports_another_names_every_verb() -> None:
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["name"]: each for each in project["tool"]["importlinter"]["contracts"]}
    named = contracts["A verb imports no other verb"]["modules"]
    assert sorted(named) == sorted(verb.module for verb in VERBS.values())
