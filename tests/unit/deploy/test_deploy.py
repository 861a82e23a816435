"""The files to copy: right by their official schemas and linters, and with options that soak has."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
import yaml

from asr_server.options import parse_options
from soak.cli import app
from soak.cli.verbs import VERBS, load

TOP = Path(__file__).parents[3]
WORKFLOW = ".github/workflows/leak-regression.yml"
ACTION = ".github/actions/soak-check/action.yml"
SCRIPT = ".github/actions/soak-check/check.sh"
CI_SCRIPTS = ("run", "check", "nightly", "pythons", "leak-regression")
WITH_COMMANDS = (
    WORKFLOW,
    SCRIPT,
    ".ci/leak-regression",
    "deploy/gitlab-ci.yml",
    "deploy/compose.yaml",
    "deploy/kubernetes-cronjob.yaml",
    "deploy/Dockerfile",
    "README.md",
)


def _schema(name: str, file: str) -> list[str]:
    return ["check-jsonschema", "--builtin-schema", f"vendor.{name}", file]


@pytest.mark.parametrize(
    "command",
    [
        _schema("github-workflows", WORKFLOW),
        _schema("github-workflows", ".github/workflows/release.yml"),
        _schema("github-actions", ACTION),
        _schema("gitlab-ci", "deploy/gitlab-ci.yml"),
        _schema("compose-spec", "deploy/compose.yaml"),
        ["kubernetes-validate", "--strict", "deploy/kubernetes-cronjob.yaml"],
        ["hadolint", "deploy/Dockerfile"],
        [
            "shellcheck",
            "locks/update",
            SCRIPT,
            ".ci/run",
            ".ci/check",
            ".ci/nightly",
            ".ci/pythons",
            ".ci/leak-regression",
        ],
        ["zizmor", "--offline", "--no-progress", ".github"],
    ],
    ids=lambda command: f"{command[0]}-{Path(command[-1]).name}",
)
def test_linted(command: list[str]) -> None:
    program, *arguments = command
    found = Path(sys.executable).with_name(program)
    done = subprocess.run(
        [found, *arguments], cwd=TOP, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _texts(value: object) -> list[str]:
    """Return every text in a YAML document, and every list of texts as a command line."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        words = [str(each) for each in value if not isinstance(each, list | dict)]
        return [shlex.join(words), *(text for each in value for text in _texts(each))]
    return [text for each in value.values() for text in _texts(each)] if isinstance(value, dict) else []


def _content(file: str) -> list[str]:
    text = (TOP / file).read_text(encoding="utf-8")
    if not file.endswith((".yml", ".yaml")):
        return [text.replace("\\\n", " ").replace('", "', " ")]
    return [each for document in yaml.safe_load_all(text) for each in _texts(document)]


def _options_of(verb: str) -> set[str]:
    command = load(verb) if verb in VERBS else typer.main.get_command(app)
    return {name for parameter in command.params for name in parameter.opts}


@pytest.mark.parametrize("file", WITH_COMMANDS)
def test_the_options_in_it_exist(file: str) -> None:
    used = 0
    for text in _content(file):
        for verb, rest in re.findall(
            r"\bsoak (run|check|selftest|experiment|analyze|compare)\b([^\n`#|]*)", text
        ):
            own = re.sub(r"""(["'])(?=\S* ).*?\1""", "", rest)  # what is quoted is another command's
            options = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", own))
            assert options <= _options_of(verb), f"{file}: soak {verb}: {options - _options_of(verb)}"
            used += 1
        for rest in re.findall(r"\basr_server\b((?: --?[\w.-]+(?: [\w.:/]+)?)+)", text):
            if rest.strip() != "--help":
                parse_options(shlex.split(rest))
            used += 1
    assert used or file == WORKFLOW


def test_every_input_of_the_action_is_used() -> None:
    action = yaml.safe_load((TOP / ACTION).read_text(encoding="utf-8"))
    script = (TOP / SCRIPT).read_text(encoding="utf-8")
    (step,) = [step for step in action["runs"]["steps"] if step.get("id") == "check"]
    passed = {re.search(r"inputs\.([\w-]+)", value).group(1) for value in step["env"].values()}  # type: ignore[union-attr]
    assert passed == set(action["inputs"]) - {"install", "artifact"}
    for name in step["env"]:
        assert (
            name in script
            or name.removeprefix("SOAK_") in script.split("for name in", 1)[1].split(";")[0].split()
        )
    known = {f"--{name}" for name in passed - {"save-baseline", "settings"}}
    assert known <= _options_of("check")
