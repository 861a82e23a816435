"""What is said to lower a speech server's memory, as settings of the bundled server."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soak.errors import SoakError
from soak.targets.preload import preload_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BASELINE = "baseline"


@dataclass(frozen=True)
class Mitigation:
    """One way of running the server."""

    name: str
    words: str
    """What it does, in a line."""
    server: Mapping[str, Any]
    """Settings of the section `server` that differ from the baseline's."""
    load: Mapping[str, Any]
    """Settings of the section `load` that must change with them."""
    is_default: bool = True
    """Whether it is tried unless others are asked for."""

    def missing(self) -> str | None:
        """Say what is not installed that this needs; None when nothing is missing."""
        try:
            preload_environment(str(self.server.get("preload", "")))
        except SoakError as error:
            return str(error)
        return None


def _built_in(
    name: str, words: str, *, load: Mapping[str, Any] | None = None, is_default: bool = True, **server: Any
) -> Mitigation:
    return Mitigation(name, words, server, load or {}, is_default)


BUILT_IN: tuple[Mitigation, ...] = (
    _built_in(BASELINE, "as configured"),
    _built_in("arena", "ONNX Runtime's CPU arena on, growing by powers of two", cpu_arena=True),
    _built_in(
        "arena-same",
        "the arena on, growing by what is asked (kSameAsRequested)",
        cpu_arena=True,
        arena_extend_strategy="kSameAsRequested",
    ),
    _built_in("arena-shrink", "the arena on, shrunk after every run", cpu_arena=True, arena_shrinkage=True),
    _built_in("no-pattern", "ONNX Runtime's memory pattern off", memory_pattern=False),
    _built_in(
        "arenas-1",
        "one malloc arena for all threads",
        environment={"MALLOC_ARENA_MAX": "1"},
        is_default=False,
    ),
    _built_in("arenas-2", "two malloc arenas for all threads", environment={"MALLOC_ARENA_MAX": "2"}),
    _built_in(
        "thresholds",
        "malloc's thresholds held at 128 KiB: large blocks are mapped singly and go back at once",
        environment={"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"},
    ),
    _built_in("trim", "malloc_trim every 10 s", trim_interval_s=10.0),
    _built_in("jemalloc", "jemalloc in place of glibc's malloc", preload="jemalloc"),
    _built_in("mimalloc", "mimalloc in place of glibc's malloc", preload="mimalloc"),
    _built_in("decoders-2", "two decoder threads", decoder_thread_num=2),
    _built_in("model-threads-2", "two threads in each inference", model_thread_num=2, is_default=False),
    _built_in(
        "compression",
        "permessage-deflate, which the clients use",
        load={"compression": True},
        is_default=False,
        compression=True,
    ),
)


def chosen(names: Sequence[str], matrix: Path | None) -> list[Mitigation]:
    """Return the baseline and the mitigations asked for, those of the file `matrix` among them.

    Without names: all of the file's, or the default ones without a file. Raises `SoakError` for a name that
    is not known.
    """
    own = [] if matrix is None else read_matrix(matrix)
    known = {each.name: each for each in (*BUILT_IN, *own)}
    for name in names:
        if name not in known:
            raise SoakError(f"--mitigation {name}: there is no such one; there are {', '.join(known)}")
    default = own or [each for each in BUILT_IN if each.is_default]
    wanted = [known[name] for name in names] or default
    return [known[name] for name in dict.fromkeys([BASELINE, *(each.name for each in wanted)])]


def read_matrix(path: Path) -> list[Mitigation]:
    """Read mitigations from a TOML file: tables `[name]` with settings, and `words` if you like.

    A key is a setting of the section `server`, or `load.…`. Raises `SoakError` in one line.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SoakError(f"{path} is not valid TOML: {error}") from None
    found = []
    for name, table in document.items():
        if not isinstance(table, dict):
            raise SoakError(f"{path}: {name} stands outside a table; write [{name}] and settings under it")
        load = table.pop("load", {})
        words = str(table.pop("words", "from the file"))
        if not isinstance(load, dict):
            raise SoakError(
                f"{path}: {name}.load must be a table of settings, such as load.compression = true"
            )
        found.append(Mitigation(name, words, table, load))
    return found
