"""One call of an allocation stack, and which of a stack's calls is the site: the one to look at first."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_YOURS = re.compile(
    r"(?:lib(?:jemalloc|mimalloc|tcmalloc\w*|stdc\+\+|c\+\+|c|m|dl|pthread|gcc_s|unwind|ffi|python[\d.]+)"
    r"|ld-linux[\w-]*)(?:-[\d.]+)?\.so(?:\.[\d.]+)?$|python[\d.]*$"
)
"""Under every program: allocators, the C and C++ libraries, the loader, and Python's interpreter."""
STANDARD_HEADERS = re.compile(
    r"/include/(?:c\+\+|[\w.+-]+/c\+\+)/|^/usr/include/|/gcc/|/libstdc\+\+|/rustc/|/library/(?:std|alloc|core)/"
)
STANDARD_FUNCTION = re.compile(
    r"(?:std|__gnu_cxx|__cxxabiv1|alloc|core)::|operator (?:new|delete)|je_|__rust_|_?start$"
)
PYTHON_LIBRARY = re.compile(r"^<|/lib(?:64)?/python3(?:\.\d+)?/(?!(?:site|dist)-packages/)|/zipimport")
PYTHON_FOLDER = re.compile(r"^.*/lib(?:64)?/python3[^/]*/(?:(?:site|dist)-packages/)?")
INSTALLED = re.compile(r"/(?:site|dist)-packages/")
_TEMPLATE = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Frame:
    """One call of a stack."""

    function: str
    """Demangled; of a file without symbols, module and offset."""
    file: str | None = None
    """Source file; None where the debug information does not say."""
    line: int | None = None
    module: str = ""
    """File name of the program or library; empty for Python."""
    offset: int = 0
    """Where in the module, in bytes from the start of its file: what `addr2line` wants."""
    inlined: bool = False
    """Whether the compiler put it into its caller."""

    @property
    def is_python(self) -> bool:
        """Whether it is Python code."""
        return not self.module

    @property
    def where(self) -> str:
        """File and line, the module where they are not known; empty where nothing is.

        Python's own and installed packages are told without the folder they are installed in.
        """
        if self.file is None:
            return self.module
        file = PYTHON_FOLDER.sub("", self.file)
        return file if self.line is None else f"{file}:{self.line}"

    @property
    def short(self) -> str:
        """As `function (file.cc:10)`, without folders and parameters, for a narrow place."""
        name = self.function if self.is_python else without_parameters(self.function)
        place = self.where.rsplit("/", 1)[-1]
        return name if not place or name.startswith(place) else f"{name} ({place})"

    def to_json_object(self) -> dict[str, Any]:
        """Return it as `profile.json` has it."""
        return asdict(self)

    @classmethod
    def from_json_object(cls, recorded: Mapping[str, Any]) -> Self:
        """Read it back; raises TypeError for something else."""
        return cls(**recorded)


Stack = tuple[Frame, ...]
"""The innermost call first."""


def is_standard(frame: Frame) -> bool:
    """Tell whether a frame is part of an allocator, of the C, C++ or Rust library, or of Python's."""
    if frame.is_python:
        return frame.file is None or PYTHON_LIBRARY.search(frame.file) is not None
    if NOT_YOURS.match(frame.module):
        return True
    if frame.file is not None and STANDARD_HEADERS.search(frame.file):
        return True
    return STANDARD_FUNCTION.match(_qualified_name(frame.function)) is not None


def site_index(stack: Sequence[Frame]) -> int:
    """Return the place in `stack` of the innermost call that is the program's own.

    The calls of allocators and standard libraries at the inner end are passed over, and of Python those of
    installed packages, too, where there is a file that is not installed. The innermost of all where nothing
    is left; -1 for an empty stack.
    """
    own = [place for place, frame in enumerate(stack) if not is_standard(frame)]
    nearest = next((place for place in own if not _is_installed(stack[place])), None)
    if nearest is not None:
        return nearest
    return own[0] if own else min(0, len(stack) - 1)


def own_part(stack: Stack) -> Stack:
    """Return the program's own calls, by which one stack is told from another; all where there is none."""
    return tuple(frame for frame in stack if not is_standard(frame)) or stack


def without_parameters(function: str) -> str:
    """Return a demangled C++ name without its parameters, as `Session::on_close`."""
    name = function.replace("(anonymous namespace)", "{anonymous}")
    depth = 0
    for place, letter in enumerate(name):
        if letter == "<":
            depth += 1
        elif letter == ">":
            depth -= 1
        elif letter == "(" and depth == 0 and not name[:place].endswith("operator"):
            return name[:place]
    return name


def _qualified_name(function: str) -> str:
    """Return a demangled name without template arguments, parameters and the return type before it."""
    name = function
    while (shorter := _TEMPLATE.sub("", name)) != name:
        name = shorter
    name = name.partition("(")[0].strip()
    return name if name.startswith("operator ") else name.rpartition(" ")[2]


def _is_installed(frame: Frame) -> bool:
    return frame.file is not None and INSTALLED.search(frame.file) is not None
