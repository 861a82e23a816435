"""What is recorded as JSON, typed: wrong types are told in a line, what another version wrote is kept."""

import json
from typing import Annotated, Any, Self

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

LARGEST = 2**62
"""No count and no size is beyond it."""
LONGEST_S = 1e10
"""No run lasts, and no clock shows, more seconds (317 years)."""
SHOWN_CHARACTERS = 40

Count = Annotated[int, Field(ge=0, le=LARGEST)]
Number = Annotated[int | float, Field(ge=-LARGEST, le=LARGEST)]
Seconds = Annotated[int | float, Field(ge=-LONGEST_S, le=LONGEST_S)]
Setting = bool | Number | None
Texts = Annotated[tuple[str, ...], Strict(strict=False)]


class Recorded(BaseModel):
    """A JSON object of a recording.

    A field that was not recorded has its default and is not written; fields of another version are kept and
    written as they are. Raises pydantic's `ValidationError` for a wrong type: see `first_fault`.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="allow", allow_inf_nan=False, protected_namespaces=()
    )

    @classmethod
    def of(cls, recorded: object) -> Self:
        """Check an object of a recording."""
        return cls.model_validate(recorded)

    def to_json_object(self) -> dict[str, Any]:
        """Return what is written: what was given, and what another version had recorded."""
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True)

    @property
    def is_recorded(self) -> bool:
        """Whether there was anything."""
        return bool(self.model_fields_set)


def parse(text: str | bytes) -> object:
    """Parse JSON; raises ValueError, in one line, for what is none, or is nested too deep."""
    try:
        return pydantic_core.from_json(text)
    except ValueError as error:
        raise ValueError(" ".join(str(error).split())) from None


def first_fault(error: ValidationError) -> str:
    """Say which value is wrong, and how: ``host.cores: input should be a valid integer, not "many"``."""
    fault = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"] if part not in {"int", "float"})
    said = fault["msg"][:1].lower() + fault["msg"][1:]
    if fault["type"] == "missing":
        return f"{where} is missing"
    if not where:  # of the whole, not of one value
        return fault["msg"].removeprefix("Value error, ")
    return f"{where}: {said}, not {_shown(fault['input'])}"


def faulty_keys(error: ValidationError) -> set[str]:
    """Return the keys of the object in which something is wrong."""
    return {str(fault["loc"][0]) for fault in error.errors(include_input=False) if fault["loc"]}


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
