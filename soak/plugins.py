"""Exchangeable parts of a run: found by name, here or in other people's packages, and built from options.

A part is a frozen dataclass whose fields are its options. A registry knows the parts of one kind: one line
names each built-in one as `module:Class`; an entry point of the registry's group names one of another
package. Nothing is imported before it is asked for.
"""

from __future__ import annotations

import dataclasses
import math
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class OptionError(ValueError):
    """An option with a value that cannot be; the message is one line that begins with its name."""


class PluginError(ValueError):
    """A part that does not exist or cannot be used; the message is one line that says where it comes from."""


@dataclasses.dataclass(frozen=True)
class Part:
    """What is chosen by name. A subclass is a frozen dataclass; its fields, with defaults, are its options.

    It checks them in `__post_init__` and raises `OptionError`; lists may come where tuples are meant, as JSON
    and TOML have no other.
    """

    name: ClassVar[str]
    """The name under which it is registered."""

    def options(self) -> dict[str, Any]:
        """Return the options as JSON-ready values, in order."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


PartT = TypeVar("PartT", bound=Part)


class Registry(Generic[PartT]):
    """The parts of one kind, by name."""

    def __init__(self, kind: type[PartT], noun: str, group: str, built_in: Mapping[str, str]) -> None:
        """`noun` names the kind in messages; `built_in` has `module:Class` for each name."""
        self.noun = noun
        self.group = group
        self._kind = kind
        self._built_in = built_in

    def names(self) -> list[str]:
        """Return the names of all parts, the built-in ones first."""
        others = {point.name for point in entry_points(group=self.group)} - set(self._built_in)
        return [*self._built_in, *sorted(others)]

    def find(self, name: object) -> type[PartT]:
        """Return the class of that name; built-in ones go before others. Raises `PluginError`."""
        if isinstance(name, str) and name in self._built_in:
            return self._load(EntryPoint(name, self._built_in[name], self.group))
        for point in entry_points(group=self.group):
            if point.name == name:
                return self._load(point)
        raise PluginError(f"{name!r}: choose one of {', '.join(self.names())}")

    def make(self, name: object, options: Mapping[str, Any]) -> PartT:
        """Find and build the part of that name; see `find` and `build`."""
        return self.build(self.find(name), options)

    def build(self, part: type[PartT], options: Mapping[str, Any]) -> PartT:
        """Build a part that was found. Raises `OptionError` for an option it refuses, or `PluginError`."""
        try:
            return part(**options)
        except OptionError:
            raise
        except Exception as error:
            refused = f"the {self.noun} refuses its options ({_shown(error)})"
            raise PluginError(f"{part.name!r}: {refused}") from error

    def _load(self, point: EntryPoint) -> type[PartT]:
        whose = f" of the package {point.dist.name}" if point.dist is not None else ""
        try:
            part = point.load()
        except Exception as error:
            raise PluginError(
                f"{point.name!r}: {point.value}{whose} cannot be loaded ({_shown(error)})"
            ) from error
        if not isinstance(part, type) or not issubclass(part, self._kind):
            wanted = f"{self._kind.__module__}.{self._kind.__name__}"
            raise PluginError(f"{point.name!r}: {point.value}{whose} is no subclass of {wanted}")
        if getattr(part, "name", None) != point.name:
            raise PluginError(f"{point.name!r}: {point.value}{whose} has another name, or none")
        return part


def option_names(part: type[Part]) -> list[str]:
    """Return the names of the options of a part's class."""
    return [field.name for field in dataclasses.fields(part)]


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Refuse what is not one of the choices; raises `OptionError`."""
    if not isinstance(value, str) or value not in choices:
        raise OptionError(f"{name} is {value!r}: choose one of {', '.join(choices)}")


def check_text(name: str, value: object) -> None:
    """Refuse what is not a string; raises `OptionError`."""
    if not isinstance(value, str):
        raise OptionError(f"{name} is {value!r}: it must be a string")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither true nor false; raises `OptionError`."""
    if not isinstance(value, bool):
        raise OptionError(f"{name} is {value!r}: it must be true or false")


def check_number(name: str, value: object, *, whole: bool = False) -> None:
    """Refuse what is not a finite number, or not a whole one; raises `OptionError`."""
    wanted = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted) or not math.isfinite(value):
        raise OptionError(f"{name} is {value!r}: it must be {'a whole number' if whole else 'a number'}")


def check_above_zero(name: str, value: object) -> None:
    """Refuse what is not a number above 0; raises `OptionError`."""
    check_number(name, value)
    if not isinstance(value, int | float) or not value > 0:
        raise OptionError(f"{name} is {value!r}: it must be above 0")


def _shown(error: Exception) -> str:
    """Return an error as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
