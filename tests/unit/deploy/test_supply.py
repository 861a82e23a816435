"""Locks fit the project and have hashes, images have digests, containers no rights that they do not need."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[3]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
MINOR_VERSIONS = ("3.11", "3.12", "3.13", "3.14")
LOCKS = ("build", "ci", "image", "release")


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """What a lock file pins, each with its hashes."""
    text = (TOP / "locks" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(Requirement(line.split(" --hash", 1)[0]), re.findall(r"--hash=(\S+)", line)) for line in lines]


def wanted(*extras: str) -> list[Requirement]:
    """What the project needs with these extras; those may name others of the project's."""
    found = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    for extra in extras:
        for line in PROJECT["project"]["optional-dependencies"][extra]:
            requirement = Requirement(line)
            found += wanted(*requirement.extras) if requirement.name == "soak" else [requirement]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_its_hashes(name: str) -> None:
    for requirement, hashes in locked(name):
        assert [each.operator for each in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


@pytest.mark.parametrize(("name", "extras"), [("image", ()), ("ci", ("dev",))])
@pytest.mark.parametrize("python", MINOR_VERSIONS)
def test_the_locked_versions_are_those_that_the_project_takes(
    name: str, extras: tuple[str, ...], python: str
) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    versions = {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement, _ in locked(name)
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    for requirement in wanted(*extras):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in locks/{name}.txt: run locks/update"
        assert requirement.specifier.contains(version), f"{requirement} but {version}: run locks/update"


def test_what_is_needed_at_run_time_has_an_upper_bound() -> None:
    for requirement in wanted("profile"):
        assert any(each.operator == "<" for each in requirement.specifier), requirement


def test_what_builds_the_package_is_locked() -> None:
    (backend,) = [Requirement(line) for line in PROJECT["build-system"]["requires"]]
    pinned = {requirement.name: next(iter(requirement.specifier)) for requirement, _ in locked("build")}
    assert backend.specifier.contains(pinned[backend.name].version)


def test_images_are_named_by_digest_and_packages_come_with_hashes() -> None:
    text = (TOP / "deploy/Dockerfile").read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", bases[0])
    for installed in re.findall(r"pip install ([^\n&]+)", text):
        assert "--require-hashes" in installed or "--no-index" in installed


def services() -> list[dict[str, Any]]:
    compose = yaml.safe_load((TOP / "deploy/compose.yaml").read_text(encoding="utf-8"))
    return list(compose["services"].values())


def containers() -> list[dict[str, Any]]:
    documents = yaml.safe_load_all((TOP / "deploy/kubernetes-cronjob.yaml").read_text(encoding="utf-8"))
    pod = next(each for each in documents if each["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]
    spec = pod["template"]["spec"]
    return [*spec["initContainers"], *spec["containers"]]


@pytest.mark.parametrize("service", services(), ids=lambda each: each["command"][0])
def test_compose_gives_no_rights_that_are_not_needed(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("container", containers(), ids=lambda each: each["name"])
def test_kubernetes_gives_no_rights_that_are_not_needed(container: dict[str, Any]) -> None:
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("command", [each["command"] for each in (*services(), *containers())], ids=str)
def test_the_debug_pages_are_not_for_other_machines(command: list[str]) -> None:
    if "--introspection" in command:
        assert command[command.index("--listen-ip") + 1] == "127.0.0.1"
