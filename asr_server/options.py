"""The server's command line, derived from its settings: under FunASR's names where FunASR has one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, get_origin

from annotated_types import Ge, Interval

from asr_server.inject import kinds_in_words
from asr_server.settings import Called, Form, ServerOptions, Setting, optional_path, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

YES_NO: Final = {"": None, "true": True, "false": False}
BEYOND_ANY: Final = 2**31


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, and leaves the lines of the list of kinds as they are."""


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parse_options(arguments: Sequence[str]) -> ServerOptions:
    """Read the command line. A mistake ends the process with status 2 after one line on stderr."""
    parser = _OneLineParser(
        prog="python -m asr_server",
        description="The reference server: streaming Paraformer behind the FunASR WebSocket protocol.",
        epilog=f"kinds of --inject, and what SIZE bytes are kept for:\n{kinds_in_words()}",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    for setting in settings_of(ServerOptions):
        reading = {"default": "" if setting.default is None else setting.default, **_reading(setting)}
        parser.add_argument(setting.flag, help=setting.meaning, **reading)
    values = vars(parser.parse_args(arguments))
    options = ServerOptions(**{**values, "inject": tuple(values["inject"])})
    if options.arena_shrinkage and not options.cpu_arena:
        parser.error("--arena-shrinkage needs the CPU arena: add --cpu-arena, or leave it out")
    if (optional_path(options.certfile) is None) != (optional_path(options.keyfile) is None):
        parser.error("--certfile and --keyfile go together: give both for TLS, or neither for plain ws")
    return options


def _reading(setting: Setting) -> dict[str, Any]:
    """Return how argparse reads a setting: the arguments of `add_argument` that follow from its type."""
    form: Form | None = setting.note(Form)
    if get_origin(setting.kind) is Literal:
        return {"choices": setting.kind.__args__}
    if form is not None:
        several = {"action": "append", "default": []} if get_origin(setting.kind) is tuple else {}
        return {"type": _checked(form), "metavar": form.name, **several}
    if setting.kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if setting.kind == bool | None:
        return {"type": _yes_no, "metavar": "{true,false}"}
    if setting.kind in {int, float}:
        return {"type": _number(setting)}
    return {"type": setting.kind}


def _checked(form: Form) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            form.check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return read


def _yes_no(text: str) -> bool | None:
    if text not in YES_NO:
        raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose true or false)")
    return YES_NO[text]


def _number(setting: Setting) -> Callable[[str], float]:
    interval: Interval | Ge = setting.note(Interval) or setting.note(Ge)
    low: Any = interval.ge
    high: Any = interval.le if isinstance(interval, Interval) else None
    what: str = setting.note(Called).text
    what += f" of at least {low}" if high is None else f" from {low} to {high}"

    def read(text: str) -> float:
        try:
            number: float = setting.kind(text)
        except ValueError:
            number = low - 1
        beyond = number > high if high is not None else not number < BEYOND_ANY
        if not number >= low or beyond:  # so that nan is refused as well
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return number

    return read
