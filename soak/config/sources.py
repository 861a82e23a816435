"""Where a configuration comes from: a TOML file, `--set section.key=value`, and options of their own.

Later ones win, in this order. What comes out is validated.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from soak.analyse import JudgeSettings
from soak.config.judge_options import refuse_gone
from soak.config.length import Length, with_an_end
from soak.config.schema import SECTIONS, SampleConfig, ServerConfig, SoakConfig
from soak.errors import SoakError
from soak.foreign_text import for_file_name
from soak.load.clips import ClipError, find_clips
from soak.load.plan import LoadPlan, PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

URL_NOT_YET_KNOWN = "ws://127.0.0.1:0"
"""Stands in the load plan until the server has told its address."""
LOAD_DEFAULTS: dict[str, Any] = {"baseline_s": 3.0}
RANDOM_MODEL = "large"
"""Its weights are random: what it hears is always wrong, but always the same."""
Section = TypeVar("Section")


def overrides_of(
    length: Length,
    *,
    model: str | None = None,
    probe: str | None = None,
    judge: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return what the options of their own ask for, as `overrides` of `load_config`; None changes nothing.

    `judge` is what `judge_asked` returns.
    """
    return {
        "load": length.settings(),
        "server": {} if model is None else {"model": model},
        "sample": {} if probe is None else {"probe": probe},
        "judge": dict(judge or {}),
    }


def bundled_configs_dir() -> Path:
    """Return the folder of the configurations that come with soak (in a wheel, inside the package)."""
    package = Path(__file__).parent.parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def bundled_config_names() -> list[str]:
    """Return the names `--config` knows without a file."""
    return sorted(path.stem for path in bundled_configs_dir().glob("*.toml"))


def load_config(
    name_or_file: str,
    settings: Sequence[str] = (),
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> SoakConfig:
    """Read a bundled configuration by name, or a TOML file, and lay settings over it.

    `settings` are `section.key=value` texts (values as in TOML; a bare word is a string); `overrides` maps
    section to key to value and comes last. Raises `SoakError` with one line that names file, section and key.
    """
    path = _find(name_or_file)
    document = _parse_toml(path)
    for setting in settings:
        section, key, value = _parse_setting(setting)
        document.setdefault(section, {})[key] = value
    for section, values in (overrides or {}).items():
        document.setdefault(section, {}).update(values)
    unknown = sorted(set(document) - set(SECTIONS))
    if unknown:
        raise SoakError(f"{path.name}: unknown section [{unknown[0]}]; there are {', '.join(SECTIONS)}")
    try:
        refuse_gone(document.get("judge", {}))
        server = _validated(ServerConfig, document, "server")
        hears = {"check_references": server.model != RANDOM_MODEL}
        return SoakConfig(
            name=for_file_name(path.stem),
            server=server,
            load=_load_plan(hears | document.get("load", {})),
            sample=_validated(SampleConfig, document, "sample"),
            judge=_validated(JudgeSettings, document, "judge"),
        )
    except (SoakError, PlanError) as error:
        raise SoakError(f"configuration {path.stem}: {error}") from None


def _find(name_or_file: str) -> Path:
    bundled = bundled_configs_dir() / f"{name_or_file}.toml"
    if re.fullmatch(r"[\w-]+", name_or_file) and bundled.is_file():
        return bundled
    path = Path(name_or_file)
    if path.is_file():
        return path
    raise SoakError(
        f"--config {name_or_file}: there is no such file, and the bundled ones are "
        f"{', '.join(bundled_config_names())}"
    )


def _parse_toml(path: Path) -> dict[str, dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SoakError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise SoakError(f"{path} is not valid TOML: it is nested too deep") from None
    for section, values in document.items():
        if not isinstance(values, dict):
            raise SoakError(
                f"{path.name}: {section} stands outside a section; put it under [{SECTIONS[0]}] …"
            )
    return document


def _parse_setting(setting: str) -> tuple[str, str, Any]:
    match = re.fullmatch(r"(\w+)\.(\w+)=(.*)", setting, re.DOTALL)
    if match is None:
        raise SoakError(f"--set {setting}: write it as section.key=value, such as load.rate_per_s=2")
    section, key, text = match.groups()
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        value = text
    return section, key, value


def _validated(kind: type[Section], document: Mapping[str, Any], section: str) -> Section:
    try:
        return TypeAdapter(kind).validate_python(document.get(section, {}))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join((section, *map(str, fault["loc"])))
        if fault["type"] == "unexpected_keyword_argument":
            known = ", ".join(field.name for field in fields(kind))  # type: ignore[arg-type]  # dataclasses all
            raise SoakError(f"{where} is not a setting; [{section}] has {known}") from None
        raise SoakError(f"{where} is {fault['input']!r}: {fault['msg']}") from None


def _load_plan(values: Mapping[str, Any]) -> LoadPlan:
    plan = LoadPlan.from_json_object({**LOAD_DEFAULTS, **with_an_end(values), "url": URL_NOT_YET_KNOWN})
    if plan.clips:  # the driver reads them: what is wrong with them is better said now
        try:
            find_clips(Path(plan.clips))
        except ClipError as error:
            raise SoakError(f"load.clips: {error}") from None
    return plan
