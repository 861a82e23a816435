"""Text of others (a server's errors and transcripts, names of files) made safe, one function for each medium.

What steers a medium is taken away, so that the text is only read: escape sequences on a terminal, commands in
the log of a CI system, markup in Markdown, characters that XML cannot hold.
"""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, ESC and carriage return among them
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"  # order of writing, ends of lines
    "\ud800-\udfff"  # halves of characters: names of files that are no UTF-8
    "\U000e0000-\U000e007f]"  # tags, which nobody sees
)
_MOST_MARKS = 4
"""Marks on one character; writing systems have up to three, and a pile of them covers other lines."""
_LINE_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
_COMMAND = re.compile(r"##(?=[a-z]*\[)")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def visible(text: str) -> str:
    """Return `text` with a replacement character for all that steers and is not seen; line ends stay."""
    text = _STEERING.sub(REPLACEMENT, text.replace("\r\n", "\n"))
    return text if text.isascii() else _without_piles(text)


def one_line(text: str) -> str:
    """Return `text` visible, on one line."""
    return " ".join(visible(text).split())


def for_terminal(text: str) -> str:
    """Return `text` for a terminal or the log of a CI system: no escape sequence, no command of a runner.

    GitHub's runner takes commands from lines that begin with ``::``, as a word wrap may put there, and older
    ones as well as Azure and TeamCity from ``##[…]`` anywhere.
    """
    return without_commands(visible(text))


def without_commands(text: str) -> str:
    """Return `text`, as it is about to be written, with no command of a CI system's runner in it."""
    return _COMMAND.sub("# #", _LINE_COMMAND.sub(r"\1: ", text))


def for_markdown(text: str) -> str:
    """Return `text` for a line or a cell of GitHub-flavoured Markdown: no markup, no picture, no mention."""
    text = one_line(text).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"[|`\[\]]", r"\\\g<0>", text).replace("@", "&#64;")


def for_markdown_code(text: str) -> str:
    """Return `text` for a piece of code within a line of Markdown, between single backticks."""
    return one_line(text).replace("`", "'").replace("|", "¦")


def for_markdown_block(text: str) -> str:
    """Return `text` for a block of code in Markdown, between lines of three backticks."""
    return visible(text).replace("```", "'''")


def for_html(text: str) -> str:
    """Return `text` for a page; its markup is escaped where it is put in."""
    return visible(text)


def for_xml(text: str) -> str:
    """Return `text` for an XML document: XML 1.0 cannot hold control characters at all."""
    return _NOT_XML.sub(REPLACEMENT, visible(text))


def for_workflow_command(text: str) -> str:
    """Return `text` for the message of a command to GitHub's runner."""
    escaped = visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return _COMMAND.sub("# #", escaped)


def for_workflow_property(text: str) -> str:
    """Return `text` for a property of such a command."""
    return for_workflow_command(text).replace(":", "%3A").replace(",", "%2C")


def for_file_name(text: str) -> str:
    """Return `text` for the name of a file or folder: one part of a path that every shell can show."""
    shown = "".join(sign if sign.isprintable() and sign not in "/\\" else "_" for sign in visible(text))
    return shown.replace(REPLACEMENT, "_").strip(" .")[:100] or "_"


def _without_piles(text: str) -> str:
    kept, marks = [], 0
    for sign in text:
        marks = marks + 1 if unicodedata.combining(sign) else 0
        if marks <= _MOST_MARKS:
            kept.append(sign)
    return "".join(kept)
