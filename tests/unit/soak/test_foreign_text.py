"""Text of others is only read, on every medium that soak writes to."""

from __future__ import annotations

import io
import json
import re
import sys
import unicodedata
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from rich.table import Table
from rich.text import Text

from soak.foreign_text import (
    for_file_name,
    for_html,
    for_markdown,
    for_markdown_block,
    for_markdown_code,
    for_terminal,
    for_workflow_command,
    for_workflow_property,
    for_xml,
)
from soak.report.page import _environment
from soak.terminal import PatientStream, SafeConsole, say
from tests.hostile import HOSTILE_TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
A_COMMAND = re.compile(r"^\s*::|##[a-z]*\[", re.MULTILINE)
EVERY_MEDIUM = (
    for_terminal,
    for_markdown,
    for_markdown_code,
    for_markdown_block,
    for_html,
    for_xml,
    for_workflow_command,
    for_workflow_property,
    for_file_name,
)
every_text = pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)


@every_text
@pytest.mark.parametrize("safe", EVERY_MEDIUM)
def test_nothing_steers(safe: Callable[[str], str], text: str) -> None:
    shown = safe(text)
    assert not STEERING.search(shown)
    shown.encode()  # no half of a pair
    assert max(map(len, re.findall("[\u0300-\u036f]+", unicodedata.normalize("NFD", shown)) or [""])) < 10


@every_text
def test_a_terminal_and_a_log_are_only_written_on(text: str) -> None:
    assert not A_COMMAND.search(for_terminal(f"The server said: {text}"))


@every_text
def test_markdown_holds_no_markup_of_others(text: str) -> None:
    line = for_markdown(text)
    assert "\n" not in line
    assert not re.search(r"<|(?<!\\)[\[\]|`]|@", line)
    assert "`" not in for_markdown_code(text)
    assert "```" not in for_markdown_block(text)


@every_text
def test_xml_can_be_parsed(text: str) -> None:
    element = ET.Element("system-out")
    element.text = for_xml(text)
    ET.fromstring(ET.tostring(element, encoding="utf-8"))  # noqa: S314 - our own


@every_text
def test_a_page_escapes_and_shows(text: str) -> None:
    page = _environment().from_string("<p>{{ text }}</p>").render(text=text)
    assert page.count("<") == 2
    assert not STEERING.search(page)


@every_text
def test_a_workflow_command_is_one_command(text: str) -> None:
    assert "\n" not in for_workflow_command(text)
    assert not re.search(r"[:,\n]", for_workflow_property(text))


@every_text
def test_a_file_name_is_one_part_of_a_path(text: str) -> None:
    name = for_file_name(text)
    assert re.fullmatch(r"[^/\\\x00]{1,100}", name)
    assert name not in {".", ".."}
    assert name.isprintable()


@every_text
def test_a_console_draws_what_it_is_given(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = io.StringIO()
    monkeypatch.setattr(sys, "stdout", drawn)
    monkeypatch.setenv("COLUMNS", "20")
    console = SafeConsole()
    table = Table()
    table.add_column(text[:200])
    table.add_row(text[:200])
    for each in (text, Text(text), table, f"words and {text} more"):
        console.print(each)
    say(text)
    assert not STEERING.search(drawn.getvalue())
    assert not A_COMMAND.search(drawn.getvalue())


def test_word_wrap_makes_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = io.StringIO()
    monkeypatch.setattr(sys, "stdout", drawn)
    monkeypatch.setenv("COLUMNS", "24")
    SafeConsole().print("The server closed it: ::error::owned ::stop-commands::token")
    assert len(drawn.getvalue().splitlines()) > 1
    assert not A_COMMAND.search(drawn.getvalue())


@pytest.mark.parametrize("name", ["std::vector<int>::push_back", "fe80::1", "a [b] c", "rss_bytes: 5"])
def test_ordinary_text_stays_readable(name: str) -> None:
    assert for_terminal(f"in {name}") == f"in {name}"


def test_hostile_text_in_json_is_ascii() -> None:
    assert json.dumps(list(HOSTILE_TEXTS.values())).isascii()


class _Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, f"nobody reads {text}")


def test_a_reader_that_is_gone_ends_nothing() -> None:
    stream = PatientStream(_Broken())
    for _ in range(3):
        stream.write("a line\n")
        stream.flush()
    assert isinstance(stream.fault, BrokenPipeError)
